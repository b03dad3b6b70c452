"""The files of clips: `{root}/{user}/{clip}/`, and their pins beside the buffer until the clip is one physical file.

A clip is written in this order: pins, header, and when both are durable `clip.json`. When that is durable, too, its row
may be inserted. So a crash leaves pins or a directory without `clip.json`, which recovery removes, or a whole clip
without a row, which recovery inserts; never a row whose bytes can be evicted. A clip is removed in the opposite
order, `clip.json` first: what is left of it is never taken for a clip again.

Where the buffer can only be read there can be no pins, and nothing evicts: the clip is copied into its physical file
at once. A crash before `clip.json` then leaves a video without a record, which is for somebody to look at.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from lookback.buffer.durable import sync_directory, sync_file
from lookback.buffer.layout import may_be_ours, safe_name
from lookback.buffer.marker import require_root
from lookback.buffer.threads import ANYBODYS, DiskThreads
from lookback.clips.durable import NEW, replace, storage_errors, write
from lookback.clips.file_calls import FILE_CALLS, FileCalls
from lookback.clips.opened import OpenedClip
from lookback.clips.pins import Pinned, make_pins
from lookback.clips.placing import Placer, StoppedError
from lookback.clips.record import ClipRecord, StoredPlan, dump_record, load_record
from lookback.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lookback.buffer.layout import BufferLayout
    from lookback.buffer.marker import RootIdentity
    from lookback.clips.model import Clip

log = structlog.get_logger(__name__)

RECORD = "clip.json"
HEADER = "header"
POSTER = "poster.webp"
_HASH_STEP = 1 << 20
_ONLY_READ = frozenset({errno.EROFS, errno.EACCES})


class ClipStore:
    """Blocking, so to be called in `threads`; every method but `write` may be repeated after a crash.

    Raises DiskFullError or StorageUnavailableError where the operating system refuses. `checkpoint` is called with
    the name of every step that is done; crash tests stop there.
    """

    def __init__(
        self,
        root: Path,
        layout: BufferLayout,
        calls: FileCalls = FILE_CALLS,
        checkpoint: Callable[[str], None] = lambda _step: None,
        *,
        identity: RootIdentity | None = None,
        threads: DiskThreads = ANYBODYS,
    ) -> None:
        self.root = root
        self.threads = threads
        self._identity = identity
        self._layout = layout
        self._calls = calls
        self._checkpoint = checkpoint

    # ---- where things are

    def directory(self, clip: Clip) -> Path:
        """The clip's directory."""
        return self.root / safe_name(clip.user_id) / safe_name(clip.clip_id)

    def pins(self, clip_id: str) -> Path:
        """The directory of the clip's pins."""
        return self._layout.pins_dir(clip_id)

    def video(self, clip: Clip) -> Path:
        """The one physical file. It is whole if it is there."""
        return self.directory(clip) / f"video.{clip.container}"

    def poster(self, clip: Clip) -> Path:
        """The poster. It is whole if it is there."""
        return self.directory(clip) / POSTER

    def rendition(self, clip: Clip, rendition_id: str) -> Path:
        """The file of a rendition. It is whole if it is there."""
        return self.directory(clip) / f"rendition-{safe_name(rendition_id)}.mp4"

    def directories(self) -> Iterator[Path]:
        """Every clip's directory, complete or not."""
        for user in sorted(path for path in self.root.iterdir() if may_be_ours(path)):
            yield from sorted(path for path in user.iterdir() if may_be_ours(path))

    # ---- making and removing

    def write(self, clip: Clip, plan: StoredPlan, header: bytes, segments: Sequence[Path]) -> None:
        """Make the clip durable, if possible without moving its bytes. `segments` are the media files of `plan.pins`.

        On error nothing is left behind. Raises SegmentVanishedError when a segment was evicted meanwhile.
        """
        with storage_errors():
            self._require_roots()
            try:
                self._write(clip, plan, header, segments)
            except Exception:
                self._remove(clip)
                raise

    def save(self, clip: Clip) -> None:
        """Bring `clip.json` to what the row says now."""
        with storage_errors():
            plan = self.read(self.directory(clip)).plan
            replace(self.directory(clip) / RECORD, dump_record(clip, plan), self._calls.fsync)

    def read(self, directory: Path) -> ClipRecord:
        """Return what `clip.json` says; raises FileNotFoundError or MalformedError."""
        return load_record((directory / RECORD).read_bytes())

    def remove(self, clip: Clip) -> None:
        """Remove everything of the clip; nothing there is no error."""
        with storage_errors():
            self._remove(clip)

    # ---- reading

    def open(self, clip: Clip, start: int = 0, stop: int | None = None) -> OpenedClip:
        """Open bytes `[start, stop)`, from the physical file if it is there, else from the pins.

        Raises NotFoundError when the bytes are gone.
        """
        with storage_errors():
            for attempt in (self._open_video, self._open_virtual, self._open_video):
                # The third one: the physical file came and the pins went between the first and the second.
                try:
                    return attempt(clip, start, stop)
                except FileNotFoundError:
                    continue
        raise NotFoundError("The clip's video is gone")

    # ---- the physical file

    def materialise(self, clip: Clip, stop: Callable[[], bool] = lambda: False) -> str:
        """Make the clip one physical file, byte for byte what it was, and return its SHA-256 in hexadecimal.

        The pins stay until `unpin`: they may go once the row knows of the file. Raises NotFoundError when the bytes
        are gone, StoppedError when `stop` said so.
        """
        with storage_errors():
            video = self.video(clip)
            if not video.exists():
                new = video.with_name(video.name + NEW)
                self._fill(self._open_all(clip), new, stop)
                self._checkpoint("filled")
                new.rename(video)
                sync_directory(video.parent, self._calls.fsync)
                self._checkpoint("renamed")
            return sha256_of(video, stop)

    def unpin(self, clip: Clip) -> None:
        """Let go of pins and header, which the physical file has replaced.

        Durably, or a file system that breaks brings them back, and nobody looks for them before the next start.
        """
        with storage_errors():
            if self.video(clip).exists():
                directory, pins = self.directory(clip), self.pins(clip.clip_id)
                if pins.exists():
                    _remove_tree(pins)
                    sync_directory(pins.parent, self._calls.fsync)
                self._checkpoint("unpinned")
                (directory / HEADER).unlink(missing_ok=True)
                sync_directory(directory, self._calls.fsync)

    # ---- inside

    def _require_roots(self) -> None:
        # A root that is not the one that was there is a disk that is not mounted: what is made fills the disk below.
        require_root(self.root, self._identity)
        require_root(self._layout.root, self._layout.identity)

    def _write(self, clip: Clip, plan: StoredPlan, header: bytes, segments: Sequence[Path]) -> None:
        pins, directory = self.pins(clip.clip_id), self.directory(clip)
        pinned = self._pin(pins, plan, segments)
        self._checkpoint("pinned")
        directory.parent.mkdir(exist_ok=True)
        directory.mkdir()
        self._checkpoint("directory")
        write(directory / HEADER, header)
        record = directory / RECORD
        new = record.with_name(RECORD + NEW)
        write(new, dump_record(clip, plan))
        self._checkpoint("header")
        if not pinned:
            self._copy(clip, plan, segments)
        self._sync_all([pins, pins.parent] if pinned else [], directory, new)
        self._checkpoint("synced")
        new.rename(record)
        sync_directory(directory, self._calls.fsync)
        self._checkpoint("record")

    def _pin(self, pins: Path, plan: StoredPlan, segments: Sequence[Path]) -> bool:
        """Say whether the buffer let us: one that is read-only, or somebody else's, can still be read."""
        try:
            make_pins(pins, [Pinned(p, *s) for p, s in zip(segments, plan.spans(), strict=True)], self._calls)
        except OSError as error:
            if error.errno not in _ONLY_READ:
                raise
            log.warning("clip.copied_at_once", error=error.strerror)
            return False
        return True

    def _copy(self, clip: Clip, plan: StoredPlan, segments: Sequence[Path]) -> None:
        video = self.video(clip)
        new = video.with_name(video.name + NEW)
        self._fill(OpenedClip(plan.virtual(), [self.directory(clip) / HEADER, *segments]), new)
        new.rename(video)

    def _sync_all(self, pins: Sequence[Path], directory: Path, record: Path) -> None:
        """Make everything durable that `clip.json` stands for.

        All at once, after everything is written: a journaling file system then commits once and not four times,
        which is half of what a capture of a minute costs (measured).
        """
        fsync = self._calls.fsync
        for file in (directory / HEADER, record):
            sync_file(file, fsync)
        for names in (*pins, directory.parent, self.root):
            sync_directory(names, fsync)

    def _remove(self, clip: Clip) -> None:
        directory = self.directory(clip)
        (directory / RECORD).unlink(missing_ok=True)
        self._checkpoint("record removed")
        _remove_tree(directory)
        self._checkpoint("directory removed")
        _remove_tree(self.pins(clip.clip_id))

    def _open_video(self, clip: Clip, _start: int, _stop: int | None) -> OpenedClip:
        return OpenedClip.of_file(self.video(clip))

    def _open_virtual(self, clip: Clip, start: int, stop: int | None) -> OpenedClip:
        plan = self.read(self.directory(clip)).plan
        pins = self.pins(clip.clip_id)
        sources = [self.directory(clip) / HEADER, *(pins / name for name in plan.pins)]
        return OpenedClip(plan.virtual(), sources, start, stop)

    def _fill(self, source: OpenedClip, new: Path, stop: Callable[[], bool] = lambda: False) -> None:
        with source, new.open("wb", buffering=0) as target:
            source.place(Placer(target.fileno(), self._calls, stop))
            self._calls.fsync(target.fileno())

    def _open_all(self, clip: Clip) -> OpenedClip:
        try:
            return self._open_virtual(clip, 0, None)
        except FileNotFoundError as error:
            raise NotFoundError("The clip's video is gone") from error


def _remove_tree(path: Path) -> None:
    """Remove a directory if it is there; unlike `ignore_errors`, say so when that does not work."""
    with suppress(FileNotFoundError):
        shutil.rmtree(path)


def sha256_of(path: Path, stop: Callable[[], bool] = lambda: False) -> str:
    """SHA-256 of a file in hexadecimal; raises StoppedError when `stop` said so."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while data := file.read(_HASH_STEP):
            if stop():
                raise StoppedError
            digest.update(data)
    return digest.hexdigest()
