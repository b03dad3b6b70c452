"""The audit trail and people's own words, on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from lookback.access.audit import Action, Actor, Entry, Nobody
from lookback.access.consent import EVERYWHERE, Buffering, Statement
from lookback.api.wire import Answer, Flag, Instant, Name, Wish

if TYPE_CHECKING:
    from collections.abc import Iterable


class ActorAnswer(Answer):
    """Who did it. A user's id begins with `erased-` once they were erased; it stays the same in all entries."""

    kind: Literal["user", "server", "visitor"] = Field(description="visitor: whoever held a link.")
    user_id: str | None


class AuditEntryAnswer(Answer):
    """One line of the audit trail."""

    id: int
    at: Instant
    action: Action
    actor: ActorAnswer
    subject: str | None = Field(description="User whose session, clip, role, quota or consent it was.")
    target: str | None = Field(description="Id of the session or clip, name of the role.")
    community_id: str | None
    room_name: str | None
    address: str | None = Field(description="IP address that the request came from.")
    facts: dict[str, Any] = Field(description="docs/reference/events.md says which, action by action.")


class AuditPageAnswer(Answer):
    """Entries, newest first."""

    items: list[AuditEntryAnswer]
    next_cursor: str | None


class RoomConsentAnswer(Answer):
    """What somebody said for one room; null where they said nothing."""

    room_name: str
    buffering: Literal["allow", "forbid"] | None
    auto_start: bool | None


class ConsentAnswer(Answer):
    """What somebody said about being buffered: altogether, and what is different in single rooms."""

    buffering: Literal["allow", "forbid"]
    auto_start: bool = Field(description="Whether buffers may begin by themselves where everybody may choose.")
    rooms: list[RoomConsentAnswer]


class ConsentWish(Wish):
    """Say it, altogether or for one room; what is left out stays as it was."""

    buffering: Annotated[Buffering | None, Field(description="forbid ends running sessions at once.")] = None
    room_name: Name | None = None
    auto_start: Flag | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.buffering is None and self.auto_start is None:
            raise ValueError("Say buffering, autoStart or both")
        return self

    def statement(self) -> Statement:
        """Return what was said."""
        return Statement(self.room_name or EVERYWHERE, self.buffering, self.auto_start)


def entry(row: Entry) -> AuditEntryAnswer:
    """Present an entry."""
    return AuditEntryAnswer(
        id=row.entry_id,
        at=row.at_us,
        action=row.action,
        actor=_actor(row.actor),
        subject=row.subject,
        target=row.target,
        community_id=row.community_id,
        room_name=row.room_name,
        address=row.address,
        facts=dict(row.facts),
    )


def _actor(actor: Actor) -> ActorAnswer:
    if isinstance(actor, Nobody):
        return ActorAnswer(kind=actor.value, user_id=None)
    return ActorAnswer(kind="user", user_id=actor)


def consent(said: Iterable[Statement]) -> ConsentAnswer:
    """Present what somebody said; who has said nothing allows, and begins by themselves."""
    words = {statement.room_name: statement for statement in said}
    everywhere = words.pop(EVERYWHERE, Statement(EVERYWHERE))
    return ConsentAnswer(
        buffering=everywhere.buffering or "allow",
        auto_start=bool(everywhere.auto_start),
        rooms=[
            RoomConsentAnswer(room_name=room, buffering=there.buffering, auto_start=there.auto_start)
            for room, there in words.items()
        ],
    )
