"""The user's saved clips: listed, renamed, deleted and brought back."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from typing import TYPE_CHECKING

import structlog

from lookback.clips.ports import Position
from lookback.errors import NotFoundError, ValidationError

if TYPE_CHECKING:
    from lookback.access.principal import Principal
    from lookback.clips.model import Clip
    from lookback.clips.ports import ClipRepository, Clock
    from lookback.clips.rows import ClipRows

log = structlog.get_logger(__name__)

UNDO_US = 600_000_000
_LARGEST_PAGE = 200
_LONGEST_TITLE = 200
_LAST_US = 1 << 63


class Library:
    """What `who` may not see raises NotFoundError: only a clip's owner and administrators see it."""

    def __init__(self, repository: ClipRepository, rows: ClipRows, clock: Clock) -> None:
        self._repository = repository
        self._rows = rows
        self._clock = clock

    async def page(
        self, who: Principal, *, limit: int, cursor: str | None, query: str
    ) -> tuple[list[Clip], str | None]:
        """Return up to `limit` of the user's clips, newest first, and the cursor of the next page if there is one."""
        limit = max(1, min(limit, _LARGEST_PAGE))
        after = _parse_cursor(cursor) if cursor else None
        clips = await self._repository.page(who.user_id, limit=limit + 1, after=after, query=query.strip())
        page = clips[:limit]
        return page, _cursor(page[-1]) if len(clips) > limit else None

    async def get(self, who: Principal, clip_id: str) -> Clip:
        """Return one clip."""
        return _visible(who, await self._repository.get(clip_id))

    async def rename(self, who: Principal, clip_id: str, title: str) -> Clip:
        """Give it another title; raises ValidationError."""
        await self.get(who, clip_id)
        return _visible(who, await self._rows.change(clip_id, title=checked_title(title)))

    async def delete(self, who: Principal, clip_id: str) -> None:
        """Take it out of the library; it can be restored for ten minutes, then its files are removed."""
        await self.get(who, clip_id)
        await self._rows.change(clip_id, deleted_at_us=self._clock())
        log.info("clip.deleted", clip=clip_id, user=who.user_id)

    async def restore(self, who: Principal, clip_id: str) -> Clip:
        """Bring back what was deleted less than ten minutes ago; one that was not deleted is returned as it is."""
        clip = _visible(who, await self._repository.get(clip_id), deleted=True)
        if clip.deleted_at_us is None:
            return clip
        if self._clock() - clip.deleted_at_us >= UNDO_US:
            raise NotFoundError("The clip cannot be restored any more")
        return _visible(who, await self._rows.change(clip_id, deleted_at_us=None))


def checked_title(title: str) -> str:
    """The title without white space around it; raises ValidationError when it is empty, too long or unprintable."""
    title = title.strip()
    if not title:
        raise ValidationError("The title is empty")
    if len(title) > _LONGEST_TITLE:
        raise ValidationError(f"The title is longer than {_LONGEST_TITLE} characters")
    if any(unicodedata.category(c) in {"Cc", "Cs"} for c in title):
        raise ValidationError("The title contains control characters")
    return title


def _visible(who: Principal, clip: Clip | None, *, deleted: bool = False) -> Clip:
    if clip is None or not (who.admin or clip.user_id == who.user_id):
        raise NotFoundError("There is no such clip")
    if clip.deleted_at_us is not None and not deleted:
        raise NotFoundError("There is no such clip")
    return clip


def _cursor(clip: Clip) -> str:
    return base64.urlsafe_b64encode(f"{clip.created_at_us} {clip.clip_id}".encode()).decode().rstrip("=")


def _parse_cursor(cursor: str) -> Position:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        created_at, _, clip_id = text.partition(" ")
        position = Position(int(created_at), clip_id)
    except (binascii.Error, ValueError) as error:
        raise ValidationError("The cursor is not one of ours") from error
    if not (0 <= position.created_at_us < _LAST_US and clip_id.isprintable()):
        raise ValidationError("The cursor is not one of ours")
    return position
