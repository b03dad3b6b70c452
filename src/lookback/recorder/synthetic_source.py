"""The generated screen share as a source: a child process whose frames come through a pipe."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING

import structlog

from lookback.errors import MalformedError
from lookback.media.samples import Codec
from lookback.recorder.sources import ALIVE_US, SourceStats
from lookback.recorder.synthetic_pipe import SourceFrame, read_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookback.recorder.run import Run

log = structlog.get_logger(__name__)

CRASHED = "The demo source stopped unexpectedly and is being restarted"
_PIPE_BYTES = 1 << 20
_PATIENCE_S = 2.0


def generator_command(codec: Codec, width: int, height: int, fps: int) -> tuple[str, ...]:
    """How to start the generating process."""
    options = {"codec": codec.value, "width": width, "height": height, "fps": fps}
    arguments = (f"--{name}={value}" for name, value in options.items())
    return (sys.executable, "-m", "lookback.recorder.synthetic", *arguments)


class SyntheticSource:
    """Runs the generator as long as `run` runs."""

    audio = True
    patience_us = ALIVE_US

    def __init__(self, command: Sequence[str], now_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._command = command
        self._now_us = now_us
        self._frames = 0
        self.last_packet_us: int | None = None
        self.pid: int | None = None

    async def run(self, run: Run) -> str:
        """See Source."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_PIPE_BYTES
            )
        except OSError as error:
            log.warning("synthetic.not_started", error=str(error))
            return CRASHED
        self.pid = process.pid
        try:
            await self._feed(run, process)
        except MalformedError as error:
            log.warning("synthetic.malformed", error=str(error))
        finally:
            self.pid = None
            await _end(process)
        log.warning("synthetic.ended", exit_code=process.returncode)
        return CRASHED

    def tick(self, now_us: int) -> None:
        """See Source."""

    def repairing(self) -> bool:
        """See Source."""
        return False

    def request_key_frame(self, now_us: int) -> None:
        """See Source: one comes every two seconds anyway."""

    def stats(self) -> SourceStats:
        """See Source."""
        return SourceStats(connected=self.pid is not None, packets=self._frames)

    async def _feed(self, run: Run, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            raise AssertionError("stdout was asked for as a pipe")
        while (frame := await read_frame(process.stdout)) is not None:
            self._frames += 1
            self.last_packet_us = self._now_us()
            _hand_on(run, frame)


def _hand_on(run: Run, frame: SourceFrame) -> None:
    if frame.codec is Codec.OPUS:
        run.audio(frame.dts_us, frame.data)
    else:
        run.video(frame.codec, frame.dts_us, frame.data, key=frame.key)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Close its input, at which it ends; kill it when it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
