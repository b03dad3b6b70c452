"""Share, wait, press the button, watch: the main job in a browser, by the pictures that it shows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.support.people import microseconds, seconds_of
from tests.support.visitor import apart, number_at
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.visitor import Visit, Visitor

FRAME_MS = 1000 / 30


async def test_what_just_happened_is_saved_and_plays_at_once(visit: Visit) -> None:
    async with visit("saver") as page:
        await page.starts_the_demo("demo")
        await page.sees_buffered(6)
        clip = await page.saves()
        await page.seen("clip-video").wait_for()
        await eventually(lambda: page.video("clip-video", "video.readyState >= 2"), what="a picture of the clip")
        assert await page.video("clip-video", "video.duration") == pytest.approx(
            seconds_of(clip["delivered"]), abs=0.05
        )
        await page.video(
            "clip-video", "(video.pause(), new Promise(done => { video.onseeked = done; video.currentTime = 0 }))"
        )
        start_ms = microseconds(clip["delivered"]["start"]) / 1000
        assert apart(await page.number("clip-video"), number_at(start_ms)) <= 1
        toast = page.page.get_by_role("alert").filter(has_text="Clip saved")
        assert "before you pressed" in await toast.inner_text() or "were buffered" in await toast.inner_text()


async def test_live_is_about_a_second_and_a_half_behind(visit: Visit) -> None:
    async with visit("live-viewer") as page:
        await page.starts_the_demo()
        await page.sees_buffered(5)
        await eventually(lambda: _is_playing(page), what="live pictures")
        behind = [apart(number_at(time.time() * 1000), await page.number("stage")) / 30 for _ in range(20)]
        assert sorted(behind)[10] < 3.5, behind
        assert "live" in await page.seen("moment").inner_text()


async def test_any_moment_can_be_shown_to_the_frame(visit: Visit) -> None:
    async with visit("looker") as page:
        await page.starts_the_demo()
        await page.sees_buffered(9)
        await page.clicks_the_film(0.05)
        await page.button("Hold").click()
        await eventually(lambda: _shows_its_moment(page), what="the picture of the moment")
        await page.page.keyboard.press("ArrowRight")  # from here on every step counts from the one before
        await eventually(lambda: _shows_its_moment(page), what="the picture of the next moment")
        held = await page.number("stage")
        for key, frames in (("ArrowRight", 1), ("ArrowLeft", -1), ("Shift+ArrowRight", 30), ("Shift+ArrowLeft", -30)):
            await page.page.keyboard.press(key)
            held = (held + frames) & 0xFFFF
            await _comes_to_show(page, held, key)
        await page.page.keyboard.press("l")
        await eventually(lambda: _is_playing(page), what="live pictures")
        assert "live" in await page.seen("moment").inner_text()


async def test_a_dragged_selection_is_saved_as_it_is(visit: Visit) -> None:
    async with visit("selector") as page:
        await page.starts_the_demo()
        await page.sees_buffered(8)
        await page.drags_on_the_film(0.02, 0.08)
        assert await page.button("Save selection").is_visible()
        clip = await page.saves()
        assert seconds_of(clip["delivered"]) == pytest.approx(seconds_of(clip["requested"]), abs=2 * FRAME_MS / 1000)
        assert seconds_of(clip["requested"]) == pytest.approx(3.6, abs=0.3)  # 6 % of a minute


async def test_in_and_out_are_set_by_keys_and_handles_are_sliders(visit: Visit) -> None:
    async with visit("typist") as page:
        await page.starts_the_demo()
        await page.sees_buffered(8)
        await page.clicks_the_film(0.03)
        await page.page.keyboard.press("[")
        await page.clicks_the_film(0.08)
        await page.page.keyboard.press("]")
        start, end = (page.page.get_by_role("slider", name=f"Selection {side}") for side in ("begins", "ends"))
        before = float(await start.get_attribute("aria-valuenow") or -1)
        await end.press("ArrowLeft")
        await start.press("ArrowRight")
        assert float(await start.get_attribute("aria-valuenow") or -1) == pytest.approx(before + 1, abs=1)
        clip = await page.saves()
        assert seconds_of(clip["requested"]) == pytest.approx(1.0, abs=0.3)
        await page.page.keyboard.press("3")
        assert await page.button("Save last 2 min").is_visible()


async def test_what_happens_next_can_be_saved_too(visit: Visit) -> None:
    async with visit("patient") as page:
        await page.starts_the_demo()
        await page.sees_buffered(3)
        await page.page.keyboard.press("p")
        await page.seen("post-roll").wait_for()
        assert "more" in await page.seen("post-roll").inner_text()
        await page.seen("clip-video").wait_for(timeout=20_000)
        assert await page.video("clip-video", "video.duration || 0") >= 0


async def test_a_saved_clip_can_be_undone_and_brought_back(visit: Visit) -> None:
    async with visit("regretful") as page:
        await page.starts_the_demo()
        await page.sees_buffered(3)
        await page.saves()
        await page.seen("clip-player").wait_for()
        await page.button("Undo").click()
        await page.seen("clip-player").wait_for(state="detached")
        await page.button("Bring it back").click()
        await page.page.get_by_role("link", name="all clips").click()
        await page.seen("clip-card").wait_for()


async def test_stopping_keeps_the_last_minutes(visit: Visit) -> None:
    async with visit("stopper") as page:
        await page.starts_the_demo("standup")
        await page.sees_buffered(4)
        await page.button("Stop buffering").click()
        await page.sees_state("Stopped")
        assert await page.page.get_by_text("they are kept until").is_visible()
        clip = await page.saves()
        assert clip["status"] == "ready"
        await page.button("Start again").click()
        await page.starts_the_demo("standup")


async def _is_playing(page: Visitor) -> bool:
    return bool(await page.video("stage", "video.readyState >= 3 && !video.paused && video.currentTime > 0.2"))


async def _shows_its_moment(page: Visitor) -> bool:
    if not await page.video("stage", "video.readyState >= 2 && !video.seeking"):
        return False
    return apart(await page.number("stage"), number_at(await page.position_ms())) <= 1


async def _comes_to_show(page: Visitor, number: int, why: str) -> None:
    async def shows() -> bool:
        return await page.number("stage") == number

    await eventually(shows, what=f"frame {number} after {why}")
