"""Sharing from the page itself: getDisplayMedia, WHIP, ICE restart, and the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.visitor import Visit, Visitor

# A browser without an H.264 encoder.
_WITHOUT_H264 = """
const all = RTCRtpSender.getCapabilities;
RTCRtpSender.getCapabilities = (kind) => {
  const found = all.call(RTCRtpSender, kind);
  return { ...found, codecs: found.codecs.filter((codec) => !/h264/i.test(codec.mimeType)) };
};
"""


async def test_a_shared_screen_is_buffered_as_h264_and_saved(visit: Visit) -> None:
    async with visit("sharer") as page:
        await _shares(page, "pairing")
        await eventually(lambda: _facts_say(page, "H.264"), what="H.264")
        await page.sees_buffered(4)
        clip = await page.saves()
        assert clip["contentType"] == "video/mp4"
        await eventually(lambda: page.video("clip-video", "video.videoWidth > 300"), what="the clip's picture")
        await page.page.keyboard.press("l")
        await eventually(lambda: page.video("stage", "video.currentTime > 0.2"), what="the live picture")
        async with page.page.expect_response(lambda r: r.request.method == "DELETE") as ended:
            await page.button("Stop sharing").click()
        assert (await ended.value).status == 200
        await page.sees_state("Stopped")


async def test_without_h264_the_share_is_vp8(visit: Visit) -> None:
    async with visit("vp8-browser") as page:
        await page.page.add_init_script(_WITHOUT_H264)
        await page.page.reload()
        await _shares(page, "pairing")
        await eventually(lambda: _facts_say(page, "VP8"), what="VP8")
        await page.sees_buffered(4)
        await eventually(lambda: page.video("stage", "video.videoWidth > 300"), what="the live picture")
        clip = await page.saves()
        assert clip["contentType"] == "video/webm"


async def test_a_change_of_network_restarts_ice_and_recording_goes_on(visit: Visit) -> None:
    async with visit("traveller") as page:
        await _shares(page, "train")
        await page.sees_buffered(2)
        async with page.page.expect_response(lambda r: r.request.method == "PATCH") as restarted:
            await page.page.evaluate("dispatchEvent(new Event('online'))")
        assert (await restarted.value).status == 200
        await page.sees_buffered(7)
        await page.sees_state("Buffering")
        assert "gap" not in await page.seen("facts").inner_text()


async def test_a_share_that_the_browser_ends_is_ended_here_too(visit: Visit) -> None:
    async with visit("closer") as page:
        # What the browser's own "Stop sharing" bar does: the track ends without the page's doing.
        await page.page.add_init_script(
            "const ask = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);"
            "navigator.mediaDevices.getDisplayMedia = async (o) => (window.screenShared = await ask(o));"
        )
        await page.page.reload()
        await _shares(page, "pairing")
        await page.sees_buffered(2)
        await page.page.evaluate("window.screenShared.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
        await page.sees_state("Stopped")


async def _shares(page: Visitor, room: str) -> None:
    await page.page.get_by_label("Room").fill(room)
    await page.button("Share my screen").click()
    await page.sees_state("Buffering")


async def _facts_say(page: Visitor, text: str) -> bool:
    return text in await page.seen("facts").inner_text()
