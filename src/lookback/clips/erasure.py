"""Remove clips for good and at once: nobody restores what belongs to somebody who is being erased."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from lookback.access.audit import Action, Nobody
from lookback.buffer.layout import safe_name
from lookback.clips.durable import storage_errors

if TYPE_CHECKING:
    from lookback.access.audit import Audit
    from lookback.clips.model import Clip
    from lookback.clips.rows import ClipRows
    from lookback.clips.store import ClipStore


class ClipErasure:
    """Every method may be repeated after a crash. Raises StorageUnavailableError where files cannot be removed."""

    def __init__(self, rows: ClipRows, store: ClipStore, audit: Audit) -> None:
        self._rows, self._store, self._audit = rows, store, audit

    async def erase(self, clip_id: str, user_id: str) -> None:
        """Remove a clip of the user, or of their share. Whose it was, if somebody else's, finds it in the trail."""
        clip = await self._rows.erase(clip_id)
        if clip is not None and clip.user_id != user_id:
            await self._tell_owner(clip)

    async def remove_leftovers(self, user_id: str) -> None:
        """Remove what is left of the user's folder: directories that no row knows."""
        await self._store.threads.run(self._remove_folder, user_id)

    def _remove_folder(self, user_id: str) -> None:
        with storage_errors(), suppress(FileNotFoundError):
            shutil.rmtree(self._store.root / safe_name(user_id))

    async def _tell_owner(self, clip: Clip) -> None:
        await self._audit.record(
            Action.CLIP_DELETED,
            actor=Nobody.SERVER,
            subject=clip.user_id,
            target=clip.clip_id,
            community_id=clip.community_id,
            room_name=clip.room_name,
            facts={"cause": "Whoever shared it was erased"},
        )
