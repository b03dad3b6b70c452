"""Chromium as a WHIP publisher: mDNS candidates, no trickle, its own codec order."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.chromium import chromium
from tests.support.receiving import Received, Receiving, receiving
from tests.support.waiting import eventually
from tests.support.whip_server import whip_server

from lookback.media.samples import Codec, Track

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

pytestmark = pytest.mark.skipif(
    not Path(os.environ.get("LOOKBACK_CHROMIUM", "")).is_file(), reason="LOOKBACK_CHROMIUM names no browser"
)
PUBLISHER = (Path(__file__).parents[2] / "support" / "publisher.js").read_text()


@asynccontextmanager
async def a_page() -> AsyncIterator[tuple[Receiving, Page, str]]:
    """A page that may publish to the URL."""
    async with receiving() as here, whip_server(here) as url, chromium() as browser:
        page = await browser.new_page()
        await page.goto(url.removesuffix("whip"))
        yield here, page, url


async def published(here: Receiving, page: Page, **wanted: Any) -> Received:
    """Publish from the page, until media flows."""
    reply = await page.evaluate(PUBLISHER, wanted)
    assert reply["status"] == 201, reply
    await eventually(lambda: here.last.of(Track.VIDEO) and here.last.of(Track.AUDIO))
    return here.last


@pytest.mark.parametrize(("codecs", "codec"), [("h264|rtx", Codec.H264), ("vp8|rtx", Codec.VP8)])
async def test_chromium_publishes(codecs: str, codec: Codec) -> None:
    async with a_page() as (here, page, url):
        got = await published(here, page, url=url, codecs=codecs)
        await eventually(lambda: len(got.of(Track.VIDEO)) > 30)
        frames = got.of(Track.VIDEO)
        assert got.publisher.video_codec is frames[0].codec is codec
        assert frames[0].key
        assert got.publisher.receiver.stats.video.lost == 0
        await page.evaluate("pc.close()")
        await eventually(lambda: got.cause == "ended by the publisher")


async def test_chromium_prefers_h264_by_our_choice_and_answers_our_requests() -> None:
    async with a_page() as (here, page, url):
        got = await published(here, page, url=url)
        assert got.publisher.video_codec is Codec.H264
        await eventually(
            lambda: sum(frame.key for frame in got.of(Track.VIDEO)) >= 2, within=6, what="a second key frame"
        )


async def test_an_offer_of_simulcast_is_sent_as_one_stream() -> None:
    async with a_page() as (here, page, url):
        got = await published(here, page, url=url, simulcast=True, size=[1280, 720])
        await eventually(lambda: len(got.of(Track.VIDEO)) > 30)
        assert got.publisher.receiver.stats.video.restarts == 0
        assert got.publisher.receiver.stats.video.lost == 0


async def test_sound_comes_in_stereo() -> None:
    """The channel bit of Opus (RFC 6716 section 3.1): our answer asks for it."""
    async with a_page() as (here, page, url):
        got = await published(here, page, url=url)
        await eventually(lambda: any(frame.data[0] & 0x04 for frame in got.of(Track.AUDIO)), what="a stereo packet")


async def test_chromium_restarts_ice_without_losing_anything() -> None:
    async with a_page() as (here, page, url):
        got = await published(here, page, url=url)
        for _ in range(2):
            etag = got.publisher.etag
            assert await page.evaluate("restart()") == 200
            assert await page.evaluate("etag") == got.publisher.etag != etag
            await eventually(lambda: len(here.endpoint._sessions) == 1, what="checks with the new credentials")
            got.frames.clear()
            await eventually(lambda: len(got.of(Track.VIDEO)) > 10)
            assert await page.evaluate("pc.connectionState") == "connected"
        assert got.connections == 1
        assert got.publisher.receiver.stats.video.lost == 0


async def test_unsupported_codecs_are_named_to_the_page() -> None:
    async with a_page() as (_, page, url):
        reply = await page.evaluate(PUBLISHER, {"url": url, "codecs": "vp9|av1|rtx"})
        assert reply["status"] == 400
        assert "only H264 and VP8 can be recorded" in reply["body"]
