"""A publisher's frames on the wall clock, when somebody sets that clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.encoded_clip import encoded_clip
from tests.support.media import frame_data
from tests.support.scripted_source import START_US, a_run
from tests.support.sender_sdp import offer
from tests.support.whip_sender import WhipSender

from lookback.buffer.reader import read_segments, summary
from lookback.media.samples import Codec, EncodedFrame
from lookback.recorder.endpoint import Endpoint
from lookback.recorder.whip_source import WhipSource

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CLIP = encoded_clip()
HOUR_US = 3_600_000_000


@pytest.fixture
async def source() -> AsyncIterator[WhipSource]:
    async with Endpoint(("127.0.0.1",)) as endpoint:
        made = WhipSource(endpoint, offer(WhipSender(CLIP)), lambda: START_US)
        yield made
        await made.discard()


def send(source: WhipSource, first: int, count: int, step_us: int = 0) -> None:
    """Let frames arrive whose arrival times are off by a step of our clock."""
    for number in range(first, first + count):
        key, data = frame_data(CLIP, number)
        arrival_us = START_US + number * 1_000_000 // 30 + step_us
        source._feed.frame(EncodedFrame(Codec.H264, 90_000 + number * 3_000, data, key, arrival_us))


async def test_a_clock_set_forward_is_followed_in_a_new_run(tmp_path: Path, source: WhipSource) -> None:
    run = a_run(tmp_path)
    source._feed.run = run
    send(source, 0, 60)
    send(source, 60, 2000, HOUR_US)
    run.close(START_US + 2060 * 1_000_000 // 30 + HOUR_US)
    runs = [segment.extent.run_id for segment in read_segments(tmp_path)]
    assert len(set(runs)) == 2
    (gap,) = summary(tmp_path).gaps
    assert gap.cause == "reconnect"
    assert gap.end_us - gap.start_us == pytest.approx(HOUR_US, abs=40_000_000)


async def test_a_clock_set_back_is_not_followed(tmp_path: Path, source: WhipSource) -> None:
    run = a_run(tmp_path)
    source._feed.run = run
    send(source, 0, 60)
    send(source, 60, 2000, -HOUR_US)
    run.close(START_US + 2060 * 1_000_000 // 30 - HOUR_US)
    buffered = summary(tmp_path)
    assert buffered.gaps == ()
    assert buffered.until_us is not None
    assert buffered.until_us - START_US == pytest.approx(2060 * 1_000_000 // 30, abs=100_000)
