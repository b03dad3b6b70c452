"""Compare sessions' directories with their rows, and mend what can be: the sessions' half of `lookback check`."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.buffer.repair import find_damage, find_rot
from lookback.buffer.session_file import SessionRecord, read_session, write_session
from lookback.errors import MalformedError, NoCapacityError
from lookback.recorder.session_directory import is_written, locked, repair_directory
from lookback.sessions import findings as kinds
from lookback.sessions.adoption import ended_row
from lookback.sessions.model import Session, SessionState
from lookback.sessions.service import SHOWN
from lookback.sessions.sweeping import WINDOW_PASSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lookback.access.ports import Communities
    from lookback.buffer.findings import Inspection, Kind
    from lookback.buffer.layout import BufferLayout
    from lookback.sessions.buffers import SessionBuffers
    from lookback.sessions.moves import Moves
    from lookback.sessions.ports import SessionRepository

BUFFER_GONE = "Its buffer is gone"
_DAMAGE: dict[str, Kind] = {
    "cut": kinds.TORN_SEGMENT,
    "removed": kinds.EMPTY_SEGMENT,
    "set-aside": kinds.UNREADABLE_SEGMENT,
}


@dataclass(frozen=True, slots=True)
class SessionInspector:
    """Looks at every session that nobody records at this moment. `settled` as in clips.recovery.Recovery."""

    layout: BufferLayout
    rows: SessionRepository
    buffers: SessionBuffers
    moves: Moves
    communities: Communities
    clock: Callable[[], int]
    settled: Callable[[Path], bool] = lambda _path: True

    async def inspect(self, at: Inspection) -> None:
        """Look at everything once, and mend what the inspection says. Raises OSError."""
        named = {self.buffers.directory(row): row for row in await self.rows.in_states(SHOWN)}
        for directory in await asyncio.to_thread(lambda: list(self.layout.session_dirs())):
            at.population["sessions"] += 1
            record = await asyncio.to_thread(self._look_into, directory, named.get(directory), at)
            if record is not None:
                await self._compare(record, at)
        for session in await self.rows.in_states(SHOWN):
            await self._require_buffer(session, at)

    # ---- directories

    def _look_into(self, directory: Path, row: Session | None, at: Inspection) -> SessionRecord | None:
        """Return what session.json says when it can be compared; None when there is nothing more to say."""
        with suppress(FileNotFoundError), _unwritten(directory, alone=at.repair) as free:
            return self._look_at_free(directory, row, at) if free else None
        return None  # it went a moment ago

    def _look_at_free(self, directory: Path, row: Session | None, at: Inspection) -> SessionRecord | None:
        for leftover in sorted(directory.glob("*.new")):
            if self.settled(leftover) and at.mends(kinds.UNFINISHED_SESSION_FILE, directory.name, leftover.name):
                leftover.unlink(missing_ok=True)
        try:
            record = read_session(directory)
        except (FileNotFoundError, MalformedError) as error:
            if self.settled(directory):
                self._without_record(directory, row, at, missing=isinstance(error, FileNotFoundError))
            return None
        if self.layout.session_dir(record.room_name, record.user_id, record.session_id) != directory:
            at.mends(kinds.MISPLACED_SESSION, directory.name, f"of session {record.session_id}")
            return None
        self._check_segments(directory, record, at)
        return record

    def _without_record(self, directory: Path, row: Session | None, at: Inspection, *, missing: bool) -> None:
        files = [path for path in directory.iterdir() if not path.name.endswith(".new")]
        if not files:
            if at.mends(kinds.EMPTY_SESSION, directory.name):
                for leftover in directory.iterdir():
                    leftover.unlink()
                directory.rmdir()
        elif row is None:
            at.mends(kinds.NOBODYS_SESSION, directory.name, f"{len(files)} files")
        elif at.mends(kinds.UNNAMED_SESSION, row.session_id, "gone" if missing else "damaged"):
            write_session(directory, _record_of(row))

    def _check_segments(self, directory: Path, record: SessionRecord, at: Inspection) -> None:
        mends = False
        for damage in find_damage(directory):
            detail = f"segment {damage.number}, {damage.lost_bytes} bytes"
            mends |= at.mends(_DAMAGE[damage.action], record.session_id, detail)
        if record.ended_at_us is None:
            mends |= at.mends(kinds.UNENDED_SESSION, record.session_id)
        if mends:
            repair_directory(directory)
        if at.deep:
            for number, good in find_rot(directory):
                at.mends(kinds.ROTTEN_SEGMENT, record.session_id, f"segment {number} from byte {good} on")

    # ---- rows

    async def _compare(self, record: SessionRecord, at: Inspection) -> None:
        row = await self.rows.get(record.session_id)
        if row is None:
            if at.mends(kinds.SESSION_WITHOUT_ROW, record.session_id):
                await self.rows.add(await ended_row(record, self.buffers, self.communities))
        elif row.state not in SHOWN and at.mends(kinds.OVER_SESSION, row.session_id):
            await self.buffers.remove(row)

    async def _require_buffer(self, session: Session, at: Inspection) -> None:
        if session.video_codec is None or await asyncio.to_thread(self.buffers.directory(session).exists):
            return
        if not at.mends(kinds.LOST_BUFFER, session.session_id):
            return
        now_us = self.clock()
        if session.state.active:
            drained = await self.moves.move(
                session, SessionState.DRAINING, BUFFER_GONE, ended_at_us=now_us, drains_at_us=now_us
            )
            session = drained or session
        await self.moves.move(session, SessionState.EXPIRED, WINDOW_PASSED)


def _record_of(row: Session) -> SessionRecord:
    return SessionRecord(
        session_id=row.session_id,
        room_name=row.room_name,
        user_id=row.user_id,
        source=row.source,
        started_at_us=row.started_at_us,
        community_id=row.community_id,
        participant_identity=row.participant_identity,
        ended_at_us=row.ended_at_us,
        cause=row.reason,
    )


@contextmanager
def _unwritten(directory: Path, *, alone: bool) -> Iterator[bool]:
    """Whether no recorder holds the directory's lock; `alone`: and none can take it while the body runs."""
    if alone:
        try:
            lock = locked(directory)
        except NoCapacityError:
            yield False
            return
        try:
            yield True
        finally:
            os.close(lock)
    else:
        yield not is_written(directory)
