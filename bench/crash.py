"""`kill -9` of recorder, API and both at random instants: media lost, clips unchanged, store consistent."""

from __future__ import annotations

import random
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

from tests.support.installation import an_installation
from tests.support.waiting import eventually, now_us

from bench.figures import Report, spread
from bench.places import scratch
from bench.publishing import Network, Publishing, frames_lost, publishing
from lookback.buffer.reader import summary

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.people import Json, Person

    from bench.figures import Effort

STREAMS = 2
VICTIMS = ("recorder", "api", "both")
MOST_LOST_MS = 600


@dataclass(frozen=True, slots=True)
class Saved:
    """A clip, whose it is, and its bytes when it was made."""

    person: Person
    clip: Json
    media: bytes


async def run(effort: Effort) -> Report:
    """Every round has a server and a library of its own, so that one round's damage cannot hide in the next."""
    report = Report()
    chance = random.Random()
    rounds = [VICTIMS[number % len(VICTIMS)] for number in range(effort.pick(30, 3))]
    found = []
    for victim in rounds:
        with scratch() as folder:
            found.append(await _round(folder, victim, chance.random() * 3))
    lost = [ms for seen in found for ms in seen["lostMs"] if seen["victim"] != "api"]
    changed = sum(seen["clipsChanged"] for seen in found)
    unclean = [seen["check"] for seen in found if seen["check"]]
    report.figures = {
        "rounds": {victim: rounds.count(victim) for victim in VICTIMS},
        "mediaLostMs": spread(lost),
        "framesLostWhenApiDied": sum(seen["framesLost"] for seen in found if seen["victim"] == "api"),
        "recoveryMs": spread([seen["recoveryMs"] for seen in found]),
        "clips": sum(seen["clips"] for seen in found),
        "clipsChanged": changed,
        "checkComplaints": unclean,
    }
    report.at_most("media lost per stream, worst", report.figures["mediaLostMs"]["max"], MOST_LOST_MS, "ms")
    report.at_most("video frames lost when the API dies", report.figures["framesLostWhenApiDied"], 0)
    report.at_most("clips that are not byte-identical", changed, 0)
    report.at_most("rounds after which `lookback check` complains", len(unclean), 0)
    return report


async def _round(folder: Path, victim: str, instant_s: float) -> dict[str, Any]:
    async with an_installation(folder, LOOKBACK_LOG_LEVEL="warning") as server:
        async with publishing(server, [Network()] * STREAMS) as running:
            await _buffered(running, 2 + instant_s)
            saved = [await _save(*pair) for pair in zip(running.people, running.sessions, strict=True)]
            recorder = await server.recorder_pid()
            lost = await _kill(server, victim, recorder, running)
            recovered = await _recover(server, victim, recorder)
            if victim == "api":
                await _buffered(running, 5 + instant_s)
            changed = [item for item in saved if await item.person.downloads(item.clip) != item.media]
            for item in saved:
                await item.person.sees_stored(item.clip)
            frames = sum(frames_lost(server.session_dir(session)) for session in running.sessions)
        status, printed = await server.check()
    return {
        "victim": victim,
        "lostMs": lost,
        "framesLost": frames,
        "recoveryMs": recovered,
        "clips": len(saved),
        "clipsChanged": len(changed),
        "check": printed if status else "",
    }


async def _buffered(running: Publishing, seconds: float) -> None:
    for person, session in zip(running.people, running.sessions, strict=True):
        await person.sees_buffered(session, seconds)


async def _recover(server: Installation, victim: str, recorder: int) -> float:
    """Wait until API and recorder run again; milliseconds since the kill."""
    begun = perf_counter()
    if victim != "recorder":
        await server.start()
    if victim != "api":
        await eventually(lambda: _another(server, recorder), within=30, what="another recorder")
    return (perf_counter() - begun) * 1000


async def _another(server: Installation, recorder: int) -> bool:
    return await server.recorder_pid() not in {0, recorder}


async def _save(person: Person, session: Json) -> Saved:
    clip = await person.captures(session, durationSeconds=2)
    return Saved(person, clip, await person.downloads(clip))


async def _kill(server: Installation, victim: str, recorder: int, running: Publishing) -> list[float]:
    """Kill; return for every stream how much of what had been sent by then cannot be read, in milliseconds.

    When only the API dies the recorder goes on, and nothing is lost: frames are counted instead.
    """
    if victim != "recorder":
        await server.kill_api()
    if victim == "api":
        return [0.0] * len(running.sessions)
    killed_us = now_us()
    await server.kill_recorder(recorder)
    ends = [summary(server.session_dir(session)).until_us or 0 for session in running.sessions]
    return [(killed_us - end) / 1000 for end in ends]
