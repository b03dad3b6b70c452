"""What is looked at for the metrics, in a real database and on a real disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
