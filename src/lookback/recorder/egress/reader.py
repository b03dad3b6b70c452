"""The recorder's end of the process that reads MPEG-TS: started when it is needed, and anew after a file broke it."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, NamedTuple

import structlog

from lookback.errors import MalformedError
from lookback.recorder.egress import pipe
from lookback.recorder.egress.demux import MOST_FILE_BYTES
from lookback.recorder.egress.pipe import Kind, TsSample

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

log = structlog.get_logger(__name__)

COMMAND = (sys.executable, "-m", "lookback.recorder.egress.demux")
PATIENCE_S = 20.0
"""A file of 10 s is read in a tenth of a second; on a machine that is short of CPU in a few."""

_PIPE_BYTES = 1 << 20
_BROKE = "the file broke the process that reads it"
_TOOK_TOO_LONG = "reading the file took too long"


class ReadFile(NamedTuple):
    """The samples of a file; `reason` says why there are not more, and is empty when all were read."""

    samples: list[TsSample]
    reason: str


class TsReader:
    """Reads one file after the other. `close` it at the end."""

    def __init__(self, command: Sequence[str] = COMMAND, patience_s: float = PATIENCE_S) -> None:
        self._command = command
        self._patience_s = patience_s
        self._process: asyncio.subprocess.Process | None = None

    async def read(self, path: os.PathLike[str]) -> ReadFile:
        """Read a file; whatever is in it, this returns within `patience_s`. Raises OSError without a process."""
        samples: list[TsSample] = []
        try:
            async with asyncio.timeout(self._patience_s):
                process = await self._started()
                reason = await _exchange(process, str(path), samples)
        except TimeoutError:
            reason = _TOOK_TOO_LONG
        except (MalformedError, ConnectionError):
            reason = _BROKE
        if reason in {_BROKE, _TOOK_TOO_LONG}:
            await self.close()
        return ReadFile(samples, reason)

    async def close(self) -> None:
        """End the process; it holds nothing that could be lost."""
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_PIPE_BYTES
            )
        return self._process


async def _exchange(process: asyncio.subprocess.Process, path: str, samples: list[TsSample]) -> str:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("both were asked for as pipes")
    if "\n" in path:
        raise MalformedError("A path with a line break cannot be asked for")
    process.stdin.write(f"{path}\n".encode("utf-8", "surrogateescape"))
    size = 0
    while (sample := await pipe.read(process.stdout)) is not None:
        if sample.kind is Kind.END:
            return sample.data.decode("utf-8", "replace")
        size += len(sample.data)
        if size > MOST_FILE_BYTES:
            break
        samples.append(sample)
    return _BROKE
