"""What is looked at for the metrics, in a real database and on a real disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.support.waiting import eventually

from lookback.db.engine import connect, migrate
from lookback.db.figures import SqlFigures
from lookback.operations.figures import FigureWatch, Stored

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


async def test_an_installation_with_nothing_in_it(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'lookback.db'}")
    await migrate(engine)

    async def checks() -> Mapping[str, bool]:
        return {"database": True}

    try:
        watch = FigureWatch(checks, SqlFigures(engine, 100, lambda: 1), {"buffer": tmp_path, "storage": tmp_path / "x"})
        found = await watch.look()
    finally:
        await engine.dispose()
    assert found.stored == Stored(0, 0, 0, 0, 0, 0)
    assert found.rooms.keys() == {"buffer"}, "what is away has no size"
    assert 0 < found.rooms["buffer"].free_bytes <= found.rooms["buffer"].total_bytes
    assert watch.latest.stored is None, "only what runs tells"


async def test_what_is_known_for_too_long_is_not_told(tmp_path: Path) -> None:
    now_s = 100.0
    looking = asyncio.Event()

    async def checks() -> Mapping[str, bool]:
        if looking.is_set():
            await asyncio.Event().wait()  # hangs from the second look on
        looking.set()
        return {"database": False}

    engine = connect(f"sqlite:///{tmp_path / 'lookback.db'}")
    watch = FigureWatch(checks, SqlFigures(engine, 100, lambda: 1), {}, every_s=0.001, now_s=lambda: now_s)
    task = asyncio.create_task(watch.run())
    try:
        await eventually(lambda: watch.latest.healthy == {"database": False}, what="the first look")
        now_s += 1
        assert watch.latest.healthy == {}
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await engine.dispose()
