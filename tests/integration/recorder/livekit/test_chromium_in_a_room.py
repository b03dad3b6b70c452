"""Chromium with livekit-client's defaults: simulcast, backup codecs, pauses in silence, redundant sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.support.livekit_browser import NO_BROWSER, a_browser_sharing, can_browse
from tests.support.livekit_recorder import share_of
from tests.support.livekit_server import LivekitServer, one_livekit_server
from tests.support.supervised import now_us
from tests.support.waiting import eventually

from lookback.buffer.reader import read_segments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.livekit_recorder import RoomRecorder

    from lookback.recorder.control import SessionSpec

pytestmark = pytest.mark.skipif(not can_browse(), reason=NO_BROWSER)


@pytest.fixture(scope="module")
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivekitServer]:
    with one_livekit_server(tmp_path_factory.mktemp("livekit"), for_browsers=True) as server:
        yield server


def assert_numbers_are_right(pictures: list[tuple[int, int]], began_us: int) -> None:
    """Pictures go forward, and each was taken about when its number says; none is black or torn."""
    numbers = [number for _, number in pictures]
    assert numbers == sorted(numbers)
    late = [at_us - began_us - number * 10_000 for at_us, number in pictures]
    assert min(late) > -150_000, late
    assert max(late) < 2_500_000, late


@pytest.mark.parametrize(("publish", "codec"), [({}, "vp8"), ({"videoCodec": "h264"}, "h264")])
async def test_a_page_that_shares_resizes_and_shares_again(
    livekit: LivekitServer, recorder: RoomRecorder, publish: dict[str, Any], codec: str
) -> None:
    alice = share_of("alice", f"page-{codec}")
    async with a_browser_sharing(livekit, alice.room_name, "alice", publish=publish) as sharer:
        await recorder.record(alice)
        move = await recorder.worker.sees(alice, "recording")
        assert (move.video_codec, move.audio_codec) == (codec, "opus")
        # The top layer: a page that has only begun to share sends the lower ones first.
        await eventually(lambda: widths(recorder, alice)[-1] == 640, what="pictures of the full size")
        await recorder.reaches(alice, now_us() + 2_000_000)
        await sharer.resize(480, 300)
        await eventually(lambda: widths(recorder, alice)[-1] == 480, what="pictures of the new size")
        await recorder.reaches(alice, now_us() + 1_000_000)
        assert recorder.worker.moves_of(alice) == ["recording"]
        await sharer.take_back()
        await recorder.worker.sees(alice, "recording", "interrupted")
        await sharer.share()
        await recorder.worker.sees(alice, "recording", "interrupted", "recording")
        await recorder.reaches(alice, now_us() + 1_000_000)
        await recorder.stop(alice)
    assert recorder.runs(alice) == 2
    assert_numbers_are_right(recorder.pictures(alice), sharer.began_us)


def widths(recorder: RoomRecorder, session: SessionSpec) -> list[int]:
    """Widths of the segments, oldest first."""
    return [segment.index.header.width for segment in read_segments(recorder.worker.directory(session))]
