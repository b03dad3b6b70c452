"""Lists and searches of a library of 100,000 clips, on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, text
from tests.support.clip_builders import a_clip
from tests.support.postgres import a_postgres_database, a_postgres_server

from bench.figures import Report, percentile, spread
from bench.places import scratch
from lookback.clips.model import Interval, Visibility
from lookback.clips.ports import Position, Selection, Sort
from lookback.db.clip_lists import entries_of
from lookback.db.clips import SqlClipRepository, columns_of
from lookback.db.engine import connect, migrate
from lookback.db.models import ClipEntryRow, ClipRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from bench.figures import Effort
    from lookback.clips.model import Clip

CLIPS = 100_000
PAGE = 25
_BATCH = 5_000
_START_US = 1_700_000_000_000_000
_WORDS = """
deploy goes green why the cache missed bug cursor jumps interview question release demo all hands onboarding repo
standup design review backend sync pairing incident retro planning über façade naïve 会議 проект test fix login
payment search index latency graph meeting weekly customer call support ticket
""".split()  # noqa: SIM905 - a list of words is read as one
_ROOMS = ("Design review", "Backend sync", "Pairing", "All hands", *(f"room {number}" for number in range(200)))

_NARROWED: dict[str, dict[str, Any]] = {
    "a common word": {"query": "deploy"},
    "three words": {"query": "DEPLOY über 会"},
    "one clip": {"query": "99987"},
    "nothing": {"query": "nothing like it"},
    "a letter": {"query": "e"},
    "a room": {"room_name": "room 7"},
    "a tag": {"tag": "Incident"},
    "visible": {"visibility": Visibility.COMMUNITY, "query": "cursor"},
    "a month": {"query": "demo", "from_us": _START_US + 10**12, "until_us": _START_US + 3 * 10**12},
}


@dataclass(frozen=True, slots=True)
class Question:
    """One list that somebody asks for; `deep` asks for a page in the middle."""

    name: str
    wanted: Selection
    sort: Sort = Sort.NEWEST
    deep: bool = False


def _questions() -> Iterator[Question]:
    """Every order, each with nothing, with what much, little and nothing at all has, and with each filter."""
    for whose, everything in (("own", Selection(user_id="alice")), ("community", Selection(community_id="c1"))):
        for sort in Sort:
            yield Question(f"{whose} {sort}", everything, sort)
            yield Question(f"{whose} {sort}, deep", everything, sort, deep=True)
            for what, narrow in _NARROWED.items():
                yield Question(f"{whose} {sort}, {what}", replace(everything, **narrow), sort)


async def run(effort: Effort) -> Report:
    report = Report()
    with scratch() as folder:
        async with _sqlite(folder) as engine:
            report.figures["sqlite"] = await _measured(engine, effort)
        with a_postgres_server() as server:
            async with a_postgres_database(server) as engine:
                report.figures["postgresql"] = await _measured(engine, effort)
    for name, figures in report.figures.items():
        report.at_most(f"list and search among {CLIPS:,} clips, {name}, p99", figures["allMs"]["p99"], 50, "ms")
    return report


@asynccontextmanager
async def _sqlite(folder: Path) -> AsyncIterator[AsyncEngine]:
    engine = connect(f"sqlite:///{folder / 'library.db'}")
    await migrate(engine)
    yield engine
    await engine.dispose()


async def _settle(engine: AsyncEngine) -> None:
    """Do at once what PostgreSQL does by itself within a minute after so many new rows; SQLite does nothing."""
    if engine.dialect.name != "postgresql":
        return
    async with engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text("VACUUM ANALYZE"))


async def _measured(engine: AsyncEngine, effort: Effort) -> dict[str, Any]:
    """Fill, then ask every question in turn, as one user after the other would."""
    filling = perf_counter()
    await _fill(engine)
    filled = perf_counter() - filling
    await _settle(engine)
    repository, laps = SqlClipRepository(engine), dict[str, list[float]]()
    for _ in range(effort.pick(12, 3)):
        for question in _questions():
            after = _middle(question.sort) if question.deep else None
            begun = perf_counter()
            await repository.page(question.wanted, sort=question.sort, limit=PAGE, after=after)
            laps.setdefault(question.name, []).append((perf_counter() - begun) * 1000)
    every = list(itertools.chain.from_iterable(laps.values()))
    slowest = sorted(laps, key=lambda name: spread(laps[name])["median"])[-5:]
    return {
        "allMs": {**spread(every), "p99": percentile(every, 99)},
        "slowest": {name: spread(laps[name]) for name in reversed(slowest)},
        "fillSeconds": round(filled, 1),
    }


async def _fill(engine: AsyncEngine) -> None:
    """One user and one community that have all the clips: the longest lists that this many clips can make."""
    clips = _clips()
    while batch := list(itertools.islice(clips, _BATCH)):
        rows = [columns_of(clip) for clip in batch]
        entries = [entry for clip in batch for entry in entries_of(clip)]
        async with engine.begin() as connection:
            await connection.execute(insert(ClipRow), rows)
            await connection.execute(insert(ClipEntryRow), entries)


def _clips() -> Iterator[Clip]:
    chance = random.Random(1)
    for number in range(CLIPS):
        yield a_clip(
            f"{number:011x}-{chance.getrandbits(80):020x}",
            title=f"{' '.join(chance.choices(_WORDS, k=chance.randint(2, 6)))} {number}",
            room_name=chance.choice(_ROOMS),
            community_id="c1",
            user_name="Alice Cooper",
            tags=tuple(dict.fromkeys(chance.choices(_WORDS, k=chance.randint(0, 3)))),
            visibility=Visibility.COMMUNITY if chance.random() < 0.3 else Visibility.PRIVATE,
            created_at_us=_START_US + number * 100_000_000,
            delivered=Interval(0, chance.randint(1, 600) * 1_000_000),
            size_bytes=chance.randint(10**5, 10**9),
        )


def _middle(sort: Sort) -> Position:
    """Where half of the list is over."""
    half = {Sort.LONGEST: 300_000_000, Sort.LARGEST: 5 * 10**8}
    return Position(half.get(sort, _START_US + CLIPS * 50_000_000), "8")
