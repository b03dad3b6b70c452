"""A capture of 10 min and of 1 min on the server, with fsync and row, against copying, joining and hashing them."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bench.alternative import copy_concat_hash
from bench.buffers import FilledSession, fill_buffer
from bench.figures import Report, Stopwatch
from bench.places import scratch
from lookback.access.audit import Audit
from lookback.access.principal import Principal
from lookback.buffer.layout import BufferLayout
from lookback.buffer.reader import SegmentCache, read_segments
from lookback.buffer.threads import DiskThreads
from lookback.clips.capture import CaptureService
from lookback.clips.model import CaptureWish
from lookback.clips.ports import FoundSession
from lookback.clips.quota import UserQuota
from lookback.clips.store import ClipStore
from lookback.db.audit import SqlAuditRepository
from lookback.db.clips import SqlClipRepository
from lookback.db.engine import connect, migrate
from lookback.db.erasures import SqlErasureRepository
from lookback.db.quota import SqlQuotaLedger
from lookback.db.users import SqlUserRepository

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bench.figures import Effort

WHO = Principal("bench")
MINUTE_S = 60
LENGTHS_S = {"10 min": 10 * MINUTE_S, "1 min": MINUTE_S}
_names = itertools.count()


@dataclass(frozen=True, slots=True)
class OneSession:
    """Finds the one session there is."""

    session: FoundSession

    async def find(self, who: Principal, *, session_id: str | None, room_name: str | None) -> FoundSession:
        """See SessionLookup."""
        del who, session_id, room_name
        return self.session


async def run(effort: Effort) -> Report:
    report = Report()
    with scratch() as folder:
        filled = fill_buffer(folder / "buffer", user_id=WHO.user_id)
        async with _service(folder, filled) as service:
            for name, seconds in LENGTHS_S.items():
                report.figures[name] = await _measure(service, filled, seconds, effort)
        for name, seconds in LENGTHS_S.items():  # afterwards: what it leaves for the disk to write would be in our way
            report.figures[name]["copyConcatHashMs"] = _alternative(folder, filled, seconds, effort.pick(3, 1))
    for found in report.figures.values():
        found["timesFaster"] = round(found["copyConcatHashMs"]["median"] / found["captureMs"]["median"])
    _hold_against_bars(report)
    return report


@asynccontextmanager
async def _service(folder: Path, filled: FilledSession) -> AsyncIterator[CaptureService]:
    """The real service over the real store and SQLite; only finding the session is short."""
    (folder / "clips").mkdir()
    engine = connect(f"sqlite:///{folder / 'lookback.db'}")
    await migrate(engine)
    repository, ledger = SqlClipRepository(engine), SqlQuotaLedger(engine)
    quota = UserQuota(ledger, repository, _no_limit, clock=_now_us, new_id=_new_id, holder="bench")
    record = filled.record
    found = FoundSession(record.session_id, record.room_name, None, record.user_id, filled.directory, recording=False)
    yield CaptureService(
        sessions=OneSession(found),
        repository=repository,
        store=ClipStore(folder / "clips", BufferLayout(folder / "buffer")),
        quota=quota,
        clock=_now_us,
        wait=_wait,
        new_id=_new_id,
        wake=lambda _clip_id: None,
        cache=SegmentCache(),
        audit=Audit(SqlAuditRepository(engine), _now_us),
        name_of=SqlUserRepository(engine).name_of,
        erased=SqlErasureRepository(engine).erased_since,
        threads=DiskThreads("capture", 4),
    )
    await engine.dispose()


async def _no_limit(_community_id: str | None) -> None:
    """Nobody's quota ends."""


def _new_id() -> str:
    return secrets.token_hex(10)


async def _measure(service: CaptureService, filled: FilledSession, seconds: int, effort: Effort) -> dict[str, Any]:
    """Every round saves the same range under another title, so that none is answered with the clip before."""
    warm, cold = Stopwatch(), Stopwatch()
    await _capture(service, seconds)
    for _ in range(effort.pick(60, 20)):
        with warm.lap():
            await _capture(service, seconds)
    for _ in range(effort.pick(30, 10)):
        _forget_indexes(filled.directory)
        forgetful = replace(service, cache=SegmentCache())
        with cold.lap():
            size_bytes = await _capture(forgetful, seconds)
    return {"captureMs": warm.spread, "captureWithoutAnyIndexInMemoryMs": cold.spread, "clipBytes": size_bytes}


async def _capture(service: CaptureService, seconds: int) -> int:
    wish = CaptureWish(session_id="bench", last_us=seconds * 1_000_000, title=f"Clip {next(_names)}")
    clip, created = await service.capture(WHO, wish)
    if not created or clip.delivered.duration_us != seconds * 1_000_000:
        raise AssertionError(f"this was not the capture to be measured: {clip}")
    return clip.size_bytes


def _forget_indexes(directory: Path) -> None:
    """Let the kernel drop what it holds of the index files."""
    for path in directory.glob("*.idx"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _alternative(folder: Path, filled: FilledSession, seconds: int, rounds: int) -> dict[str, float]:
    segments = [segment.media_path for segment in read_segments(filled.directory)][-seconds // 10 :]
    watch = Stopwatch()
    for _ in range(rounds):
        with watch.lap():
            copy_concat_hash(segments, folder / "joined.mp4")
        (folder / "joined.mp4").unlink()
    return watch.spread


def _hold_against_bars(report: Report) -> None:
    ten, one = report.figures["10 min"], report.figures["1 min"]
    report.at_most("10 min capture, median", ten["captureMs"]["median"], 20, "ms")
    report.at_most("10 min capture, p95", ten["captureMs"]["p95"], 40, "ms")
    report.at_least("10 min capture against copy + concat + SHA-256", ten["timesFaster"], 200, "times faster")
    report.at_most("1 min capture, median", one["captureMs"]["median"], 5, "ms")


def _now_us() -> int:
    return time.time_ns() // 1000


async def _wait(until_us: int) -> None:
    await asyncio.sleep(max(0, until_us - _now_us()) / 1_000_000)
