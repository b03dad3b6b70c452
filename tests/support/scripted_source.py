"""A source that a test feeds by hand, and the recording it feeds, in simulated time."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from lookback.buffer.layout import BufferLayout
from lookback.media.samples import Codec
from lookback.recorder.recording import Recording
from lookback.recorder.run import Run, writer_maker
from lookback.recorder.session_directory import SessionDirectory
from lookback.recorder.sources import ALIVE_US, SourceStats
from tests.support.encoded_clip import ClipShape, EncodedClip, encoded_clip
from tests.support.media import AUDIO_STEP_US, frame_data, sync_nothing
from tests.support.sessions import a_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from lookback.recorder.control import Event

START_US = 1_795_384_759_000_000
CLIPS = {
    Codec.H264: encoded_clip(),
    Codec.VP8: encoded_clip(ClipShape(codec="vp8")),
}


def counted_run_ids() -> Callable[[], bytes]:
    """Run ids that count from 1."""
    numbers = itertools.count(1)
    return lambda: next(numbers).to_bytes(8, "big")


def a_run(directory: Path, *, audio: bool = True, not_before_us: int = 0, segment_us: int = 10_000_000) -> Run:
    """A run over the real writer."""
    make_writer = writer_maker(sync_nothing, counted_run_ids(), segment_us, 500_000)
    return Run(directory, audio=audio, not_before_us=not_before_us, make_writer=make_writer)


def feed(run: Run, start_us: int, seconds: float, codec: Codec = Codec.H264, *, first: int = 0) -> int:
    """Hand the frames of a clip to a run from `start_us` on; return when the next one is due."""
    clip: EncodedClip = CLIPS[codec]
    count = round(seconds * clip.shape.fps)
    sound = 0
    for number in range(count):
        at_us = start_us + number * 1_000_000 // clip.shape.fps
        while start_us + sound * AUDIO_STEP_US <= at_us:
            run.audio(start_us + sound * AUDIO_STEP_US, clip.audio[sound % len(clip.audio)])
            sound += 1
        key, data = frame_data(clip, first + number)
        run.video(codec, at_us, data, key=key)
    return start_us + count * 1_000_000 // clip.shape.fps


class ScriptedSource:
    """Implements Source; ends when it is told why."""

    audio = True
    patience_us = ALIVE_US

    def __init__(self) -> None:
        self.cause: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.last_packet_us: int | None = None
        self.key_frame_requests = 0
        self.missing = False

    async def run(self, _run: Run) -> str:
        return await self.cause

    def tick(self, now_us: int) -> None:
        pass

    def repairing(self) -> bool:
        return self.missing

    def request_key_frame(self, now_us: int) -> None:  # noqa: ARG002
        self.key_frame_requests += 1

    def stats(self) -> SourceStats:
        return SourceStats(connected=True, packets=1)


class Bench:
    """A recording with the time in hand, and the moves that came out of it."""

    def __init__(self, root: Path, **spec: Any) -> None:
        self.now_us = START_US
        self.moves: list[Event] = []
        self.followed: list[asyncio.Task[None]] = []
        self.spec = a_session(**spec)
        self.directory = SessionDirectory(BufferLayout(root), self.spec)
        self.recording = Recording(
            self.spec,
            self.directory,
            make_writer=lambda _: writer_maker(sync_nothing, counted_run_ids(), 10_000_000, 500_000),
            clock=lambda: self.now_us,
            emit=self.moves.append,
        )

    @property
    def states(self) -> list[str]:
        return [move.to for move in self.moves]

    def attach(self, tasks: asyncio.TaskGroup) -> ScriptedSource:
        """A new publisher, followed as a worker does."""
        source = ScriptedSource()
        run = self.recording.attach(source)

        async def follow() -> None:
            await self.recording.follow(source, run)

        self.recording.following = tasks.create_task(follow())
        self.followed.append(self.recording.following)
        self.run = run
        return source

    def play(self, source: ScriptedSource, seconds: float, codec: Codec = Codec.H264) -> None:
        """Let the publisher send for so long, with the ticks that belong to it."""
        end_us = self.now_us + round(seconds * 1_000_000)
        while self.now_us < end_us:
            source.last_packet_us = self.now_us
            self.now_us = feed(self.run, self.now_us, 0.5, codec)
            self.recording.tick(self.now_us)

    def wait(self, seconds: float) -> None:
        """Let time pass in which nothing arrives."""
        end_us = self.now_us + round(seconds * 1_000_000)
        while self.now_us < end_us:
            self.now_us += 20_000
            self.recording.tick(self.now_us)


@asynccontextmanager
async def a_bench(root: Path, **spec: Any) -> AsyncIterator[tuple[Bench, asyncio.TaskGroup]]:
    """A recording whose directory is claimed, released at the end."""
    bench = Bench(root, **spec)
    await bench.recording.open()
    try:
        async with asyncio.TaskGroup() as tasks:
            yield bench, tasks
            for task in bench.followed:
                task.cancel()
    finally:
        bench.directory.release()
