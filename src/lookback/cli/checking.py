"""What `lookback check` finds, in sentences."""

from __future__ import annotations

import asyncio
import fcntl
import os
from typing import TYPE_CHECKING

from lookback.bootstrap.library import clip_services
from lookback.bootstrap.parts import prepare_folders
from lookback.buffer.layout import BufferLayout
from lookback.buffer.reader import SegmentCache
from lookback.buffer.repair import find_damage
from lookback.buffer.session_file import read_session
from lookback.db.engine import open_database
from lookback.db.sessions import SqlSessionRepository
from lookback.errors import MalformedError, NotFoundError
from lookback.sessions.buffers import SessionBuffers
from lookback.sessions.service import SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.access.principal import Principal
    from lookback.clips.ports import FoundSession
    from lookback.clips.recovery import Finding
    from lookback.settings import Settings


class _NoSessions:
    """Checking captures nothing."""

    async def find(self, who: Principal, *, session_id: str | None, room_name: str | None) -> FoundSession:
        raise NotFoundError(f"Nothing is captured while checking: {who.user_id} {session_id} {room_name}")


async def findings(settings: Settings, *, recount: bool = False) -> list[str]:
    """Compare buffer, clips and rows with each other; change nothing, unless users' sums are to be counted again.

    Counting again is right beside a running server. The rest is mended when a server starts.
    """
    prepare_folders(settings)
    engine = await open_database(settings.database)
    try:
        layout = BufferLayout(settings.buffer_path)
        services = clip_services(settings, engine, _NoSessions(), SegmentCache())
        if recount:
            await services.recovery.recount()
        clips = [_sentence(finding) for finding in await services.recovery.check(repair=False)]
        segments = await asyncio.to_thread(lambda: list(_damaged_segments(layout)))
        return segments + await _sessions(layout, engine) + clips
    finally:
        await engine.dispose()


def _sentence(finding: Finding) -> str:
    if finding.kind == "miscounted":
        return f"user {finding.subject}: the count of used bytes is wrong; `lookback check --recount` sets it right"
    return f"clip {finding.subject}: {finding.kind}"


def _damaged_segments(layout: BufferLayout) -> Iterator[str]:
    for directory in layout.sessions():
        if _is_written(directory):
            continue  # what its recorder is writing right now always looks torn
        for damage in find_damage(directory):
            yield f"session {directory.name}: segment {damage.number}: {damage.lost_bytes} bytes to be {damage.action}"


def _is_written(directory: Path) -> bool:
    """Whether a recorder holds the directory's lock."""
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


async def _sessions(layout: BufferLayout, engine: AsyncEngine) -> list[str]:
    """Directories without a row, and rows whose directory does not say what they say."""
    rows = SqlSessionRepository(engine)
    buffers = SessionBuffers(layout, SegmentCache())
    found = []
    for directory in layout.sessions():
        try:
            record = read_session(directory)
        except (OSError, MalformedError) as error:
            found.append(f"session {directory.name}: its session.json cannot be read ({error})")
            continue
        if await rows.get(record.session_id) is None:
            found.append(f"session {record.session_id}: is in the buffer and has no row")
    for session in await rows.in_states(SHOWN):
        directory = buffers.directory(session)
        if session.video_codec is not None and not directory.exists():
            found.append(f"session {session.session_id}: has a row and nothing in the buffer")
    return found
