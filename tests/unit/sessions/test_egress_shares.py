"""Sessions that Egress records, over a real database: every failure of Egress, and what becomes of the session."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.audit import a_trail
from tests.support.egress_stage import OPTIONS, SECOND, Stage
from tests.support.livekit_rooms import a_room, a_sharer, a_watcher
from tests.support.session_rows import START_US, a_database, a_row
from tests.support.waiting import eventually

from lookback.db.sessions import SqlSessionRepository
from lookback.errors import (
    EncryptedError,
    LivekitUnavailableError,
    NobodySharingError,
    NoCapacityError,
    NotFoundError,
)
from lookback.sessions import egress_rules as rules
from lookback.sessions.egress_places import session_of
from lookback.sessions.egresses import EgressFacts
from lookback.sessions.model import SessionState
from lookback.sessions.moves import Moves

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with a_database(tmp_path) as engine:
        rows = SqlSessionRepository(engine)
        yield Stage(rows, Moves(rows, lambda: START_US, a_trail()))


# ---- starting


async def test_a_share_is_recorded_with_its_sound_into_a_folder_of_its_session(stage: Stage) -> None:
    async with stage.shares() as shares:
        await shares.begin(a_row(source="egress"))
    (wish,) = stage.egress.wishes
    assert (wish.room_name, wish.video_sid, wish.audio_sid, wish.segment_seconds) == ("demo", "TR_1", "TR_1-sound", 10)
    assert session_of(OPTIONS, wish.folder) == "s1"
    (request,) = stage.followed
    assert request.directory == f"/mnt/egress/s1/{START_US // 1000}"
    assert request.spare_directory == "/mnt/tmp/EG_1"
    assert (request.audio, request.segment_seconds, request.session.session_id) == (True, 10, "s1")


async def test_a_share_without_sound_is_followed_without(stage: Stage) -> None:
    room = a_room(a_sharer())
    sharer = room.participants[0]
    silent = type(sharer)("alice", tracks=(sharer.tracks[0],))
    stage.livekit.known = [a_room(silent)]
    async with stage.shares() as shares:
        await shares.begin(a_row(source="egress"))
    assert stage.egress.wishes[0].audio_sid is None
    assert not stage.followed[0].audio


@pytest.mark.parametrize("rooms", [[], [a_room()], [a_room(a_watcher("alice"))], [a_room(a_sharer("bob"))]])
async def test_without_a_share_there_is_nothing_to_record(stage: Stage, rooms: list[Any]) -> None:
    stage.livekit.known = rooms
    async with stage.shares() as shares:
        with pytest.raises(NobodySharingError):
            await shares.begin(a_row(source="egress"))


async def test_an_encrypted_share_is_refused(stage: Stage) -> None:
    sharer = a_sharer()
    screen = type(sharer.tracks[0])("TR_1", "screen", encrypted=True)
    stage.livekit.known = [a_room(type(sharer)("alice", tracks=(screen,)))]
    async with stage.shares() as shares:
        with pytest.raises(EncryptedError):
            await shares.begin(a_row(source="egress"))


async def test_a_refusal_at_once_is_raised(stage: Stage) -> None:
    stage.egress.refusal = NotFoundError("The room has ended")
    async with stage.shares() as shares:
        with pytest.raises(NotFoundError):
            await shares.begin(a_row(source="egress"))


async def test_nobody_waits_23_seconds_to_hear_that_no_service_answers(stage: Stage) -> None:
    stage.egress.answers.clear()
    stage.egress.refusal = NoCapacityError("No LiveKit Egress answers")
    session = a_row(source="egress")
    await stage.rows.add(session)
    async with stage.shares(answer_s=0.05) as shares:
        await shares.begin(session)
        assert (await stage.row()).state is SessionState.STARTING
        stage.now_us += 23_600_000
        stage.egress.answers.set()
        await stage.look(shares)
    row = await stage.row()
    assert (row.state, row.reason) == (SessionState.FAILED, "No LiveKit Egress answers")


async def test_a_track_that_is_not_found_is_looked_for_anew(stage: Stage) -> None:
    async with stage.shares() as shares:
        await stage.begun(shares, SessionState.STARTING)
        stage.egress.becomes("EG_1", status="failed", error="track TR_1 not found", error_code=404)
        stage.livekit.known = [a_room(a_sharer(sid="TR_2"))]
        await stage.look(shares, 10.4)
        assert (await stage.row()).reason == rules.NO_TRACK
        await stage.look(shares, 2)
    assert [wish.video_sid for wish in stage.egress.wishes] == ["TR_1", "TR_2"]


# ---- going on


async def test_an_egress_that_works_is_left_alone(stage: Stage) -> None:
    async with stage.shares() as shares:
        await stage.begun(shares)
        for _ in range(20):
            stage.until_us = (stage.until_us or 0) + 5 * SECOND
            await stage.look(shares, 5)
    assert (len(stage.egress.wishes), stage.egress.stopped) == (1, [])


async def test_a_share_that_ends_while_its_sound_goes_on_ends_the_egress(stage: Stage) -> None:
    async with stage.shares() as shares:
        await stage.begun(shares)
        stage.livekit.known = [a_room(a_watcher("alice"))]
        await stage.look(shares)
        assert stage.egress.stopped == [], "it may be moving to another track"
        await stage.look(shares, 4)
        assert stage.egress.stopped == ["EG_1"]


async def test_a_screen_that_is_shared_anew_is_followed_by_a_new_egress_of_the_same_session(stage: Stage) -> None:
    async with stage.shares() as shares:
        await stage.begun(shares)
        stage.livekit.known = [a_room(a_sharer(sid="TR_2"))]
        await stage.look(shares)
        assert stage.egress.stopped == ["EG_1"]
        await stage.look(shares, 2)
        await stage.look(shares, 2)
    assert [wish.video_sid for wish in stage.egress.wishes] == ["TR_1", "TR_2"]
    assert [request.session.session_id for request in stage.followed] == ["s1", "s1"]
    assert stage.followed[0].directory != stage.followed[1].directory
    assert stage.egress.stopped == ["EG_1"], "once"


async def test_a_killed_service_is_given_up_although_livekit_says_that_it_is_active(stage: Stage) -> None:
    stage.egress.unstoppable = LivekitUnavailableError("LiveKit Egress does not answer")
    async with stage.shares() as shares:
        await stage.begun(shares)
        await stage.look(shares, 46)
        assert stage.egress.stopped == ["EG_1"]
        await stage.look(shares, 2)
    assert len(stage.egress.wishes) == 2
    assert stage.egress.egresses[0].status == "active"


async def test_a_killed_handler_is_said_and_another_one_started(stage: Stage) -> None:
    async with stage.shares() as shares:
        await stage.begun(shares, SessionState.RECORDING)
        await stage.rows.change("s1", SessionState.RECORDING, state=SessionState.INTERRUPTED)
        stage.egress.becomes("EG_1", status="failed", error="internal error", error_code=500)
        await stage.look(shares, 1)
        assert (await stage.row()).reason == rules.CRASHED
        await stage.look(shares, 2)
    assert len(stage.egress.wishes) == 2


async def test_a_full_disk_is_said_without_its_path(stage: Stage) -> None:
    async with stage.shares() as shares:
        await stage.begun(shares)
        await stage.rows.change("s1", SessionState.RECORDING, state=SessionState.INTERRUPTED)
        stage.egress.becomes("EG_1", status="failed", error="write /out/full/seg_00002.ts: no space left on device")
        await stage.look(shares, 1)
    assert (await stage.row()).reason == rules.DISK_FULL


async def test_failures_are_tried_again_later_and_later(stage: Stage) -> None:
    async with stage.shares() as shares:
        await stage.begun(shares)
        stage.egress.refusal = NoCapacityError("No LiveKit Egress answers")
        stage.egress.becomes("EG_1", status="failed", error="internal error", error_code=500)
        tried: list[int] = []
        for second in range(40):
            before = len(stage.egress.wishes)
            await stage.look(shares, 1)
            tried += [second] if len(stage.egress.wishes) > before else []
    assert tried == [1, 3, 7, 15, 31]


async def test_what_somebody_else_stops_ends_the_session(stage: Stage) -> None:
    async with stage.shares() as shares:
        await stage.begun(shares)
        stage.egress.becomes("EG_1", status="complete", end_reason="End reason: StopEgress API")
        await stage.look(shares, 1)
    assert stage.ended == [("s1", rules.STOPPED_BY_OTHERS)]
    assert len(stage.egress.wishes) == 1


async def test_a_stopped_session_stops_its_egress(stage: Stage) -> None:
    async with stage.shares() as shares:
        session = await stage.begun(shares)
        await stage.end(session, "Stopped by its user")
        await stage.look(shares, 1)
        assert stage.egress.stopped == ["EG_1"]
        await stage.look(shares, 4.2)
        assert shares._kept == {}
    assert (await stage.row()).reason == "Stopped by its user"


async def test_a_server_that_starts_anew_finds_its_egresses_by_their_folders(stage: Stage) -> None:
    async with stage.shares() as shares:
        await stage.begun(shares)
    async with stage.shares() as shares:
        await stage.look(shares, 5)
        await stage.rows.change("s1", SessionState.RECORDING, state=SessionState.INTERRUPTED)
        await shares.resume(await stage.row())
    assert len(stage.egress.wishes) == 1
    assert [request.directory for request in stage.followed] == [stage.followed[0].directory] * 2


async def test_what_goes_on_for_a_session_that_is_over_is_stopped(stage: Stage) -> None:
    stage.egress.egresses = [
        EgressFacts("EG_ours", "demo", "active", folder="/out/s9/1795384759000"),
        EgressFacts("EG_theirs", "demo", "active", folder="/recordings/demo"),
    ]
    async with stage.shares() as shares:
        await stage.look(shares)
        await eventually(lambda: stage.egress.stopped, what="the stop")
    assert stage.egress.stopped == ["EG_ours"]


async def test_the_recorder_is_asked_again_when_it_began_anew_but_not_all_the_time(stage: Stage) -> None:
    async with stage.shares() as shares:
        await stage.begun(shares)
        await stage.rows.change("s1", SessionState.RECORDING, state=SessionState.INTERRUPTED)
        for _ in range(8):
            stage.now_us += SECOND // 2
            await shares.resume(await stage.row())
    assert len(stage.followed) == 2


async def test_a_webhook_wakes_whoever_looks(stage: Stage) -> None:
    async with stage.shares() as shares:
        shares.heard(EgressFacts("EG_1", "demo", folder="/somewhere/else"))
        assert not shares._woken.is_set()
        shares.heard(EgressFacts("EG_1", "demo", folder="/out/s1/1795384759000"))
        assert shares._woken.is_set()


async def test_livekit_that_does_not_answer_ends_nothing(stage: Stage) -> None:
    async with stage.shares() as shares:
        await stage.begun(shares)
        stage.livekit.away = True
        with pytest.raises(LivekitUnavailableError):
            await stage.look(shares, 100)
    assert (stage.egress.stopped, stage.ended) == ([], [])


async def test_it_looks_by_itself_until_it_is_cancelled(stage: Stage) -> None:
    session = a_row(source="egress")
    await stage.rows.add(session)
    stage.now_us += 16 * SECOND  # not at once: whoever admitted it may be starting it right now
    async with stage.shares() as shares:
        running = asyncio.create_task(shares.run(stage.end))
        await eventually(lambda: stage.followed, what="the egress that a row without one gets")
        running.cancel()
        await asyncio.wait([running])
    assert len(stage.egress.wishes) == 1
