"""What is said about quotas and usage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field

from lookback.api.wire import Answer, Instant, Wish
from lookback.clips.usage import Part  # noqa: TC001 - pydantic reads the annotations

if TYPE_CHECKING:
    from lookback.clips.usage import Share, Usage, UserUsage

_MOST_BYTES = (1 << 53) - 1  # what every JSON reader holds exactly (RFC 8259 section 6)


class QuotaWish(Wish):
    """A quota of one's own; null for the default."""

    quota_bytes: Annotated[int, Field(strict=True, ge=0, le=_MOST_BYTES)] | None


class QuotaAnswer(Answer):
    """What a user may store and does."""

    user_id: str
    quota_bytes: int | None = Field(description="null: as much as they like.")
    is_default: bool
    used_bytes: int
    reserved_bytes: int = Field(description="Held for what is being made just now.")

    @classmethod
    def of(cls, user: UserUsage) -> Self:
        """Return what is said of a user's quota."""
        return cls(
            user_id=user.user_id,
            quota_bytes=user.quota_bytes,
            is_default=user.is_default,
            used_bytes=user.used_bytes,
            reserved_bytes=user.reserved_bytes,
        )


class UserAnswer(Answer):
    """A user, and what they may store and do."""

    user_id: str
    name: str | None
    quota_bytes: int | None
    is_default: bool
    used_bytes: int
    reserved_bytes: int
    clips: int
    last_seen_at: Instant | None


class UserListAnswer(Answer):
    """A page of users in the order of their ids."""

    items: list[UserAnswer]
    next_cursor: str | None


class ShareAnswer(Answer):
    """What one user, room or community stores."""

    key: str | None = Field(description="Id or room name; null for what belongs to no community.")
    name: str | None
    clips: int
    used_bytes: int
    deleted_bytes: int = Field(description="Deleted, but on disk as long as that can be undone; counts for nobody.")


class UsageAnswer(Answer):
    """Who stores how much, the largest first."""

    by: Part
    items: list[ShareAnswer]
    total: ShareAnswer


def present_user(user: UserUsage) -> UserAnswer:
    """Present a user."""
    return UserAnswer(
        user_id=user.user_id,
        name=user.name,
        quota_bytes=user.quota_bytes,
        is_default=user.is_default,
        used_bytes=user.used_bytes,
        reserved_bytes=user.reserved_bytes,
        clips=user.clips,
        last_seen_at=user.last_seen_at_us,
    )


def present_usage(by: Part, usage: Usage) -> UsageAnswer:
    """Present what is stored."""
    return UsageAnswer(by=by, items=[_share(share) for share in usage.shares], total=_share(usage.total))


def _share(share: Share) -> ShareAnswer:
    return ShareAnswer(
        key=share.key,
        name=share.name,
        clips=share.clips,
        used_bytes=share.used_bytes,
        deleted_bytes=share.deleted_bytes,
    )
