"""How a session goes on from one source to the next, for as long as there may be a next one."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from lookback.recorder.backoff import Backoff
from lookback.recorder.synthetic_source import SyntheticSource

if TYPE_CHECKING:
    from lookback.recorder.livekit.place import Place
    from lookback.recorder.recording import Recording


async def keep_generating(recording: Recording, command: tuple[str, ...]) -> None:
    """Run the generator, again and again if need be, until stopped or until a publisher takes over."""
    backoff = Backoff()
    while True:
        began_s = time.monotonic()
        source = SyntheticSource(command)
        if not await recording.follow(source, recording.attach(source), again=True):
            return
        await asyncio.sleep(backoff.after(time.monotonic() - began_s))


async def follow_shares(recording: Recording, place: Place) -> None:
    """Record one share after the other until the room does not want us any more, or until a publisher takes over."""
    try:
        while (source := await place.next_source()) is not None:
            if not await recording.follow(source, recording.attach(source), again=True):
                return
        recording.give_up(place.over or "")
    finally:
        place.leave()
