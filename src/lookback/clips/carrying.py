"""Bring whole clips from one store into another: into a backup, and back.

Files of a clip never change in place, so a hard link is as good as a copy where both are on one file system. Where it
is none, blocks are shared, or copied.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from lookback.clips.durable import NEW, storage_errors
from lookback.clips.file_calls import FILE_CALLS, FileCalls
from lookback.clips.pins import NO_LINKS
from lookback.clips.placing import Placer
from lookback.clips.store import HEADER, RECORD
from lookback.errors import NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from lookback.clips.model import Clip
    from lookback.clips.store import ClipStore


class Carrier:
    """Blocking. What is carried is durable after `sync`; clips may be made and deleted in the source meanwhile."""

    def __init__(self, source: ClipStore, target: ClipStore, calls: FileCalls = FILE_CALLS) -> None:
        self._source, self._target, self._calls = source, target, calls

    def carry(self, clip: Clip) -> None:
        """Bring the clip's files over; one that is still virtual arrives as a physical file.

        Raises NotFoundError when the clip is gone, or goes meanwhile: nothing of it is in the target then. Raises
        DiskFullError or StorageUnavailableError.
        """
        into = self._target.directory(clip)
        with storage_errors():
            into.mkdir(mode=0o750, parents=True)
            try:
                self._carry(clip, into)
            except (FileNotFoundError, NotFoundError) as error:
                shutil.rmtree(into)
                with suppress(OSError):
                    into.parent.rmdir()  # the user's, if there is nothing else
                raise NotFoundError("The clip is gone") from error

    def sync(self) -> None:
        """Make durable all that was carried."""
        os.sync()

    def _carry(self, clip: Clip, into: Path) -> None:
        directory = self._source.directory(clip)
        for path in sorted(directory.iterdir()):
            # The header is of virtual clips; and what is not complete nobody may read.
            if path.is_file() and path.name != HEADER and not path.name.endswith(NEW):
                self._bring(path, into / path.name)
        if not (into / RECORD).exists():
            raise FileNotFoundError(RECORD)
        video = self._target.video(clip)
        if not video.exists():
            with self._source.open(clip) as opened, video.open("xb", buffering=0) as target:
                opened.place(Placer(target.fileno(), self._calls))

    def _bring(self, path: Path, name: Path) -> None:
        try:
            self._calls.link(path, name)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            with path.open("rb", buffering=0) as source, name.open("xb", buffering=0) as target:
                size = os.fstat(source.fileno()).st_size
                Placer(target.fileno(), self._calls).place(source.fileno(), 0, size, 0)
