"""A LiveKit room in the page: join, share, keep, save; everybody there can see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.accessibility import violations
from tests.support.chromium import chromium
from tests.support.installation import an_installation
from tests.support.livekit_server import a_livekit_server
from tests.support.livekit_settings import livekit_settings
from tests.support.visitor import Visitor
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.visitor import Visit

_SCREEN = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


async def test_a_share_in_a_room_is_kept_and_saved(tmp_path: Path, artifacts: Path) -> None:
    async with (
        a_livekit_server(tmp_path / "livekit", for_browsers=True) as livekit,
        an_installation(tmp_path / "home", **livekit_settings(livekit, LOOKBACK_LIVEKIT_JOIN="true")) as server,
        chromium(*_SCREEN) as browser,
    ):
        sharer = Visitor(await browser.new_page(), server.url)
        await sharer.opens(f"/?token={server.token('sharer')}")
        await _joins(sharer, "design")
        await sharer.sees("Only you are here")
        await sharer.button("Share my screen").click()
        await eventually(lambda: sharer.video("screen", "video.videoWidth > 0"), what="the own screen")
        await sharer.button("Start a buffer").click()
        await sharer.sees_state("Buffering")

        viewer = Visitor(await (await browser.new_context()).new_page(), server.url)
        await viewer.opens(f"/?token={server.token('viewer')}")
        await _joins(viewer, "design")
        await viewer.sees_state("Buffering")
        await viewer.sees("LiveKit shows everybody in the room that it is recorded.")
        await eventually(lambda: viewer.video("screen", "video.videoWidth > 0"), what="the other's screen")

        async with server.person("sharer") as person:
            session = await person.session_in("design")
            assert session is not None
            await person.sees_buffered(session, 4)
        async with sharer.page.expect_response(lambda r: r.url.endswith("/capture")) as saved:
            await sharer.page.keyboard.press("s")
        clip = await (await saved.value).json()
        assert clip["contentType"] == "video/mp4"
        assert clip["video"]["codec"] == "h264"
        await sharer.page.screenshot(path=artifacts / "room-light.png")
        assert await violations(sharer.page) == []
        await sharer.button("Play").click()
        await eventually(lambda: sharer.video("clip-video", "video.videoWidth > 300"), what="the clip")

        await sharer.button("Back to the room").click()
        await sharer.button("Stop sharing").click()
        await sharer.sees("Nobody is sharing a screen here yet.")
        assert sharer.mishaps == []
        assert viewer.mishaps == []


async def test_a_server_without_livekit_offers_no_room(visit: Visit) -> None:
    async with visit("plain") as page:
        await page.page.get_by_role("heading", name="Nobody is sharing yet").wait_for()
        assert await page.link("Room").count() == 0
        await page.opens("/#/room")
        await page.button("Join").click()
        await page.page.get_by_role("alert").wait_for()


async def _joins(page: Visitor, room: str) -> None:
    await page.link("Room").click()
    await page.page.get_by_label("Room").fill(room)
    await page.button("Join").click()
    await page.page.get_by_role("heading", name=room).wait_for()
