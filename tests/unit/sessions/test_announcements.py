from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from tests.support.livekit_rooms import SaidLivekit, a_room
from tests.support.session_rows import START_US, a_row
from tests.support.waiting import eventually

from lookback.sessions.announcements import Announcements
from lookback.sessions.model import Session, SessionState

STARTING, RECORDING, INTERRUPTED, DRAINING, EXPIRED, FAILED = SessionState
KEPT = a_row(state=RECORDING, source="livekit", participant_identity="phone-1")


async def told(*moves: tuple[SessionState, Session], server: SaidLivekit | None = None) -> list[dict[str, object]]:
    """What the room is told of these moves."""
    server = server or SaidLivekit([a_room()])
    announcements = Announcements(server)
    for was, session in moves:
        announcements.moved(was, session)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(announcements.run())
        await eventually(announcements._waiting.empty)
        running.cancel()
    assert {(room, topic) for room, topic, _ in server.sent} <= {("demo", "lookback")}
    return [json.loads(payload) for _, _, payload in server.sent]


async def test_a_room_is_told_of_the_beginning_and_the_end() -> None:
    ended = replace(KEPT, state=DRAINING, reason="Stopped by its user", ended_at_us=START_US + 5_000_000)
    started_at = START_US // 1000
    about = {"sessionId": "s1", "participantIdentity": "phone-1", "startedAt": started_at}
    assert await told((STARTING, KEPT), (RECORDING, ended)) == [
        {"type": "started", "endedAt": None} | about,
        {"type": "ended", "endedAt": started_at + 5000} | about,
    ]


@pytest.mark.parametrize(
    ("was", "state"),
    [(RECORDING, INTERRUPTED), (INTERRUPTED, RECORDING), (STARTING, FAILED), (DRAINING, EXPIRED)],
)
async def test_the_rest_of_a_session_is_no_news(was: SessionState, state: SessionState) -> None:
    assert await told((was, replace(KEPT, state=state))) == []


@pytest.mark.parametrize("source", ["whip", "synthetic"])
async def test_shares_that_are_not_in_the_room_are_not_its_business(source: str) -> None:
    assert await told((STARTING, replace(KEPT, source=source))) == []  # type: ignore[arg-type]


async def test_a_server_that_does_not_answer_holds_nothing_up() -> None:
    away = SaidLivekit(away=True)
    assert await told((STARTING, KEPT), (STARTING, KEPT), server=away) == []


async def test_too_many_announcements_are_dropped() -> None:
    assert len(await told(*[(STARTING, KEPT)] * 1500)) == 1000
