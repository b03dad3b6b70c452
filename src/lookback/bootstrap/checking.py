"""`lookback check`: compare buffer, clips and rows with each other, and mend what can be mended.

1. Only one process mends: the server when it starts, or this while no server runs, under the server's lock.
2. Beside a running server things are in motion: what is young is passed over, and what is found is looked for again.
3. What would delete more than half of what there is is left alone, unless somebody says yes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lookback.access.audit import Audit
from lookback.access.known_users import KnownUsers
from lookback.bootstrap.parts import buffer_layout, clock_us, prepare_folders, tokens_of
from lookback.bootstrap.people import people
from lookback.bootstrap.roots import kept_roots
from lookback.bootstrap.running_server import RunningServer
from lookback.buffer.findings import Inspection, Kind, Mend, too_much
from lookback.buffer.reader import SegmentCache
from lookback.clips.recovery import Recovery
from lookback.clips.store import ClipStore
from lookback.db.audit import SqlAuditRepository
from lookback.db.clips import SqlClipRepository
from lookback.db.engine import open_database
from lookback.db.quota import SqlQuotaLedger
from lookback.db.sessions import SqlSessionRepository
from lookback.db.users import SqlUserRepository
from lookback.errors import SettingsError, StorageUnavailableError
from lookback.home import only_server, server_runs
from lookback.sessions.buffers import SessionBuffers
from lookback.sessions.inspection import SessionInspector
from lookback.sessions.moves import Moves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.buffer.findings import Finding, Population
    from lookback.settings import Settings

LEFTOVER_PROBE = Kind(
    "leftover-probe", "file", "a disk was tried with it, and it is left behind", Mend.DELETE, "deletes it"
)
Pause = Callable[[], Awaitable[None]]

_SETTLED_US = 60_000_000  # nothing that is being written stands still for so long
_AGAIN_SECONDS = 3.0
_ROUNDS = 3  # what is mended may show what was hidden behind it


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. `sure`: also what would delete more than half. `recount`: set users' sums right, whatever."""

    repair: bool = False
    deep: bool = False
    sure: bool = False
    recount: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What was found and `mended`, what is `left`, and of how many. `refused`: why a kind was not mended, by code."""

    mended: tuple[Finding, ...] = ()
    left: tuple[Finding, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    looked_at: Mapping[Population, int] = field(default_factory=dict)


async def _a_moment() -> None:
    await asyncio.sleep(_AGAIN_SECONDS)


async def check(settings: Settings, wish: Wish, pause: Pause = _a_moment) -> Report:
    """Check an installation. Raises SettingsError, StorageUnavailableError or DiskFullError when that cannot be done.

    `pause` is how long something may be in motion beside a running server.
    """
    prepare_folders(settings)
    beside = server_runs(settings.home) or await RunningServer.of(settings).answers()
    if wish.repair and beside:
        raise SettingsError(
            "A server runs: stop it first. `lookback check --repair` could take for rubbish what is in the making."
        )
    with _alone(settings, wish):
        engine = await open_database(settings.database)
        try:
            parts = _parts(settings, engine, _is_old if beside else _always)
            return await _check(parts, wish, pause if beside else None)
        except OSError as error:
            raise StorageUnavailableError("The storage does not answer") from error
        finally:
            await engine.dispose()


async def _check(parts: _Parts, wish: Wish, pause: Pause | None) -> Report:
    if wish.recount:
        await parts.recovery.recount()
    first = await parts.look(Inspection(deep=wish.deep))
    if wish.repair:
        return await _repair(parts, wish, first)
    left = first.found if pause is None or not first.found else await _what_stays(parts, first, pause)
    return Report((), tuple(left), {}, first.population)


@contextmanager
def _alone(settings: Settings, wish: Wish) -> Iterator[None]:
    """While something is mended no server starts."""
    if wish.repair:
        with only_server(settings.home):
            yield
    else:
        yield


# ---- looking


@dataclass(frozen=True, slots=True)
class _Parts:
    recovery: Recovery
    sessions: SessionInspector
    roots: tuple[Path, ...]
    settled: Callable[[Path], bool]

    async def look(self, inspection: Inspection) -> Inspection:
        await asyncio.to_thread(self._look_for_probes, inspection)
        await self.sessions.inspect(inspection)
        await self.recovery.inspect(inspection)
        return inspection

    def _look_for_probes(self, at: Inspection) -> None:
        for probe in (path for root in self.roots for path in sorted(root.glob(".probe-*"))):
            if self.settled(probe) and at.mends(LEFTOVER_PROBE, probe.name):
                probe.unlink(missing_ok=True)


def _parts(settings: Settings, engine: AsyncEngine, settled: Callable[[Path], bool]) -> _Parts:
    layout, rows = buffer_layout(settings), SqlSessionRepository(engine)
    audit = Audit(SqlAuditRepository(engine), clock_us)
    known = KnownUsers(tokens_of(settings), SqlUserRepository(engine), clock_us)
    store = ClipStore(settings.storage_path, layout, identity=kept_roots(settings.home).storage)
    return _Parts(
        Recovery(SqlClipRepository(engine), SqlQuotaLedger(engine), store, layout, settled=settled),
        SessionInspector(
            layout,
            rows,
            SessionBuffers(layout, SegmentCache()),
            Moves(rows, clock_us, audit),
            people(settings, engine, known, audit, None).communities,
            clock_us,
            settled,
        ),
        (settings.home, settings.buffer_path, settings.storage_path),
        settled,
    )


async def _what_stays(parts: _Parts, first: Inspection, pause: Pause) -> list[Finding]:
    """What is still found a moment later: the rest was in motion."""
    await pause()
    again = await parts.look(Inspection(deep=first.deep))
    seen = {(finding.kind, finding.subject) for finding in first.found}
    return [finding for finding in again.found if (finding.kind, finding.subject) in seen]


def _always(_path: Path) -> bool:
    return True


def _is_old(path: Path) -> bool:
    """Whether neither the path nor what is in it has changed for a while."""
    try:
        newest: int = max(p.stat().st_mtime_ns for p in (path, *(path.iterdir() if path.is_dir() else ())))
    except FileNotFoundError:
        return False
    return newest // 1000 < clock_us() - _SETTLED_US


# ---- mending


async def _repair(parts: _Parts, wish: Wish, first: Inspection) -> Report:
    refused = {} if wish.sure else too_much(first.found, first.population)
    mended: dict[tuple[str, str, str], Finding] = {}
    at = first
    for _ in range(_ROUNDS):
        if not any(f.of.mend is not Mend.NOTHING and f.kind not in refused for f in at.found):
            break
        tried = await parts.look(Inspection(repair=True, deep=wish.deep, spared=refused))
        for finding in (*at.found, *tried.found):
            mended[finding.kind, finding.subject, finding.detail] = finding
        at = await parts.look(Inspection(deep=wish.deep))
        refused |= {} if wish.sure else too_much(at.found, at.population)
    left = {(finding.kind, finding.subject) for finding in at.found}
    done = tuple(finding for finding in mended.values() if (finding.kind, finding.subject) not in left)
    return Report(done, tuple(at.found), refused, at.population)
