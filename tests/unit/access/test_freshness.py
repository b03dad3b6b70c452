from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from lookback.access.freshness import Remembered


@dataclass(slots=True)
class Table:
    """What is read, how often, and a clock. While `open_` is not set a reader waits after having read."""

    values: dict[str, int] = field(default_factory=dict)
    reads: int = 0
    now_us: int = 0
    open_: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, key: str) -> int:
        self.reads += 1
        value = self.values.get(key, 0)
        await self.open_.wait()
        return value

    def remembered(self) -> Remembered[str, int]:
        return Remembered(self.read, lambda: self.now_us)


@pytest.fixture
def table() -> Table:
    table = Table()
    table.open_.set()
    return table


async def test_what_was_read_is_not_read_again_for_five_seconds(table: Table) -> None:
    known = table.remembered()
    assert [await known.get("a"), await known.get("a"), await known.get("b")] == [0, 0, 0]
    assert table.reads == 2
    table.values["a"], table.now_us = 1, 4_999_999
    assert await known.get("a") == 0
    table.now_us = 5_000_000
    assert await known.get("a") == 1


async def test_a_clock_that_was_set_back_remembers_nothing_for_long(table: Table) -> None:
    table.now_us = 10**15
    known = table.remembered()
    await known.get("a")
    table.values["a"], table.now_us = 1, 0
    assert await known.get("a") == 1


async def test_what_was_changed_is_read_at_once(table: Table) -> None:
    known = table.remembered()
    await known.get("a")
    table.values["a"] = 1
    known.forget()
    assert await known.get("a") == 1


async def test_what_was_read_before_a_change_is_not_remembered_after_it(table: Table) -> None:
    known = table.remembered()
    table.open_.clear()
    reading = asyncio.create_task(known.get("a"))
    await asyncio.sleep(0)
    table.values["a"] = 1
    known.forget()
    table.open_.set()
    assert await reading == 0
    assert await known.get("a") == 1


async def test_the_oldest_are_forgotten_first(table: Table) -> None:
    known = table.remembered()
    for number in range(10_001):
        await known.get(str(number))
    await known.get("1")
    assert table.reads == 10_001
    await known.get("0")
    assert table.reads == 10_002
