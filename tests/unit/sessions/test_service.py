from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.support.session_rows import START_US, RememberingRecorder, a_database, a_row
from tests.support.session_services import a_service

from lookback.access.principal import Principal
from lookback.access.roles import EVERYBODY, RoleBook
from lookback.db.sessions import SqlSessionRepository
from lookback.errors import (
    AlreadyActiveError,
    LivekitUnavailableError,
    MalformedError,
    NoCapacityError,
    NotFoundError,
    ValidationError,
)
from lookback.sessions.model import Session, SessionState
from lookback.sessions.views import StartRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.sessions.service import SessionService

STARTING, RECORDING, INTERRUPTED, DRAINING, EXPIRED, FAILED = SessionState
ALICE, BOB, ROOT = Principal("alice"), Principal("bob"), Principal("root", admin=True)
DEMO = StartRequest("demo", None, None, "synthetic")
WINDOW_US = 600_000_000


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncIterator[SqlSessionRepository]:
    async with a_database(tmp_path) as engine:
        yield SqlSessionRepository(engine)


@pytest.fixture
def recorder() -> RememberingRecorder:
    return RememberingRecorder()


@pytest.fixture
def service(rows: SqlSessionRepository, recorder: RememberingRecorder, tmp_path: Path) -> SessionService:
    return a_service(rows, recorder, tmp_path)


async def test_of_fifty_starts_at_once_one_reaches_the_recorder(
    service: SessionService, recorder: RememberingRecorder
) -> None:
    done = await asyncio.gather(*(service.start(ALICE, DEMO) for _ in range(50)), return_exceptions=True)
    refused = [error for error in done if isinstance(error, AlreadyActiveError)]
    (started,) = [view for view in done if not isinstance(view, BaseException)]
    assert len(refused) == 49
    assert {error.facts["sessionId"] for error in refused} == {started.session.session_id}
    assert recorder.kinds == ["start_synthetic"]


async def test_what_the_recorder_refuses_leaves_no_row(
    service: SessionService, rows: SqlSessionRepository, recorder: RememberingRecorder
) -> None:
    recorder.refusal = MalformedError("That is no offer")
    with pytest.raises(MalformedError):
        await service.accept_whip(ALICE, "demo", "hello")
    recorder.refusal = NoCapacityError("Not now")
    with pytest.raises(NoCapacityError):
        await service.start(ALICE, DEMO)
    assert await rows.in_states(list(SessionState)) == []


async def test_livekit_that_is_not_there_takes_no_place(service: SessionService, rows: SqlSessionRepository) -> None:
    with pytest.raises(LivekitUnavailableError):
        await service.start(ALICE, StartRequest("demo", None, None, "livekit"))
    assert await rows.active_of("alice") is None


@pytest.mark.parametrize("state", [STARTING, RECORDING, INTERRUPTED])
async def test_a_publisher_that_comes_again_goes_on_in_its_session(
    service: SessionService, rows: SqlSessionRepository, recorder: RememberingRecorder, state: SessionState
) -> None:
    await rows.add(a_row(state=state))
    answer = await service.accept_whip(ALICE, "demo", "offer")
    assert answer.session_id == "s1"
    kept = await rows.get("s1")
    assert kept == a_row(state=state, ice_etag=answer.etag)
    recorder.refusal = MalformedError("That is no offer")
    with pytest.raises(MalformedError):
        await service.accept_whip(ALICE, "demo", "hello")
    assert await rows.get("s1") == kept, "a bad offer ends nothing"


async def test_an_active_session_elsewhere_is_in_the_way(service: SessionService, rows: SqlSessionRepository) -> None:
    await rows.add(a_row(state=INTERRUPTED))
    with pytest.raises(AlreadyActiveError):
        await service.accept_whip(ALICE, "other", "offer")
    await rows.add(a_row("demo", RECORDING, user_id="bob", source="synthetic"))
    with pytest.raises(AlreadyActiveError):
        await service.accept_whip(BOB, "demo", "offer")


async def test_stopping_drains_and_stopping_again_changes_nothing(
    service: SessionService, rows: SqlSessionRepository, recorder: RememberingRecorder
) -> None:
    await rows.add(a_row(state=RECORDING))
    first = await service.stop(ALICE, "s1")
    assert (first.session.state, first.session.reason) == (DRAINING, "Stopped by its user")
    assert (first.session.ended_at_us, first.session.drains_at_us) == (START_US, START_US + WINDOW_US)
    assert await service.stop(ALICE, "s1") == first
    assert recorder.kinds == ["stop"]


class LateRows(SqlSessionRepository):
    """Rows whose session moves on right after it was read."""

    def __init__(self, engine: AsyncEngine, moves_to: SessionState) -> None:
        super().__init__(engine)
        self._moves_to: SessionState | None = moves_to

    async def get(self, session_id: str) -> Session | None:
        session = await super().get(session_id)
        if session is not None and self._moves_to is not None:
            to, self._moves_to = self._moves_to, None
            await self.change(session_id, session.state, state=to)
        return session


async def test_a_publisher_that_leaves_at_the_same_moment_does_not_undo_a_stop(tmp_path: Path) -> None:
    async with a_database(tmp_path) as engine:
        rows, recorder = LateRows(engine, INTERRUPTED), RememberingRecorder()
        await rows.add(a_row(state=RECORDING))
        service = a_service(rows, recorder, tmp_path)
        assert (await service.stop(ALICE, "s1")).session.state is DRAINING
        assert recorder.kinds == ["stop"]


async def test_a_publisher_that_comes_back_at_the_last_moment_goes_on(
    service: SessionService, rows: SqlSessionRepository
) -> None:
    seen = await rows.add(a_row(state=INTERRUPTED))
    await rows.change("s1", INTERRUPTED, state=RECORDING)
    assert await service.end_as_seen(seen, "The publisher did not come back") is None
    assert (await rows.get("s1") or seen).state is RECORDING


async def test_stopping_works_without_a_recorder(
    service: SessionService, rows: SqlSessionRepository, recorder: RememberingRecorder
) -> None:
    recorder.connected = False
    await rows.add(a_row(state=RECORDING))
    assert (await service.stop(ALICE, "s1")).session.state is DRAINING


async def test_what_is_anothers_is_not_there(service: SessionService, rows: SqlSessionRepository) -> None:
    await rows.add(a_row(state=RECORDING))
    for call in (
        service.stop(BOB, "s1"),
        service.timeline(BOB, "s1", 0),
        service.segment(BOB, "s1", 1),
        service.thumbnail(BOB, "s1", 1),
        service.whip_session(BOB, "demo", "s1"),
        service.restart_ice(BOB, "s1", "a=ice-ufrag:x"),
        service.end_whip(BOB, "s1"),
        service.find(BOB, session_id="s1", room_name=None),
        service.find(BOB, session_id=None, room_name="demo"),
    ):
        with pytest.raises(NotFoundError):
            await call
    assert (await service.in_room(BOB, "demo")).sessions == ()
    assert await service.own(BOB) == []
    assert await rows.get("s1") == a_row(state=RECORDING)


async def test_a_whip_resource_is_a_running_share_in_its_room(
    service: SessionService, rows: SqlSessionRepository
) -> None:
    await rows.add(a_row(state=RECORDING))
    await rows.add(a_row("over", DRAINING))
    await rows.add(a_row("demo", RECORDING, user_id="bob", source="synthetic"))
    assert (await service.whip_session(ALICE, "demo", "s1")).session_id == "s1"
    for who, room, session_id in ((ALICE, "other", "s1"), (ALICE, "demo", "over"), (BOB, "demo", "demo")):
        with pytest.raises(NotFoundError):
            await service.whip_session(who, room, session_id)


async def test_a_room_is_captured_from_where_something_can_be(
    service: SessionService, rows: SqlSessionRepository
) -> None:
    await rows.add(a_row("before", DRAINING, started_at_us=1))
    await rows.add(a_row("now", STARTING, started_at_us=2))
    found = await service.find(ALICE, session_id=None, room_name="demo")
    assert (found.session_id, found.recording) == ("before", False)
    await rows.change("now", STARTING, state=RECORDING)
    found = await service.find(ALICE, session_id=None, room_name="demo")
    assert (found.session_id, found.recording) == ("now", True)


async def test_a_failure_is_told_for_ten_minutes(service: SessionService, rows: SqlSessionRepository) -> None:
    await rows.add(a_row("fresh", FAILED, since_us=START_US - 599_000_000))
    await rows.add(a_row("stale", FAILED, since_us=START_US - 601_000_000))
    await rows.add(a_row("gone", EXPIRED))
    assert [view.session.session_id for view in await service.own(ALICE)] == ["fresh"]
    assert [view.session.session_id for view in (await service.in_room(ALICE, "demo")).sessions] == ["fresh"]


async def test_all_sessions_come_page_by_page_newest_first(service: SessionService, rows: SqlSessionRepository) -> None:
    for number in range(5):
        await rows.add(a_row(f"s{number}", DRAINING, started_at_us=number))
    first, cursor = await service.everybody_s(ROOT, limit=2, cursor=None)
    second, following = await service.everybody_s(ROOT, limit=2, cursor=cursor)
    third, end = await service.everybody_s(ROOT, limit=2, cursor=following)
    seen = [[watched.view.session.session_id for watched in page] for page in (first, second, third)]
    assert (seen, end) == ([["s4", "s3"], ["s2", "s1"], ["s0"]], None)
    assert (await service.everybody_s(ROOT, limit=5, cursor=None))[1] is None
    with pytest.raises(ValidationError, match="not one of ours"):
        await service.everybody_s(ROOT, limit=2, cursor="s4")


async def test_a_recorder_that_is_silent_is_told_from_one_that_does_not_record(
    service: SessionService, rows: SqlSessionRepository, recorder: RememberingRecorder
) -> None:
    await rows.add(a_row("over", DRAINING, started_at_us=1))
    await rows.add(a_row("runs", RECORDING, started_at_us=2))
    recorder.known = ["runs"]

    async def told() -> list[tuple[str, int | None]]:
        page, _ = await service.everybody_s(ROOT, limit=2, cursor=None)
        return [(watched.recorded, watched.lag_us) for watched in page]

    assert await told() == [("yes", 0), ("no", None)]
    recorder.connected = False
    assert await told() == [("unknown", None)] * 2


async def test_a_manager_sees_all_of_a_room_saves_from_others_after_their_own_and_ends_them(
    service: SessionService, rows: SqlSessionRepository
) -> None:
    mod = Principal("mod", communities={"c1": ("moderator",)})
    await rows.add(a_row("alices", RECORDING, community_id="c1", started_at_us=3))
    await rows.add(a_row("bobs", RECORDING, user_id="bob", community_id="c2", started_at_us=4))
    found = await service.find(mod, session_id=None, room_name="demo")
    assert (found.session_id, found.user_id, found.longest_us) == ("alices", "alice", WINDOW_US)
    await rows.add(a_row("mods", DRAINING, user_id="mod", community_id="c1", started_at_us=1))
    assert (await service.find(mod, session_id=None, room_name="demo")).session_id == "mods"
    room = await service.in_room(mod, "demo")
    assert [view.session.session_id for view in room.sessions] == ["alices", "mods"]
    assert [session.session_id for session in room.running] == ["bobs", "alices"]
    assert [view.session.session_id for view in await service.own(mod)] == ["mods"]
    ended = await service.stop(mod, "alices")
    assert (ended.session.state, ended.session.reason) == (
        DRAINING,
        "Stopped by somebody who manages the replay buffers here",
    )
    with pytest.raises(NotFoundError):
        await service.stop(mod, "bobs")


async def test_one_ends_ones_own_buffer_whatever_one_may(service: SessionService, rows: SqlSessionRepository) -> None:
    await rows.add(a_row(state=RECORDING))
    nothing = Principal("alice", book=RoleBook({(None, EVERYBODY): frozenset()}))
    assert (await service.stop(nothing, "s1")).session.reason == "Stopped by its user"
