"""Chromium with livekit-client's defaults: simulcast, backup codecs, pauses in silence, redundant sound."""

from __future__ import annotations

import os
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.chromium import chromium
from tests.support.livekit_recorder import share_of
from tests.support.livekit_server import LivekitServer, one_livekit_server
from tests.support.supervised import now_us
from tests.support.waiting import eventually

from lookback.buffer.reader import read_segments

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from playwright.async_api import Page
    from tests.support.livekit_recorder import RoomRecorder

    from lookback.recorder.control import SessionSpec

ROOT = Path(__file__).parents[4]
CLIENT = ROOT / "web/node_modules/livekit-client/dist/livekit-client.umd.js"
SCRIPT = (ROOT / "tests/support/livekit_page.js").read_text()
FPS = 15

pytestmark = pytest.mark.skipif(
    not (Path(os.environ.get("LOOKBACK_CHROMIUM", "")).is_file() and CLIENT.is_file()),
    reason="LOOKBACK_CHROMIUM names no browser, or web/ has no livekit-client",
)


@pytest.fixture(scope="module")
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivekitServer]:
    with one_livekit_server(tmp_path_factory.mktemp("livekit"), for_browsers=True) as server:
        yield server


@asynccontextmanager
async def a_sharer(livekit: LivekitServer, session: SessionSpec, **wanted: Any) -> AsyncIterator[tuple[Page, float]]:
    """A page that shares; when its barcodes began, in Unix milliseconds."""
    began = time.time() * 1000
    more = {
        "url": livekit.url.replace("http", "ws"),
        "token": livekit.token(session.user_id, session.room_name),
        "began": began,
        "size": [640, 360],
    }
    async with chromium() as browser:
        page = await browser.new_page()
        await page.goto(livekit.url)
        await page.add_script_tag(path=CLIENT)
        await page.evaluate(SCRIPT, more | wanted)
        yield page, began


def assert_numbers_are_right(pictures: list[tuple[int, int]], began_ms: float) -> None:
    """Pictures go forward, and each was taken about when its number says; none is black or torn."""
    numbers = [number for _, number in pictures]
    assert numbers == sorted(numbers)
    late = [at_us / 1000 - began_ms - number * 1000 / FPS for at_us, number in pictures]
    assert min(late) > -150, late
    assert max(late) < 2_500, late


@pytest.mark.parametrize(("wanted", "codec"), [({}, "vp8"), ({"codec": "h264"}, "h264")])
async def test_a_page_that_shares_resizes_and_shares_again(
    livekit: LivekitServer, recorder: RoomRecorder, wanted: dict[str, Any], codec: str
) -> None:
    alice = share_of("alice", f"page-{codec}")
    async with a_sharer(livekit, alice, **wanted) as (page, began_ms):
        await recorder.record(alice)
        move = await recorder.worker.sees(alice, "recording")
        assert (move.video_codec, move.audio_codec) == (codec, "opus")
        # The top layer: a page that has only begun to share sends the lower ones first.
        await eventually(lambda: widths(recorder, alice)[-1] == 640, what="pictures of the full size")
        await recorder.reaches(alice, now_us() + 2_000_000)
        await page.evaluate("Object.assign(canvas, { width: 480, height: 300 })")
        await eventually(lambda: widths(recorder, alice)[-1] == 480, what="pictures of the new size")
        await recorder.reaches(alice, now_us() + 1_000_000)
        assert recorder.worker.moves_of(alice) == ["recording"]
        await page.evaluate(
            "room.localParticipant.unpublishTracks([...room.localParticipant.trackPublications.values()]"
            ".map(publication => publication.track))"
        )
        await recorder.worker.sees(alice, "recording", "interrupted")
        await page.evaluate("share()")
        await recorder.worker.sees(alice, "recording", "interrupted", "recording")
        await recorder.reaches(alice, now_us() + 1_000_000)
        await recorder.stop(alice)
    assert recorder.runs(alice) == 2
    assert_numbers_are_right(recorder.pictures(alice), began_ms)


def widths(recorder: RoomRecorder, session: SessionSpec) -> list[int]:
    """Widths of the segments, oldest first."""
    return [segment.index.header.width for segment in read_segments(recorder.worker.directory(session))]
