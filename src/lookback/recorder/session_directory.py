"""A session's directory while it is recorded: ours alone, and saying whose it is."""

from __future__ import annotations

import fcntl
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from lookback.buffer.layout import SESSION_FILE, BufferLayout, highest_number
from lookback.buffer.marker import RootAwayError, make_directory
from lookback.buffer.reader import summary
from lookback.buffer.repair import repair_session
from lookback.buffer.session_file import SessionRecord, read_session, write_session
from lookback.errors import MalformedError, NoCapacityError
from lookback.recorder.tracker import LOST_CAUSE

if TYPE_CHECKING:
    from pathlib import Path

    from lookback.recorder.control import SessionSpec

log = structlog.get_logger(__name__)


class SessionDirectory:
    """One session's directory. Methods block and raise OSError: call those that say so off the event loop."""

    def __init__(self, layout: BufferLayout, spec: SessionSpec) -> None:
        self._layout = layout
        self.path = layout.session_dir(spec.room_name, spec.user_id, spec.session_id)
        self._spec = spec
        self._lock: int | None = None

    @property
    def holds_segments(self) -> bool:
        """Whether anything was ever recorded here, and is still here."""
        try:
            return highest_number(self.path) > 0
        except OSError:
            return False

    def claim(self) -> None:
        """Create it, take it for ourselves and write session.json. Blocks. Again after it has vanished.

        Raises NoCapacityError when another process writes it, RootAwayError when the buffer's disk is not mounted.
        """
        self.release()  # first: while it is held, a disk that was unmounted cannot be checked and mounted again
        make_directory(self._layout.root, self.path, self._layout.identity)
        self._lock = locked(self.path)
        write_session(self.path, self._record())

    @property
    def is_claimed(self) -> bool:
        """Whether a directory is held, be it this one or one that was there before."""
        return self._lock is not None

    @property
    def is_ours(self) -> bool:
        """Whether the directory under this name is still the one that was claimed."""
        if self._lock is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._lock), self.path.stat())
        except OSError:
            return False

    def until_us(self) -> int:
        """Where the samples end that are here already; 0 without any. Blocks."""
        return summary(self.path).until_us or 0

    def end(self, at_us: int, cause: str) -> None:
        """Note in session.json that nobody records any more, or clear away what never held anything. Blocks."""
        try:
            if self.holds_segments:
                write_session(self.path, self._record(at_us, cause))
            else:
                self.path.joinpath(SESSION_FILE).unlink(missing_ok=True)
                self.path.rmdir()
        finally:
            self.release()

    def release(self) -> None:
        """Let others write it."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def _record(self, ended_at_us: int | None = None, cause: str | None = None) -> SessionRecord:
        spec = self._spec
        return SessionRecord(
            session_id=spec.session_id,
            room_name=spec.room_name,
            user_id=spec.user_id,
            source=spec.source,
            started_at_us=spec.started_at_us,
            community_id=spec.community_id,
            participant_identity=spec.participant_identity,
            ended_at_us=ended_at_us,
            cause=cause,
        )


def prepare_buffer(layout: BufferLayout) -> None:
    """Make the buffer's root, and repair what is in it. Blocks."""
    try:
        make_directory(layout.root, layout.root, layout.identity)
    except RootAwayError as error:
        # Nobody can record yet; the server says so, and everybody can when the disk is there.
        log.warning("buffer.away", error=error.strerror)
        return
    repair_buffer(layout)


def repair_buffer(layout: BufferLayout) -> None:
    """Repair every session that nobody writes, and note the end of those that died with their recorder. Blocks."""
    for directory in layout.sessions():
        try:
            lock = locked(directory)
        except (OSError, NoCapacityError):
            continue  # a living recorder writes it
        try:
            repair_directory(directory)
        except (OSError, MalformedError) as error:
            # One damaged session must not keep the others from being recorded.
            log.warning("session.repair_failed", directory=directory.name, error=str(error))
        finally:
            os.close(lock)


def repair_directory(directory: Path) -> None:
    """Repair a session that nobody writes, and note its end. Blocks; raises OSError, MalformedError."""
    for repaired in repair_session(directory):
        log.warning("segment.repaired", session=directory.name, segment=repaired.number, action=repaired.action)
    record = read_session(directory)
    if record.ended_at_us is None:
        ended_at_us = summary(directory).until_us or record.started_at_us
        write_session(directory, replace(record, ended_at_us=ended_at_us, cause=LOST_CAUSE))


def locked(directory: Path) -> int:
    """Lock a directory against other writers; the lock goes with the descriptor, so also with a crash.

    Raises NoCapacityError when another process has it.
    """
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise NoCapacityError("Another recorder writes this session", retryAfter=1) from error
    except OSError as error:
        # Some network file systems lock no directories: then nobody is kept out, which is how it was without us.
        log.warning("session.not_lockable", error=str(error))
    return fd


def is_written(directory: Path) -> bool:
    """Whether another process has locked a directory; looking keeps nobody from it for longer than it takes."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # a file system that locks no directories
    finally:
        os.close(fd)
    return False
