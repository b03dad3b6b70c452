"""A share of a room as a source: packets of a shared transport in, frames of its own run out."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support.encoded_clip import encoded_clip
from tests.support.rtp_stream import Stream
from tests.support.scripted_source import START_US, a_run

from lookback.buffer.reader import read_segments, summary
from lookback.recorder.livekit.agent import Agent
from lookback.recorder.livekit.media import RoomMedia
from lookback.recorder.livekit.offer import Stream as Named
from lookback.recorder.livekit.source import LivekitSource
from lookback.recorder.recording import BROKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lookback.recorder.run import Run

CLIP = encoded_clip()
BLACK = bytes.fromhex("6742c01f0fd91f888884000003000400000300c83c60c920"), bytes.fromhex("6887cb83cb20")
BLACK_PICTURE = bytes.fromhex("6588840af2628000a7be")


class Sharer:
    """What the server forwards of one person."""

    def __init__(self, media: RoomMedia, seed: int) -> None:
        self._media = media
        self.video = Stream(98, 90_000, random.Random(seed))
        self.audio = Stream(111, 48_000, random.Random(seed + 100))
        self.now_us = START_US
        self._frames = CLIP.payloads()

    def named(self) -> tuple[Named, Named]:
        return Named("video", self.video.ssrc, None), Named("audio", self.audio.ssrc, None)

    def shows(self, count: int) -> None:
        """Let pictures arrive, 30 a second."""
        for _ in range(count):
            number, self.video.sent = self.video.sent, self.video.sent + 1
            self.sends(*self._frames[number % len(self._frames)][1], at=number)

    def sends(self, *payloads: bytes, at: int) -> None:
        timestamp = self.video.base + at * 3_000 & 0xFFFFFFFF
        for place, payload in enumerate(payloads):
            packet = self.video.packet(payload, timestamp, marker=place == len(payloads) - 1)
            self._media.streams.packet(packet, self.now_us)
        self.now_us += 33_333

    def sounds(self, count: int) -> None:
        for _ in range(count):
            number, self.audio.sent = self.audio.sent, self.audio.sent + 1
            timestamp = self.audio.base + number * 960 & 0xFFFFFFFF
            packet = self.audio.packet(CLIP.audio[number % len(CLIP.audio)], timestamp, marker=False)
            self._media.streams.packet(packet, self.now_us)


@asynccontextmanager
async def receiving(source: LivekitSource, run: Run) -> AsyncIterator[asyncio.Task[str]]:
    """Feed the run while the body runs."""
    task = asyncio.create_task(source.run(run))
    await asyncio.sleep(0)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


def a_source(seed: int = 1) -> tuple[LivekitSource, Sharer, RoomMedia]:
    media = RoomMedia(lambda: START_US, Agent)
    sharer = Sharer(media, seed)
    return LivekitSource(media, lambda: sharer.now_us), sharer, media


async def test_what_comes_before_its_name_and_before_the_run_is_recorded(tmp_path: Path) -> None:
    source, sharer, _ = a_source()
    run = a_run(tmp_path)
    sharer.shows(10)
    for stream in sharer.named():
        source.use(stream)
    async with receiving(source, run):
        sharer.shows(50)
        assert run.video_frames == 60
        assert source.last_packet_us == START_US + 59 * 33_333


async def test_black_pictures_of_the_servers_own_are_let_go(tmp_path: Path) -> None:
    source, sharer, _ = a_source()
    run = a_run(tmp_path)
    for stream in sharer.named():
        source.use(stream)
    async with receiving(source, run):
        sharer.shows(30)
        sharer.sends(*BLACK, BLACK_PICTURE, at=30)
        sharer.sends(*BLACK, BLACK_PICTURE, at=31)
        assert run.video_frames == 30
        assert source.blank_frames == 2
    run.close(sharer.now_us)
    assert {segment.index.header.width for segment in read_segments(tmp_path)} == {320}


async def test_whoever_vanished_was_gone_since_the_last_of_their_own_pictures(tmp_path: Path) -> None:
    source, sharer, _ = a_source()
    run = a_run(tmp_path)
    source.use(sharer.named()[0])
    async with receiving(source, run) as task:
        sharer.shows(30)
        last_us = sharer.now_us - 33_333
        sharer.now_us += 20_000_000
        sharer.sends(*BLACK, BLACK_PICTURE, at=630)
        source.vanished = True
        source.end("The publisher left")
        await task
    run.close(sharer.now_us)
    (gap,) = summary(tmp_path).gaps
    assert (gap.start_us, gap.track, gap.cause) == (last_us, "all", "reconnect")
    assert 20_000_000 <= gap.end_us - gap.start_us < 20_200_000


async def test_it_ends_with_the_first_cause_and_hears_nothing_after_that(tmp_path: Path) -> None:
    source, sharer, _ = a_source()
    run = a_run(tmp_path)
    source.use(sharer.named()[0])
    async with receiving(source, run) as task:
        sharer.shows(10)
        source.end("The publisher left")
        source.end("Something else")
        assert await task == "The publisher left"
        sharer.shows(10)
    assert run.video_frames == 10


async def test_sound_may_come_later_and_change_its_track(tmp_path: Path) -> None:
    source, sharer, media = a_source()
    other = Sharer(media, seed=2)
    run = a_run(tmp_path)
    source.use(sharer.named()[0])
    async with receiving(source, run):
        sharer.shows(10)
        source.use(sharer.named()[1])
        sharer.sounds(5)
        source.use(other.named()[1])
        other.now_us = sharer.now_us
        other.sounds(5)
        assert run.audio_frames == 10
        assert run.video_frames == 10
    run.close(sharer.now_us)
    assert summary(tmp_path).gaps == ()


async def test_a_session_that_cannot_be_written_does_not_disturb_the_others_of_its_room(tmp_path: Path) -> None:
    media = RoomMedia(lambda: START_US, Agent)
    broken, fine = (LivekitSource(media, lambda: START_US) for _ in range(2))
    alice, bob = Sharer(media, 1), Sharer(media, 2)
    (tmp_path / "bob").mkdir()
    run = a_run(tmp_path / "bob")
    broken.use(alice.named()[0])
    fine.use(bob.named()[0])
    async with receiving(broken, None) as ending, receiving(fine, run):  # type: ignore[arg-type]
        broken._feed.run = object()  # type: ignore[assignment]
        alice.shows(3)
        bob.shows(3)
        assert await ending == BROKEN
        bob.shows(3)
    assert run.video_frames == 6


async def test_how_long_silence_means_nothing_depends_on_whether_the_server_can_be_heard() -> None:
    source, _, media = a_source()
    assert source.patience_us > 5_000_000
    media.attended = False
    assert source.patience_us < 1_000_000
