"""The one door through which a clip changes after it was made: row first, then `clip.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import structlog

from lookback.clips.keyed_locks import KeyedLocks
from lookback.clips.trail import tell
from lookback.errors import LookbackError

if TYPE_CHECKING:
    from lookback.access.audit import Audit
    from lookback.clips.model import Clip, Rendition
    from lookback.clips.ports import ClipChanges, ClipRepository, Room
    from lookback.clips.store import ClipStore
    from lookback.clips.trail import Told

log = structlog.get_logger(__name__)


class ClipRows:
    """Changes clips one after the other, so that the last row and the last `clip.json` say the same."""

    def __init__(self, repository: ClipRepository, store: ClipStore, audit: Audit) -> None:
        self._repository = repository
        self._store = store
        self._audit = audit
        self._locks, self._files = KeyedLocks(), KeyedLocks()
        self._stale: set[str] = set()

    async def change(
        self, clip_id: str, room: Room | None = None, told: Told | None = None, **changes: Unpack[ClipChanges]
    ) -> Clip | None:
        """Set these columns; return the clip as it is now, or None if it is gone.

        `told` is what the audit trail is told of it. Raises QuotaExceededError when its owner then uses more than there
        is room for.
        """
        async with self._locks.hold(clip_id):
            async with self._audit.together():
                clip = await self._repository.update(clip_id, room, **changes)
                if clip is not None and told is not None:
                    await tell(self._audit, clip, told)
            await self._write_down(clip)
            return clip

    async def put_rendition(self, clip_id: str, rendition: Rendition) -> Clip | None:
        """Insert or replace a rendition; return the clip as it is now, or None if it is gone."""
        async with self._locks.hold(clip_id):
            return await self._repository.put_rendition(clip_id, rendition)

    async def progress(self, clip_id: str, rendition: Rendition, room: Room | None = None) -> Clip | None:
        """Replace a rendition that is still wanted; return None when it, or its clip, is not.

        Raises QuotaExceededError when its owner then uses more than there is room for.
        """
        async with self._locks.hold(clip_id):
            clip = await self._repository.get(clip_id)
            if clip is None or clip.deleted_at_us is not None:
                return None
            if all(known.rendition_id != rendition.rendition_id for known in clip.renditions):
                return None
            changed = await self._repository.put_rendition(clip_id, rendition, room)
            if rendition.status == "ready":  # what is under way is begun again when it is lost, and not worth a file
                await self._write_down(changed)
            return changed

    async def remove_rendition(self, clip_id: str, rendition_id: str) -> None:
        """Forget a rendition."""
        async with self._locks.hold(clip_id):
            await self._repository.remove_rendition(clip_id, rendition_id)
            await self._write_down(await self._repository.get(clip_id))

    async def purge(self, clip_id: str, deleted_before_us: int) -> bool:
        """Remove files, then row, of a clip that was deleted before then; say whether it was."""
        async with self._locks.hold(clip_id):
            clip = await self._repository.get(clip_id)
            if clip is None or clip.deleted_at_us is None or clip.deleted_at_us >= deleted_before_us:
                return False  # restored, or purged already
            await self._remove_files(clip)
            await self._repository.remove(clip_id)
            return True

    async def erase(self, clip_id: str) -> Clip | None:
        """Remove files, then row, of a clip whether it was deleted or not; return what it was, None if it was gone."""
        async with self._locks.hold(clip_id):
            clip = await self._repository.get(clip_id)
            if clip is not None:
                await self._remove_files(clip)
                await self._repository.remove(clip_id)
            return clip

    async def catch_up(self) -> None:
        """Write again each `clip.json` that could not be written when its row changed."""
        for clip_id in tuple(self._stale):
            async with self._locks.hold(clip_id):
                self._stale.discard(clip_id)
                await self._write_down(await self._repository.get(clip_id))

    async def _write_down(self, clip: Clip | None) -> None:
        if clip is None or clip.status == "failed":
            return
        try:
            self._store.threads.require()
            await self._store.threads.attend(self._save(clip))
        except (LookbackError, FileNotFoundError) as error:
            # The row is the truth, and the file comes after it when it can: a full disk must not undo a rename.
            self._stale.add(clip.clip_id)
            log.warning("clip.record_stale", clip=clip.clip_id, error=str(error))
        else:
            self._stale.discard(clip.clip_id)

    # One that hangs goes on when nobody waits for it any more: whoever comes after it must not write the same file.

    async def _save(self, clip: Clip) -> None:
        async with self._files.hold(clip.clip_id):
            await self._store.threads.run(self._store.save, clip)

    async def _remove_files(self, clip: Clip) -> None:
        async with self._files.hold(clip.clip_id):
            await self._store.threads.run(self._store.remove, clip)
