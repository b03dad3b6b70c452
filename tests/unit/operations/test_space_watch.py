from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from tests.support.session_rows import START_US
from tests.support.swept import FLOOR, SECOND, SweptHouse, a_swept_house

from lookback.access.audit import Action, Selection
from lookback.errors import DiskFullError
from lookback.operations.space import Step
from lookback.recorder.control import HoldSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lookback.operations.space_watch import SpaceWatch


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[SweptHouse]:
    async with a_swept_house(tmp_path) as house:
        house.now_us = START_US + 100 * SECOND
        yield house


async def looks(house: SweptHouse, watch: SpaceWatch, seconds: int = 1) -> None:
    for _ in range(seconds):
        await watch.look()
        house.now_us += SECOND


def held(house: SweptHouse) -> dict[str, bool]:
    """What the recorder was told last of each session."""
    return {r.session_id: r.held for r in house.recorder.asked if isinstance(r, HoldSession)}


async def test_with_room_enough_everything_is_allowed(house: SweptHouse) -> None:
    watch, space = house.watch()
    await looks(house, watch)
    space.require_session()
    space.require_rendition()
    space.require_capture(10**12)
    space.require_file(9 * FLOOR)
    with pytest.raises(DiskFullError):
        space.require_file(9 * FLOOR + 1)


async def test_on_the_way_up_renditions_are_refused_first_then_large_clips(house: SweptHouse) -> None:
    watch, space = house.watch()
    house.free_bytes["clips"] = 2 * FLOOR - 1
    await looks(house, watch)
    with pytest.raises(DiskFullError, match="nothing is converted"):
        space.require_rendition()
    space.require_capture(10**12)
    house.free_bytes["clips"] = FLOOR
    await looks(house, watch)
    space.require_capture(FLOOR // 8)
    with pytest.raises(DiskFullError, match="only small clips") as refusal:
        space.require_capture(FLOOR // 8 + 1)
    assert refusal.value.facts == {"retryAfter": 30, "limitBytes": FLOOR // 8, "neededBytes": FLOOR // 8 + 1}
    space.require_session()


async def test_a_full_disk_of_clips_shortens_no_buffer(house: SweptHouse) -> None:
    row = await house.has("s1")
    watch, space = house.watch()
    house.free_bytes["clips"] = 0
    await looks(house, watch, 10)
    assert space.step is Step.SMALL_CAPTURES
    assert len(house.segments(row)) == 5
    space.require_session()


async def test_one_disk_for_both_has_one_ladder(house: SweptHouse) -> None:
    house.devices["clips"] = house.devices["buffer"]
    house.free_bytes = {"buffer": FLOOR // 4, "clips": FLOOR // 4}
    watch, space = house.watch()
    await looks(house, watch)
    assert space.storage.ladder == space.buffer.ladder
    assert space.step is Step.SHORTER_WINDOWS


async def test_below_the_floor_the_oldest_goes_until_it_is_free(house: SweptHouse) -> None:
    rows = [await house.has("old"), await house.has("new", at_s=20)]
    first = house.segments(rows[0])[0]
    house.free_bytes["buffer"] = round(1.1 * FLOOR) - first.size_bytes
    watch, space = house.watch()
    await looks(house, watch)
    assert space.step < Step.SHORTER_WINDOWS
    assert len(house.segments(rows[0])) == 5
    house.free_bytes["buffer"] = FLOOR - 1
    await looks(house, watch)
    assert space.step is Step.SHORTER_WINDOWS
    assert len(house.segments(rows[0])) < 5
    assert len(house.segments(rows[1])) == 5
    assert house.windows.shortened.keys() == {"old"}


async def test_when_nothing_can_be_shortened_the_newest_pauses_then_the_next_and_all_go_on_by_themselves(
    house: SweptHouse,
) -> None:
    for number, name in enumerate(("first", "second", "third")):
        await house.has(name, seconds=2, at_s=90 + number)
    house.free_bytes["buffer"] = 0
    watch, space = house.watch()
    await looks(house, watch, 2)
    assert space.step is Step.FEWER_SESSIONS
    assert held(house) == {"first": False, "second": False, "third": True}
    with pytest.raises(DiskFullError, match="no new replay buffer") as refusal:
        space.require_session()
    assert refusal.value.facts == {"retryAfter": 30}
    await looks(house, watch, 5)
    assert held(house) == {"first": False, "second": True, "third": True}
    assert watch.held == {"third", "second"}
    house.free_bytes["buffer"] = 10 * FLOOR
    await looks(house, watch, 5)
    assert held(house) == dict.fromkeys(("first", "second", "third"), False)
    assert (space.step, watch.held) == (Step.CALM, set())
    space.require_session()


async def test_sessions_pause_no_further_once_it_helps(house: SweptHouse) -> None:
    for number in range(3):
        await house.has(f"s{number}", seconds=2, at_s=90 + number)
    house.free_bytes["buffer"] = 0
    watch, _ = house.watch()
    await looks(house, watch, 2)
    house.free_bytes["buffer"] = FLOOR * 3 // 4
    await looks(house, watch, 20)
    assert watch.held == {"s2"}


async def test_a_recorder_that_was_away_is_told_again(house: SweptHouse) -> None:
    await house.has("s1", seconds=2, at_s=90)
    house.free_bytes["buffer"] = 0
    watch, _ = house.watch()
    await looks(house, watch, 2)
    house.recorder.asked.clear()
    await looks(house, watch, 6)
    assert held(house) == {"s1": True}
    house.recorder.connected = False
    house.free_bytes["buffer"] = 10 * FLOOR
    await looks(house, watch, 6)
    assert watch.held == {"s1"}
    house.recorder.connected = True
    await looks(house, watch)
    assert (held(house), watch.held) == ({"s1": False}, set())


async def test_what_a_server_before_us_has_paused_goes_on(house: SweptHouse) -> None:
    await house.has("s1", seconds=2)
    watch, _ = house.watch()
    await looks(house, watch, 3)
    assert [r.kind for r in house.recorder.asked] == ["hold"], "once is enough"
    assert held(house) == {"s1": False}


async def test_every_change_is_in_the_log_and_in_the_trail(house: SweptHouse) -> None:
    watch, _ = house.watch()
    with capture_logs() as logs:
        for free in (10 * FLOOR, FLOOR, 10 * FLOOR):
            house.free_bytes["buffer"] = free
            await looks(house, watch, 5)
    told = [(entry["was"], entry["to"]) for entry in logs if entry["event"] == "space.changed"]
    assert told == [("calm", "small-captures"), ("small-captures", "calm")]
    entries = [entry async for entry in house.entries.all(Selection(action=Action.SPACE_CHANGED))]
    assert [(entry.facts["from"], entry.facts["to"]) for entry in entries] == told
    assert entries[0].facts["freeBytes"] == FLOOR


async def test_a_disk_that_is_away_changes_nothing(house: SweptHouse) -> None:
    watch, space = house.watch()
    await looks(house, watch)
    del house.free_bytes["buffer"]
    with capture_logs() as logs:
        await looks(house, watch, 3)
    assert space.step is Step.CALM
    assert [entry["event"] for entry in logs] == ["space.not_known"], "said once"
