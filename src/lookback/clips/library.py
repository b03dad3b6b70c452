"""Saved clips: listed, searched, renamed, shared, deleted and brought back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from lookback.access.audit import Action
from lookback.access.principal import Permission
from lookback.clips.cursor import parse_cursor, write_cursor
from lookback.clips.model import Visibility
from lookback.clips.ports import Position
from lookback.clips.trail import Told
from lookback.clips.visibility import changeable, has_link, visible
from lookback.errors import NotFoundError, PermissionDeniedError, QuotaExceededError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookback.access.principal import Principal
    from lookback.clips.changes import ClipWish
    from lookback.clips.model import Clip
    from lookback.clips.ports import ClipRepository, Clock, QuotaGate, Selection, Sort
    from lookback.clips.rows import ClipRows

log = structlog.get_logger(__name__)

UNDO_US = 600_000_000
_LARGEST_PAGE = 200


@dataclass(frozen=True, slots=True)
class Bulk:
    """What became of several clips. `over_quota`: there is no room to bring them back."""

    done: tuple[str, ...]
    not_found: tuple[str, ...]
    over_quota: tuple[str, ...] = ()


class Library:
    """What `who` may not see raises NotFoundError, and what they see but may not change PermissionDeniedError.

    `new_key` makes the secret of a link.
    """

    def __init__(
        self,
        repository: ClipRepository,
        rows: ClipRows,
        clock: Clock,
        *,
        quota: QuotaGate,
        new_key: Callable[[], str],
    ) -> None:
        self._repository = repository
        self._rows = rows
        self._clock = clock
        self._quota = quota
        self._new_key = new_key

    async def page(
        self, who: Principal, wanted: Selection, *, sort: Sort, limit: int, cursor: str | None
    ) -> tuple[list[Clip], str | None]:
        """Return up to `limit` clips in this order, and the cursor of the next page if there is one.

        `wanted` is about the user's own clips, or about a community's: all of it for those who manage it, what is
        meant for them for its members, and nothing that there is for others.
        """
        limit = max(1, min(limit, _LARGEST_PAGE))
        after = Position(*parse_cursor(cursor, sort.value)) if cursor else None
        wanted = _allowed(who, wanted)
        clips = await self._repository.page(wanted, sort=sort, limit=limit + 1, after=after)
        page = clips[:limit]
        return page, write_cursor(*sort.key(page[-1]), sort.value) if len(clips) > limit else None

    async def get(self, who: Principal, clip_id: str) -> Clip:
        """Return one clip."""
        return visible(who, await self._repository.get(clip_id))

    async def mine(self, who: Principal, clip_id: str) -> Clip:
        """Return one clip that `who` may change."""
        return changeable(who, await self._repository.get(clip_id))

    async def shared(self, share_key: str) -> Clip:
        """Return the clip that a link leads to, whoever follows it."""
        clip = await self._repository.by_share_key(share_key)
        if clip is None or clip.deleted_at_us is not None or not has_link(clip, share_key):
            raise NotFoundError("There is no such clip")
        return clip

    async def change(self, who: Principal, clip_id: str, wish: ClipWish) -> Clip:
        """Give it another title, other tags, or let others see it; raises ValidationError."""
        clip = await self.mine(who, clip_id)
        changes = wish.changes(clip, self._new_key)
        if not changes:
            return clip
        action = Action.CLIP_SHARED if "visibility" in changes else Action.CLIP_CHANGED
        facts = {"changed": sorted(changes.keys() - {"share_key"}), "visibility": changes.get("visibility")}
        told = Told(action, who.user_id, {name: said for name, said in facts.items() if said is not None})
        return visible(who, await self._rows.change(clip_id, told=told, **changes))

    async def delete(self, who: Principal, clip_id: str) -> None:
        """Take it out of the library, and give its owner the room back at once.

        It can be restored for ten minutes, then its files are removed.
        """
        await self.mine(who, clip_id)
        told = Told(Action.CLIP_DELETED, who.user_id)
        await self._rows.change(clip_id, told=told, deleted_at_us=self._clock())
        log.info("clip.deleted", clip=clip_id, user=who.user_id)

    async def restore(self, who: Principal, clip_id: str) -> Clip:
        """Bring back what was deleted less than ten minutes ago; one that was not deleted is returned as it is.

        Raises QuotaExceededError when its owner has filled the room meanwhile.
        """
        clip = changeable(who, await self._repository.get(clip_id), deleted=True)
        if clip.deleted_at_us is None:
            return clip
        if self._clock() - clip.deleted_at_us >= UNDO_US:
            raise NotFoundError("The clip cannot be restored any more")
        room = await self._quota.room(clip.community_id)
        told = Told(Action.CLIP_RESTORED, who.user_id)
        try:
            return visible(who, await self._rows.change(clip_id, room, told, deleted_at_us=None))
        except QuotaExceededError as error:
            raise await self._quota.explain(error, clip.user_id) from error

    async def delete_all(self, who: Principal, clip_ids: Sequence[str]) -> Bulk:
        """Delete several. Those that `who` may not delete count as not found."""
        done, not_found = [], []
        for clip_id in dict.fromkeys(clip_ids):
            try:
                await self.delete(who, clip_id)
                done.append(clip_id)
            except (NotFoundError, PermissionDeniedError):
                not_found.append(clip_id)
        return Bulk(tuple(done), tuple(not_found))

    async def restore_all(self, who: Principal, clip_ids: Sequence[str]) -> Bulk:
        """Bring several back, as many as there is room for."""
        done, not_found, over_quota = [], [], []
        for clip_id in dict.fromkeys(clip_ids):
            try:
                await self.restore(who, clip_id)
                done.append(clip_id)
            except (NotFoundError, PermissionDeniedError):
                not_found.append(clip_id)
            except QuotaExceededError:
                over_quota.append(clip_id)
        return Bulk(tuple(done), tuple(not_found), tuple(over_quota))


def _allowed(who: Principal, wanted: Selection) -> Selection:
    """The list as far as `who` may see it; raises NotFoundError for a community they have nothing to do with."""
    if wanted.user_id is not None or wanted.community_id is None:
        return replace(wanted, user_id=who.user_id)
    if who.allowed(Permission.MANAGE_REPLAY_LIMITS, wanted.community_id):
        return wanted
    if wanted.community_id not in who.belongs_to:
        raise NotFoundError("There is no such community")
    if wanted.visibility not in {None, Visibility.COMMUNITY}:
        raise ValidationError("visibility: members of a community see what is meant for the community")
    return replace(wanted, visibility=Visibility.COMMUNITY)
