"""A process that publishes many streams of the test content; started by publishing.py, which says where to.

It reads one JSON line, a list of {url, token, loss, delay_s}, prints `up` when all streams are connected, sends until
its standard input is closed, and prints what each stream has counted as one JSON line.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from typing import Any

import httpx
import uvloop
from tests.support.impairment import Impairment
from tests.support.whip_load import WhipClient
from tests.support.whip_sender import WhipSender, play

from bench.content import content


async def _publish(streams: list[dict[str, Any]]) -> list[dict[str, int]]:
    senders: list[WhipSender] = []
    async with httpx.AsyncClient(timeout=30) as http, asyncio.TaskGroup() as group:
        playing = None
        for number, stream in enumerate(streams):
            network = Impairment(stream["loss"], stream["delay_s"], seed=number)
            sender = WhipSender(content(), impairment=network)
            await sender.connect(WhipClient(http, stream["url"], stream["token"]).offer)
            senders.append(sender)  # the player takes it from here: nobody's media waits for the others
            playing = playing or group.create_task(play(senders))
        print("up", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        if playing is not None:
            playing.cancel()
    for sender in senders:
        await sender.close()
    return [dict(sender.counts) for sender in senders]


def main() -> None:
    """Keep to the last core, so that the recorder is not measured while it waits for us."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[-1:])
    with contextlib.suppress(KeyboardInterrupt):
        print(json.dumps(uvloop.run(_publish(json.loads(sys.stdin.readline())))), flush=True)


if __name__ == "__main__":
    main()
