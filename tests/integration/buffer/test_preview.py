"""Segments in a real browser's MSE, as a preview appends them: a screen that stands still must not stop it."""

from __future__ import annotations

import base64
import os
import random
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.chromium import chromium
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.media import AUDIO_STEP_US, START_US, frame_data, writer_for

from lookback.buffer.reader import Segment, read_segments

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.skipif(
    not Path(os.environ.get("LOOKBACK_CHROMIUM", "")).is_file(), reason="LOOKBACK_CHROMIUM names no browser"
)
SUPPORT = Path(__file__).parents[2] / "support"
APPEND = (SUPPORT / "media_source.js").read_text()
NUMBER = (SUPPORT / "barcode.js").read_text()
TYPES = {"h264": 'video/mp4; codecs="avc3.42c01f,opus"', "vp8": 'video/webm; codecs="vp8,opus"'}
SECOND = 1_000_000
PAUSES = {
    "busy": [33, 33, 33, 33, 33, 33, 33, 33, 90, 150, 300, 450],
    "mostly still": [33, 33, 33, 300, 450, 800, 1000, 1000],
    "still": [1000],
}


def shared(directory: Path, codec: str, pauses_ms: Sequence[int]) -> tuple[Segment, list[float]]:
    """Ten seconds of a screen that changes after such pauses: one segment, and when its frames were, in seconds."""
    clip = encoded_clip(ClipShape(codec="vp8" if codec == "vp8" else "h264", gop=120))
    writer = writer_for(directory, clip, segment_us=60 * SECOND)
    dice = random.Random(1)
    instants: list[float] = []
    due_us = 0
    for now_us in range(0, 10 * SECOND, AUDIO_STEP_US):
        while due_us <= now_us:
            key, data = frame_data(clip, len(instants))
            writer.video(START_US + due_us, data, key=key)
            instants.append(due_us / SECOND)
            due_us += dice.choice(pauses_ms) * 1000
        writer.audio(START_US + now_us, clip.audio[now_us // AUDIO_STEP_US % len(clip.audio)])
        writer.tick(START_US + now_us)
    writer.close(START_US + 10 * SECOND)
    (segment,) = read_segments(directory)
    return segment, instants


@pytest.mark.parametrize("codec", TYPES)
@pytest.mark.parametrize("pauses", PAUSES)
async def test_every_picture_is_found_however_long_the_one_before_it_stood(
    tmp_path: Path, codec: str, pauses: str
) -> None:
    segment, instants = shared(tmp_path, codec, PAUSES[pauses])
    commits = segment.index.commits
    pieces = [[0, segment.index.header.init_size]]
    pieces += [[int(c["offset"]), int(c["offset"] + c["size"])] for c in commits if c["size"]]
    middles = [(number, (begin + end) / 2) for number, (begin, end) in enumerate(pairwise(instants))]
    middles = middles[:: max(1, len(middles) // 12)]
    file = base64.b64encode(segment.media_path.read_bytes()).decode()
    async with chromium() as browser:
        page = await browser.new_page()
        asked = [file, pieces, TYPES[codec], START_US / SECOND, [at for _, at in middles], NUMBER]
        found = await page.evaluate(APPEND, asked)
    assert found["seen"] == [number for number, _ in middles]
    ((begin, end),) = found["buffered"]
    assert begin == pytest.approx(0, abs=0.05)
    assert end == pytest.approx(10, abs=0.6)
