"""Random life in LiveKit rooms, with kills: sessions always agree with the server, and nothing is left behind."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import httpx
from livekit import api
from tests.support.installation import an_installation
from tests.support.livekit_server import LivekitServer
from tests.support.people import Refused
from tests.support.waiting import eventually

from bench.figures import Report, spread
from bench.lives import Life, agrees, script
from bench.places import scratch
from bench.processes import handles

if TYPE_CHECKING:
    from tests.support.installation import Installation
    from tests.support.people import Person

    from bench.figures import Effort
    from bench.lives import Share, Turn

SEED = 20261125
COMMUNITY = "town"
PLACES = (("hall", "ann"), ("hall", "bob"), ("yard", "cat"), ("yard", "dan"))
GRACE_SECONDS = 5
AGREED_WITHIN_S = 30
_SAMPLE_S = 0.25
_REMEMBERED_TURNS = 6
_LEAK_MARGIN = 2  # a connection of the database's pool, a keep-alive of HTTP


async def run(effort: Effort) -> Report:
    """The same script every time; what the machine makes of it differs."""
    report = Report()
    seconds = effort.pick(1800, 60)
    with scratch() as folder:
        livekit = LivekitServer(folder / "livekit")
        async with an_installation(folder / "home", **_settings(livekit)) as server:
            livekit.tells(f"{server.url}/webhooks/livekit")
            await livekit.start()
            try:
                await _live(server, livekit, seconds, report)
            finally:
                livekit.kill()
            status, printed = await server.check()
        report.figures["check"] = printed if status else "clean"
        report.at_most("complaints of `lookback check`", status, 0)
    return report


def _settings(livekit: LivekitServer) -> dict[str, str]:
    return {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.key,
        "LIVEKIT_API_SECRET": livekit.secret,
        "LOOKBACK_GRACE_SECONDS": str(GRACE_SECONDS),
        "LOOKBACK_LOG_LEVEL": "warning",
        "REPLAY_BUFFER_DURATION_MINUTES": "1",
        "REPLAY_CLEANUP_BUFFER_MINUTES": "2",
    }


async def _live(server: Installation, livekit: LivekitServer, seconds: float, report: Report) -> None:
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(server.person("admin", admin=True))
        await _found(admin)
        people = [await stack.enter_async_context(server.person(name)) for _, name in PLACES]
        lives = [Life(livekit, room, name) for room, name in PLACES]
        for life in lives:
            stack.push_async_callback(life.goes)
        town = Town(server, livekit, people, lives)
        await town.everybody("share")
        await town.settles()
        await town.everybody("leave")
        await town.settles()
        before = await town.open_files()
        watching = asyncio.create_task(town.watches())
        turns = await town.lives_on(seconds)
        await town.everybody("leave")
        await town.settles()
        watching.cancel()
        orphans, left = await town.orphans(), await town.leaked(before)
        longest = sorted(town.long, key=lambda seen: -seen.seconds)[:5]
        for seen in longest:
            seen.stories = {id_: await _story(admin, id_) for id_ in {seen.session for seen in seen.seen} if id_}
    report.figures |= {
        "turns": turns,
        "disagreementS": spread([seen.seconds for seen in town.long] or [0.0]),
        "longest": [asdict(seen) for seen in longest],
        "openFiles": {"before": before, "more": left},
    }
    report.at_most(
        "longest disagreement with the LiveKit server",
        max((seen.seconds for seen in town.long), default=0),
        AGREED_WITHIN_S,
        "s",
    )
    report.at_most("recorders left behind in rooms", orphans, 0)
    report.at_most("open files, sockets and threads left behind", max(left.values()), _LEAK_MARGIN)


async def _found(admin: Person) -> None:
    """The community whose shares are kept without anybody asking."""
    base = f"admin/community/{COMMUNITY}"
    for room in {room for room, _ in PLACES}:
        await admin.answer("PUT", f"rooms/{room}", json={"communityId": COMMUNITY})
    await admin.answer("PATCH", f"{base}/config", json={"autoStart": "on"})


async def _story(admin: Person, session_id: str) -> list[str]:
    """What happened to a session, so that nobody has to guess why it disagreed."""
    told = (await admin.answer("GET", f"sessions/{session_id}/story")).json()
    return [f"{event['at']} {event['kind']}: {event['sentence']}" for event in told["events"]]


class Seen(NamedTuple):
    """What the server says of somebody's share, and the program of their session."""

    share: Share | None
    status: str | None
    session: str | None


@dataclass(slots=True)
class Disagreement:
    """Both said different things of one person for a while. `after`: what had happened just before."""

    who: str
    at_s: float
    after: list[str]
    seconds: float = 0.0
    seen: list[Seen] = field(default_factory=list)
    stories: dict[str, list[str]] = field(default_factory=dict)

    def lasts(self, at_s: float, seen: Seen) -> None:
        """It is still there, or there with other words."""
        self.seconds = round(at_s - self.at_s, 1)
        if not self.seen or self.seen[-1] != seen:
            self.seen.append(seen)


class Town:
    """Everybody, the server they meet on, and the program that keeps what they share."""

    def __init__(self, server: Installation, livekit: LivekitServer, people: list[Person], lives: list[Life]) -> None:
        self._server, self._livekit = server, livekit
        self._people, self._lives = people, lives
        self.long: list[Disagreement] = []
        self._now: dict[str, Disagreement] = {}
        self._recent: deque[str] = deque(maxlen=_REMEMBERED_TURNS)
        self._began = monotonic()

    async def everybody(self, move: str) -> None:
        """All at once."""
        await asyncio.gather(*(life.move(move) for life in self._lives))

    async def lives_on(self, seconds: float) -> dict[str, int]:
        """Follow the script for so long; return how often what happened."""
        counts: dict[str, int] = {}
        turns = script(random.Random(SEED), len(self._lives))
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            turn = next(turns)
            await asyncio.sleep(min(turn.pause_s, left))
            self._recent.append(turn.move if turn.who is None else f"{self._lives[turn.who].identity}: {turn.move}")
            await self._happens(turn)
            counts[turn.move] = counts.get(turn.move, 0) + 1
        return counts

    async def _happens(self, turn: Turn) -> None:
        match turn.move:
            case "livekit dies":
                await self._livekit.restart()
            case "recorder dies":
                await self._server.kill_recorder()
            case "api dies":
                await self._server.kill_api()
                await self._server.start()
            case move:
                assert turn.who is not None
                await self._lives[turn.who].move(move)

    async def settles(self) -> None:
        """Wait until every session agrees with the server."""
        await eventually(self._all_agree, within=2 * AGREED_WITHIN_S, what="agreement of all sessions")

    async def watches(self) -> None:
        """Note for everybody how long their session disagreed with the server at the worst."""
        while True:
            with suppress(httpx.TransportError, api.TwirpError, OSError, Refused):
                self._note(await self._disagreeing())
            await asyncio.sleep(_SAMPLE_S)

    def _note(self, disagreeing: dict[str, Seen]) -> None:
        """Follow each disagreement from when it was seen first until it is not seen any more, or is another one.

        When the share changes meanwhile, the program has as long again: it cannot be late for what has just happened.
        """
        at_s = round(monotonic() - self._began, 1)
        for name in self._now.keys() - disagreeing.keys():
            del self._now[name]
        for name, seen in disagreeing.items():
            known = self._now.get(name)
            if known is None or known.seen[-1].share != seen.share:
                self._now[name] = Disagreement(name, at_s, list(self._recent))
                self.long.append(self._now[name])
            self._now[name].lasts(at_s, seen)

    async def _all_agree(self) -> bool:
        try:
            return not await self._disagreeing()
        except (httpx.TransportError, api.TwirpError, OSError, Refused):
            return False

    async def _disagreeing(self) -> dict[str, Seen]:
        shares = await self._shares()
        found = {}
        for person, life in zip(self._people, self._lives, strict=True):
            session = await person.session_in(life.room)
            status, session_id = (session["status"], session["sessionId"]) if session else (None, None)
            seen = Seen(shares.get(life.identity), status, session_id)
            if not agrees(seen.share, seen.status):
                found[life.identity] = seen
        return found

    async def _shares(self) -> dict[str, Share]:
        """Who shares, as the LiveKit server has it."""
        screen = api.TrackSource.SCREEN_SHARE
        found: dict[str, Share] = {}
        for participant in await self._participants():
            for track in participant.tracks:
                if track.source == screen:
                    found[participant.identity] = "muted" if track.muted else "shown"
        return found

    async def _participants(self) -> list[api.ParticipantInfo]:
        async with self._livekit.client() as client:
            rooms = (await client.room.list_rooms(api.ListRoomsRequest())).rooms
            asked = [await client.room.list_participants(api.ListParticipantsRequest(room=r.name)) for r in rooms]
        return [participant for answer in asked for participant in answer.participants]

    async def orphans(self) -> int:
        """How many recorders are still in rooms when nobody has shared for a while."""
        with suppress(AssertionError):
            await eventually(self._nobody_is_there, within=AGREED_WITHIN_S, what="empty rooms")
        return len([p for p in await self._participants() if p.permission.hidden])

    async def _nobody_is_there(self) -> bool:
        return not await self._participants()

    async def open_files(self) -> dict[str, int]:
        """Descriptors and threads of both processes."""
        pids = {"api": self._server.api_pid, "recorder": await self._server.recorder_pid()}
        return {f"{name} {what}": count for name, pid in pids.items() for what, count in handles(pid).items()}

    async def leaked(self, before: dict[str, int]) -> dict[str, int]:
        """How many more there are than before, once what was still being closed is closed."""
        with suppress(AssertionError):
            await eventually(lambda: self._is_as(before), within=AGREED_WITHIN_S, what="closed files")
        after = await self.open_files()
        return {name: max(0, after[name] - before[name]) for name in before}

    async def _is_as(self, before: dict[str, int]) -> bool:
        after = await self.open_files()
        return all(after[name] <= before[name] for name in before)
