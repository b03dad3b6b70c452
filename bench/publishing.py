"""Streams of the test content published to a real server by a process of its own, and what arrived of them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.content import SHAPE
from bench.machine import ROOT
from lookback.buffer.reader import read_segments
from lookback.media.index import NEVER_SHOWN
from lookback.media.samples import Track

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.people import Json, Person

_CONNECT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Network:
    """What is between a publisher and the recorder, each way."""

    loss: float = 0.0
    delay_s: float = 0.0


@dataclass(slots=True)
class Publishing:
    """Running streams, one per person. `sent` is filled when they have ended: counters of each sender."""

    people: list[Person]
    sessions: list[Json]
    sent: list[dict[str, int]] = field(default_factory=list)


@asynccontextmanager
async def publishing(server: Installation, networks: Sequence[Network]) -> AsyncIterator[Publishing]:
    """Publish one stream over each of these networks while the body runs, which begins when all are recorded."""
    names = [f"bench-{number}" for number in range(len(networks))]
    streams = [
        {"url": f"{server.url}/whip/{name}", "token": server.token(name), "loss": net.loss, "delay_s": net.delay_s}
        for name, net in zip(names, networks, strict=True)
    ]
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(server.person(name)) for name in names]
        async with sending(streams) as sent:
            running = Publishing(people, await _recording(people, names), sent)
            yield running


@asynccontextmanager
async def sending(streams: list[dict[str, Any]]) -> AsyncIterator[list[dict[str, int]]]:
    """Send streams as sender.py takes them while the body runs; what comes is filled with their counters in the end."""
    process = await _start(streams)
    sent: list[dict[str, int]] = []
    try:
        yield sent
        sent += json.loads(await _end(process))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _start(streams: list[dict[str, Any]]) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.sender"),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdin is None or process.stdout is None:
        raise AssertionError("pipes were asked for")
    process.stdin.write(json.dumps(streams).encode() + b"\n")
    await process.stdin.drain()
    async with asyncio.timeout(_CONNECT_SECONDS):
        line = await process.stdout.readline()
    if line != b"up\n":
        raise RuntimeError(f"the publishers ended with status {await process.wait()}")
    return process


async def _end(process: asyncio.subprocess.Process) -> bytes:
    """Close its input, which ends it; return what it prints last."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("pipes were asked for")
    process.stdin.close()
    async with asyncio.timeout(_CONNECT_SECONDS):
        printed = await process.stdout.read()
        await process.wait()
    return printed


async def _recording(people: list[Person], rooms: list[str]) -> list[Json]:
    sessions = [await person.session_in(room) for person, room in zip(people, rooms, strict=True)]
    return [
        await person.sees_status(session or {}, "recording") for person, session in zip(people, sessions, strict=True)
    ]


def frames_lost(directory: Path) -> int:
    """Video frames missing between the first and the last that was recorded, or recorded without their references.

    Counted from the times in the index: the content has a constant frame rate.
    """
    times: list[int] = []
    for segment in read_segments(directory):
        samples = segment.index.samples
        shown = (samples["track"] == Track.VIDEO) & (samples["flags"] & NEVER_SHOWN == 0)
        times += samples["dts_us"][shown].tolist()
    steps = np.diff(np.array(sorted(times)))
    return int(np.maximum(np.rint(steps * SHAPE.fps / 1_000_000) - 1, 0).sum())
