from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from tests.support.session_rows import START_US
from tests.support.swept import SECOND, SweptHouse, a_swept_house

from lookback.access.communities import CommunityConfig
from lookback.buffer.leases import Lease
from lookback.buffer.retention import Limits, Reason
from lookback.sessions.model import SessionState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[SweptHouse]:
    async with a_swept_house(tmp_path) as house:
        yield house


async def test_a_full_sweep_says_what_it_does_and_what_it_did(house: SweptHouse) -> None:
    row = await house.has("s1", seconds=10)
    house.now_us = START_US + 725 * SECOND
    with capture_logs() as logs:
        swept = await house.sweeper().sweep_fully()
    said = [entry for entry in logs if entry["event"] in {"Running cleanup", "Cleaned up"}]
    assert [entry["event"] for entry in said] == ["Running cleanup", "Cleaned up"]
    assert said[1]["reasons"] == {"age": swept.segments}
    assert (said[1]["segments"], said[1]["size_bytes"], said[1]["sessions"]) == (swept.segments, swept.size_bytes, 1)
    assert swept.segments > 0
    assert swept.size_bytes > 0
    assert 0 < len(house.segments(row)) < 5


async def test_a_preview_says_what_would_go_and_takes_nothing(house: SweptHouse) -> None:
    row = await house.has("s1", seconds=10)
    house.now_us = START_US + 725 * SECOND
    sweeper, before = house.sweeper(), len(house.segments(row))
    found = await sweeper.preview()
    assert len(house.segments(row)) == before
    swept = await sweeper.sweep()
    assert (found.taken, found.segments) == (swept.taken, before - len(house.segments(row)))
    assert sweeper.evicted == {"age": swept.segments}
    assert sweeper.evicted_bytes == {"age": swept.size_bytes}


async def test_it_is_quick_every_ten_seconds_and_full_every_five_minutes(house: SweptHouse) -> None:
    sweeper, fully = house.sweeper(), []
    for second in range(0, 601, 5):
        house.now_us = START_US + second * SECOND
        with capture_logs() as logs:
            await sweeper.when_due(house.now_us)
        fully += [second for entry in logs if entry["event"] == "Cleaned up"]
    assert fully == [0, 300, 600]


async def test_more_than_age_says_why_the_window_is_short_until_it_has_grown_again(tmp_path: Path) -> None:
    async with a_swept_house(tmp_path) as house:
        house.communities.configs["c1"] = CommunityConfig(window_minutes=0.1)
        row = await house.has("s1", seconds=10, community_id="c1")
        size = sum(segment.size_bytes for segment in house.segments(row))
        house.now_us, house.limits = START_US + 10 * SECOND, Limits(session_bytes=size // 2)
        swept = await house.sweeper().sweep()
        assert {taken.reason for taken in swept.taken} == {Reason.SESSION}
        assert house.windows.shortened == {"s1": Reason.SESSION}
        assert house.windows.shortest_us is not None
        assert 0 < house.windows.shortest_us < 6 * SECOND
        house.now_us, house.limits = START_US + 30 * SECOND, Limits()
        await house.sweeper().sweep()
        assert house.windows.shortened == {}
        assert house.windows.shortest_us is None


async def test_what_is_beyond_the_promise_shortens_nobodys_window(house: SweptHouse) -> None:
    house.communities.configs["c1"] = CommunityConfig(window_minutes=0.1)
    row = await house.has("s1", seconds=10, community_id="c1")
    newest = house.segments(row)[-2:]
    house.limits = Limits(session_bytes=sum(segment.size_bytes for segment in newest))
    house.now_us = START_US + 60 * SECOND
    assert (await house.sweeper().sweep()).segments > 0
    assert house.windows.shortened == {}


async def test_bytes_that_are_needed_come_from_the_oldest_of_all(house: SweptHouse) -> None:
    old, new = await house.has("old", seconds=10), await house.has("new", seconds=10, at_s=100)
    house.now_us = START_US + 150 * SECOND
    swept = await house.sweeper().sweep(house.segments(old)[0].size_bytes + 1)
    assert [(taken.session.session_id, taken.reason, taken.segments) for taken in swept.taken] == [
        ("old", Reason.SPACE, 2)
    ]
    assert len(house.segments(new)) == 5
    assert swept.missing_bytes == 0
    everything = await house.sweeper().sweep(10**9)
    assert everything.missing_bytes > 0
    assert [len(house.segments(row)) for row in (old, new)] == [1, 1], "what is being written stays"


async def test_what_somebody_looks_at_stays(house: SweptHouse) -> None:
    row = await house.has("s1", seconds=10)
    first = house.segments(row)[0]
    house.now_us = START_US + 1000 * SECOND
    lease = Lease(first.extent.start_us, first.extent.end_us, house.now_us + SECOND)
    house.leases.take(house.directory(row), lease, house.now_us)
    sweeper = house.sweeper()
    await sweeper.sweep()
    assert [segment.number for segment in house.segments(row)] == [1, 5]
    house.now_us += SECOND
    await sweeper.sweep()
    assert [segment.number for segment in house.segments(row)] == [5]


async def test_a_session_that_has_lost_everything_expires(house: SweptHouse) -> None:
    row = await house.has("s1", state=SessionState.DRAINING, drains_at_us=START_US + 10**12)
    house.now_us = START_US + 100 * SECOND
    await house.sweeper().sweep(10**9)
    assert await house.state("s1") is SessionState.EXPIRED
    assert not house.directory(row).exists()


async def test_a_directory_that_is_away_stops_nobody(house: SweptHouse) -> None:
    away, here = await house.has("away"), await house.has("here")
    house.directory(away).rename(house.layout.root.with_name("elsewhere"))
    house.now_us = START_US + 1000 * SECOND
    with capture_logs() as logs:
        await house.sweeper().sweep()
    assert len(house.segments(here)) == 1
    assert [entry["session"] for entry in logs if entry["event"] == "buffer.not_swept"] == ["away"]
