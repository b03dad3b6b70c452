"""A share in a LiveKit room goes on when the LiveKit server, our connection or the recorder dies: after how long."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.support.installation import an_installation
from tests.support.livekit_publisher import livekit_sharing
from tests.support.livekit_server import a_livekit_server
from tests.support.livekit_settings import livekit_settings
from tests.support.people import microseconds, seconds_of
from tests.support.tcp_proxy import a_tcp_proxy
from tests.support.waiting import eventually, now_us

from bench.figures import Report, spread
from bench.places import scratch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.livekit_server import LivekitServer
    from tests.support.people import Json, Person
    from tests.support.tcp_proxy import TcpProxy

    from bench.figures import Effort

ROOM = "meeting"
DEATHS = ("livekit", "recorder", "socket")
AGAIN_WITHIN_S = 5
_CALM_S = 3


@dataclass(frozen=True, slots=True)
class Comeback:
    """How long after a death nothing was recorded, by the times of the pictures; and the gap that is told of it."""

    death: str
    away_s: float
    gap_s: float
    same_session: bool


@dataclass(frozen=True, slots=True)
class Meeting:
    """Everybody who takes part. `proxy` is the way from the recorder's signalling to the server."""

    livekit: LivekitServer
    server: Installation
    person: Person
    session: Json
    proxy: TcpProxy

    async def dies(self, death: str) -> None:
        """Let it happen; what can be restarted by somebody else is restarted at once."""
        if death == "livekit":
            await self.livekit.restart()
        elif death == "recorder":
            await self.server.kill_recorder()
        else:
            self.proxy.cut()


async def run(effort: Effort) -> Report:
    """One installation and one share survive all of it."""
    report = Report()
    with scratch() as folder:
        async with _meeting(folder) as meeting:
            found = [await _comes_back(meeting, death) for _ in range(effort.pick(5, 1)) for death in DEATHS]
    for death in DEATHS:
        away = spread([seen.away_s for seen in found if seen.death == death])
        report.figures[death] = {"awaySeconds": away, "rounds": [asdict(seen) for seen in found if seen.death == death]}
        report.at_most(f"recording again after the end of: {death}, worst", away["max"], AGAIN_WITHIN_S, "s")
    wrong = max(abs(seen.gap_s - seen.away_s) for seen in found)
    report.at_most("difference of the gap that is told and the one that was, worst", round(wrong, 2), 0.5, "s")
    report.at_least("rounds that went on in the same session", sum(seen.same_session for seen in found), len(found))
    return report


@asynccontextmanager
async def _meeting(folder: Path) -> AsyncIterator[Meeting]:
    async with (
        a_livekit_server(folder / "livekit") as livekit,
        a_tcp_proxy(urlsplit(livekit.url).port or 0) as proxy,
        an_installation(
            folder / "home",
            **livekit_settings(livekit)
            | {"LIVEKIT_URL": f"http://127.0.0.1:{proxy.port}", "LOOKBACK_LOG_LEVEL": "warning"},
        ) as server,
        server.person("alice") as person,
        livekit_sharing(livekit, ROOM, "alice"),
    ):
        session = (await person.answer("POST", "start", json={"roomName": ROOM})).json()
        yield Meeting(livekit, server, person, session, proxy)


async def _comes_back(meeting: Meeting, death: str) -> Comeback:
    person, session = meeting.person, meeting.session
    await person.sees_buffered_until(session, now_us() + _CALM_S * 1_000_000, within=60)
    died_us = now_us()
    await meeting.dies(death)
    # Two seconds of calm after it: a share that goes on without a gap is told from one that has just stopped.
    seen = await person.sees_buffered_until(session, died_us + 2_000_000, within=60)
    seen = await eventually(lambda: _recording(person, session), within=60, what="a session that records") or seen
    gaps = [gap for gap in seen["gaps"] if microseconds(gap["end"]) > died_us]
    again_us = max((microseconds(gap["end"]) for gap in gaps), default=died_us)
    return Comeback(
        death,
        away_s=round((again_us - died_us) / 1e6, 2),
        gap_s=round(sum(seconds_of(gap) for gap in gaps), 2),
        same_session=seen["sessionId"] == session["sessionId"],
    )


async def _recording(person: Person, session: Json) -> Json | None:
    seen = await person.session_in(session["roomName"])
    return seen if seen is not None and seen["status"] == "recording" else None
