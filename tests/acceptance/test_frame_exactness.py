"""Fifty random cuts, H.264 and VP8: every picture at its time, for FFmpeg, for its command line and for Chromium."""

from __future__ import annotations

import asyncio
import random
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import imageio_ffmpeg
import numpy as np
import pytest
from tests.support.chromium import a_bare_page, chromium, watch
from tests.support.encoded_clip import ClipShape
from tests.support.people import microseconds
from tests.support.pictures import barcode, beeps, duration, pictures
from tests.support.publishers import sharing
from tests.support.recorded import Recorded, what_was_recorded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Page
    from tests.support.encoded_clip import VideoCodec
    from tests.support.installation import Installation
    from tests.support.people import Json, Person

CUTS = 25
CUTS_BY_COMMAND_LINE = 5
SECONDS = 14
WIDTH, HEIGHT = 320, 180
AUDIO_FRAME_S = 0.02
# MP4 counts 90,000 ticks a second, WebM milliseconds.
TICK_S = {"h264": 0.00002, "vp8": 0.001}


@dataclass(frozen=True, slots=True)
class Recording:
    """The truth about a session, and what was cut from it."""

    codec: VideoCodec
    truth: Recorded
    cuts: list[Cut]


@dataclass(frozen=True, slots=True)
class Cut:
    """A clip, its bytes, and the truth about its range."""

    clip: Json
    media: bytes
    start_us: int
    end_us: int

    @property
    def seconds(self) -> float:
        return (self.end_us - self.start_us) / 1_000_000


async def test_every_picture_and_sound_of_fifty_random_cuts_is_right(server: Installation, tmp_path: Path) -> None:
    async with server.person("exact-h264") as first, server.person("exact-vp8") as second:
        recordings = await asyncio.gather(_recording(server, first, "h264"), _recording(server, second, "vp8"))
        for recording in recordings:
            for number, cut in enumerate(recording.cuts):
                _pictures_are_right(cut, recording)
                _sounds_are_right(cut, recording.truth)
                if number < CUTS_BY_COMMAND_LINE:
                    shown = recording.truth.shown(cut.start_us, cut.end_us)
                    assert _by_command_line(cut.media, tmp_path) == shown
        async with chromium() as browser, a_bare_page(browser, server.url) as page:
            for recording in recordings:
                for cut in recording.cuts:
                    await _chromium_agrees(page, cut, recording)


async def _recording(server: Installation, person: Person, codec: VideoCodec) -> Recording:
    """Share for a while, then cut what was recorded at random milliseconds."""
    shape = ClipShape(codec, WIDTH, HEIGHT, seconds=SECONDS + 4)
    async with sharing(person, f"exact-{codec}", shape) as share:
        seen = await person.sees_buffered(share.session, SECONDS)
    truth = await asyncio.to_thread(what_was_recorded, server.session_dir(share.session))
    first_ms = microseconds(seen["bufferedFrom"]) // 1000 + 1
    cuts = [cut async for cut in _random_cuts(person, share.session, first_ms, random.Random(codec))]
    return Recording(codec, truth, cuts)


async def _random_cuts(person: Person, session: Json, first_ms: int, chance: random.Random) -> AsyncIterator[Cut]:
    for _ in range(CUTS):
        length = chance.randint(1000, 6000)
        start = first_ms + chance.randint(0, SECONDS * 1000 - length)
        clip = await person.captures(session, start=start, end=start + length)
        assert microseconds(clip["delivered"]["start"]) == start * 1000
        assert microseconds(clip["delivered"]["end"]) == (start + length) * 1000
        yield Cut(clip, await person.downloads(clip), start * 1000, (start + length) * 1000)


def _pictures_are_right(cut: Cut, recording: Recording) -> None:
    recorded, tick_s = recording.truth, TICK_S[recording.codec]
    shown = pictures(cut.media)
    assert [picture.number for picture in shown] == recorded.shown(cut.start_us, cut.end_us)
    wanted = [at_us / 1_000_000 for at_us in recorded.appear(cut.start_us, cut.end_us)]
    assert [picture.at for picture in shown] == pytest.approx(wanted, abs=tick_s)
    assert duration(cut.media) == pytest.approx(cut.seconds, abs=0.001 + tick_s)


def _sounds_are_right(cut: Cut, recorded: Recorded) -> None:
    heard = beeps(cut.media)
    for wanted in recorded.beeps_between(cut.start_us, cut.end_us):
        nearest = min(heard, key=lambda beep: abs(beep.at - wanted.at))
        assert nearest.at == pytest.approx(wanted.at, abs=AUDIO_FRAME_S)
        assert nearest.second == wanted.second


def _by_command_line(media: bytes, folder: Path) -> list[int]:
    """Numbers of all pictures as another FFmpeg sees them, from a file."""
    path = folder / "clip"
    path.write_bytes(media)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-xerror", "-i", str(path), "-map", "0:v"]
    command += ["-fps_mode", "passthrough", "-enc_time_base", "demux", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    done = subprocess.run(command, check=True, capture_output=True)
    assert done.stderr == b""
    return [barcode(luma) for luma in np.frombuffer(done.stdout, np.uint8).reshape(-1, HEIGHT, WIDTH)]


async def _chromium_agrees(page: Page, cut: Cut, recording: Recording) -> None:
    """First picture, length, a picture in the middle and the one just before the end, all by range requests."""
    recorded, tick_s = recording.truth, TICK_S[recording.codec]
    seeks = [cut.seconds / 2, cut.seconds - 0.01]
    seen = await watch(page, cut.clip["videoUrl"], seeks)
    assert seen.error is None
    assert seen.duration == pytest.approx(cut.seconds, abs=0.001 + tick_s)
    assert seen.first in recorded.at(cut.start_us)
    for at, number in zip(seeks, seen.seeks, strict=True):
        assert number in recorded.at(cut.start_us + round(at * 1_000_000))
