"""What `lookback sweep` does and prints: what goes, or would go, by session and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lookback.access.audit import Audit
from lookback.access.known_users import KnownUsers
from lookback.api import space_wire
from lookback.bootstrap.parts import clock_us, prepare_folders, tokens_of
from lookback.bootstrap.people import people
from lookback.bootstrap.running_server import RunningServer
from lookback.bootstrap.space import sweeper_of
from lookback.buffer.layout import BufferLayout
from lookback.buffer.reader import SegmentCache
from lookback.cli.usage import human_bytes
from lookback.db.audit import SqlAuditRepository
from lookback.db.engine import open_database
from lookback.db.sessions import SqlSessionRepository
from lookback.db.users import SqlUserRepository
from lookback.errors import SettingsError
from lookback.home import only_server
from lookback.sessions.buffers import SessionBuffers
from lookback.sessions.moves import Moves

if TYPE_CHECKING:
    from lookback.settings import Settings


async def sweep_lines(settings: Settings, *, dry_run: bool, free_bytes: int) -> list[str]:
    """Sweep and return what to tell the user; raises SettingsError.

    Only one process sweeps a buffer: it alone knows who looks at what. So the server does it where one runs.
    """
    prepare_folders(settings)
    try:
        with only_server(settings.home):
            answer = await _sweep(settings, dry_run=dry_run, free_bytes=free_bytes)
    except SettingsError:
        body = {"dryRun": dry_run, "freeBytes": free_bytes}
        answer = await RunningServer.of(settings).post("/admin/cleanup", body)
    return _lines(answer)


async def _sweep(settings: Settings, *, dry_run: bool, free_bytes: int) -> dict[str, Any]:
    engine = await open_database(settings.database)
    try:
        rows, audit = SqlSessionRepository(engine), Audit(SqlAuditRepository(engine), clock_us)
        known = KnownUsers(tokens_of(settings), SqlUserRepository(engine), clock_us)
        communities = people(settings, engine, known, audit, None).communities
        buffers = SessionBuffers(BufferLayout(settings.buffer_path), SegmentCache())
        sweeper = sweeper_of(settings, rows, buffers, Moves(rows, clock_us, audit), communities)
        swept = await (sweeper.preview(free_bytes) if dry_run else sweeper.sweep_fully(free_bytes))
    finally:
        await engine.dispose()
    return space_wire.cleanup(swept, dry_run=dry_run).model_dump(by_alias=True)


def _lines(answer: dict[str, Any]) -> list[str]:
    lines = [
        f"{item['roomName']}, {item['userId']}: {item['segments']} segments, {human_bytes(item['sizeBytes'])}, "
        f"by {item['reason']} (session {item['sessionId']})"
        for item in answer["items"]
    ]
    done = "would go" if answer["dryRun"] else "went"
    lines.append(f"{answer['segments']} segments {done}, {human_bytes(answer['sizeBytes'])}.")
    if answer["missingBytes"]:
        lines.append(f"{human_bytes(answer['missingBytes'])} of what was asked for cannot be freed.")
    return lines
