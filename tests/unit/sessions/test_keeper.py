from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.audit import a_trail
from tests.support.communities import SaidCommunities, an_admission, starts_of
from tests.support.encoded_clip import encoded_clip
from tests.support.media import record
from tests.support.session_rows import START_US, RememberingRecorder, a_database, a_row

from lookback.access.communities import CommunityConfig
from lookback.buffer.layout import BufferLayout
from lookback.buffer.reader import SegmentCache
from lookback.buffer.session_file import SessionRecord, write_session
from lookback.db.sessions import SqlSessionRepository
from lookback.errors import NotFoundError
from lookback.recorder.control import SessionMoved, StartSynthetic, StopSession
from lookback.sessions.buffers import SessionBuffers
from lookback.sessions.keeper import SessionKeeper, Times
from lookback.sessions.model import Session, SessionState
from lookback.sessions.moves import Moves
from lookback.sessions.onlookers import Onlookers
from lookback.sessions.rights import SessionRights
from lookback.sessions.service import SessionService
from lookback.sessions.sweeping import Sweeper

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

STARTING, RECORDING, INTERRUPTED, DRAINING, EXPIRED, FAILED = SessionState
SECOND = 1_000_000
TIMES = Times()
SLACK_US = 120 * SECOND
WINDOW_US = 600 * SECOND


@dataclass(slots=True)
class House:
    """A keeper with everything it keeps. `now_us` is its clock."""

    layout: BufferLayout
    rows: SqlSessionRepository
    recorder: RememberingRecorder
    now_us: int = START_US
    communities: SaidCommunities = field(default_factory=SaidCommunities)

    @property
    def keeper(self) -> SessionKeeper:
        """A keeper as after a start of the server."""
        buffers, moves = SessionBuffers(self.layout, SegmentCache()), Moves(self.rows, self.clock, a_trail())
        starts = starts_of(an_admission(self.rows, self.communities), self.recorder)
        rights = SessionRights(self.communities)
        service = SessionService(
            self.rows,
            self.recorder,
            buffers,
            moves,
            clock=self.clock,
            starts=starts,
            rights=rights,
            onlookers=Onlookers(a_trail(), self.clock),
        )
        return SessionKeeper(
            self.rows,
            self.recorder,
            buffers,
            moves,
            service,
            clock=self.clock,
            times=TIMES,
            communities=self.communities,
            starts=starts,
            sweeper=Sweeper(self.rows, buffers, moves, self.communities, clock=self.clock, slack_us=SLACK_US),
        )

    def clock(self) -> int:
        return self.now_us

    async def row(self, session_id: str = "s1") -> Session:
        row = await self.rows.get(session_id)
        assert row is not None
        return row

    async def after(self, seconds: float, session_id: str = "s1") -> Session:
        """The session after the keeper has looked so long after the start."""
        self.now_us = START_US + round(seconds * SECOND)
        await self.keeper.look_after(self.now_us)
        return await self.row(session_id)

    async def sees(self, to: Any, cause: str = "Because", session_id: str = "s1", **more: Any) -> Session:
        """The session after the recorder has said something about it."""
        event = SessionMoved(session_id=session_id, to=to, cause=cause, at_us=self.now_us, **more)
        await self.keeper.saw(event)
        await self.keeper.saw(event)  # the same event may come again
        return await self.row(session_id)

    def directory(self, row: Session) -> Path:
        return self.layout.session_dir(row.room_name, row.user_id, row.session_id)

    def on_disk(self, row: Session, *, frames: int = 0, **more: Any) -> Path:
        """The session's directory, with so many frames in it."""
        directory = self.directory(row)
        directory.mkdir(parents=True, exist_ok=True)
        record_of = SessionRecord(row.session_id, row.room_name, row.user_id, row.source, row.started_at_us, **more)
        write_session(directory, record_of)
        if frames:
            record(directory, encoded_clip(), start_us=START_US, frames=frames)
        return directory


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path) as house:
        yield house


@asynccontextmanager
async def a_house(folder: Path) -> AsyncIterator[House]:
    buffer = folder / "buffer"
    buffer.mkdir()
    async with a_database(folder) as engine:
        yield House(BufferLayout(buffer), SqlSessionRepository(engine), RememberingRecorder())


# ---- what time brings


async def test_a_share_without_picture_fails_after_its_time_with_a_sentence(house: House) -> None:
    await house.rows.add(a_row())
    assert (await house.after(30)).state is STARTING
    failed = await house.after(30.1)
    assert (failed.state, failed.ended_at_us) == (FAILED, house.now_us)
    assert failed.reason == "No picture came within 30 s: the publisher sent no key frame"
    assert house.recorder.asked == [StopSession(session_id="s1", cause=failed.reason)]
    assert await house.rows.active_of("alice") is None


async def test_files_of_egress_have_longer_to_come_than_packets(house: House) -> None:
    await house.rows.add(a_row(source="egress", reason="LiveKit Egress did not find the shared screen"))
    assert (await house.after(59)).state is STARTING
    failed = await house.after(61)
    assert (failed.state, failed.reason) == (FAILED, "LiveKit Egress did not find the shared screen")


async def test_a_share_that_fails_without_a_recorder_fails_all_the_same(house: House) -> None:
    house.recorder.connected = False
    await house.rows.add(a_row())
    assert (await house.after(31)).state is FAILED
    assert house.recorder.asked == []


async def test_a_recording_is_left_alone(house: House) -> None:
    await house.rows.add(a_row(state=RECORDING))
    assert await house.after(86_400) == a_row(state=RECORDING)


async def test_an_interrupted_share_drains_after_its_grace_as_of_when_it_was_lost(house: House) -> None:
    await house.rows.add(a_row(state=INTERRUPTED, reason="The publisher went silent"))
    assert (await house.after(60)).state is INTERRUPTED
    drained = await house.after(60.1)
    assert (drained.state, drained.reason) == (DRAINING, "The publisher went silent")
    assert (drained.ended_at_us, drained.drains_at_us) == (START_US, START_US + WINDOW_US)
    assert house.recorder.kinds == ["stop"]


async def test_an_interrupted_demo_is_started_again_once_there_is_a_recorder(house: House) -> None:
    await house.rows.add(a_row(state=INTERRUPTED, source="synthetic"))
    house.recorder.connected = False
    await house.after(1)
    assert house.recorder.kinds == []
    house.recorder.connected = True
    await house.after(2)
    assert house.recorder.kinds == ["start_synthetic"]
    house.recorder.refusal = NotFoundError("No")
    assert (await house.after(3)).state is INTERRUPTED, "a refusal ends nothing"


async def test_what_drains_expires_when_its_window_has_passed(house: House) -> None:
    row = await house.rows.add(a_row(state=DRAINING, ended_at_us=START_US, drains_at_us=START_US + WINDOW_US))
    directory = house.on_disk(row, frames=60)
    assert (await house.after(599)).state is DRAINING
    expired = await house.after(600)
    assert (expired.state, expired.reason) == (EXPIRED, "Its window has passed")
    assert not directory.exists()


@pytest.mark.parametrize("state", [STARTING, RECORDING, INTERRUPTED])
async def test_where_buffers_are_switched_off_what_runs_ends_and_is_told_why(house: House, state: SessionState) -> None:
    house.communities.configs["c1"] = CommunityConfig(enabled=False)
    await house.rows.add(a_row(state=state, community_id="c1"))
    await house.rows.add(a_row("elsewhere", RECORDING, user_id="bob"))
    ended = await house.after(1)
    assert (ended.state, ended.reason) == (DRAINING, "Replay buffers are switched off in this community")
    assert (await house.row("elsewhere")).state is RECORDING
    assert house.recorder.asked == [StopSession(session_id="s1", cause=ended.reason)]


async def test_a_community_keeps_what_it_wants_to_keep_and_a_change_holds_for_what_runs(house: House) -> None:
    row = await house.rows.add(a_row(state=RECORDING, community_id="c1", video_codec="h264"))
    directory = house.on_disk(row, frames=600)
    segments = len(list(directory.glob("*.idx")))
    await house.after(400)
    assert len(list(directory.glob("*.idx"))) == segments > 1, "ten minutes are kept by default"
    house.communities.configs["c1"] = CommunityConfig(window_minutes=1)
    await house.after(400)
    assert len(list(directory.glob("*.idx"))) < segments
    drained = await house.keeper._service.end(await house.row(), "Enough")
    assert drained.drains_at_us == house.now_us + 60 * SECOND


async def test_what_drains_and_has_nothing_expires_at_once(house: House) -> None:
    await house.rows.add(a_row(state=DRAINING, drains_at_us=START_US + WINDOW_US))
    assert (await house.after(1)).state is EXPIRED


async def test_a_buffer_that_is_away_expires_nothing_before_its_time(house: House) -> None:
    row = await house.rows.add(a_row(state=DRAINING, drains_at_us=START_US + WINDOW_US, video_codec="h264"))
    directory = house.on_disk(row, frames=30)
    root = house.layout.root
    root.rename(root.with_name("away"))
    assert (await house.after(1)).state is DRAINING
    root.with_name("away").rename(root)
    assert (await house.after(20)).state is DRAINING
    assert directory.exists()
    root.rename(root.with_name("away"))
    assert (await house.after(601)).state is EXPIRED


async def test_a_recording_loses_what_is_older_than_is_kept_and_goes_on(house: House) -> None:
    row = await house.rows.add(a_row(state=RECORDING))
    directory = house.on_disk(row, frames=120)
    many = len(list(directory.glob("segment-*.mp4")))
    assert (await house.after(725)).state is RECORDING
    assert 1 <= len(list(directory.glob("segment-*.mp4"))) < many


# ---- what the recorder sees


async def test_a_first_picture_makes_it_a_recording_with_its_codecs(house: House) -> None:
    await house.rows.add(a_row())
    row = await house.sees("recording", video_codec="h264", audio_codec="opus", width=1280, height=720)
    assert (row.state, row.video_codec, row.audio_codec, row.width, row.height) == (
        (RECORDING, "h264", "opus", 1280, 720)
    )
    assert (await house.sees("recording", video_codec="vp8", width=640, height=360)).video_codec == "vp8"


async def test_a_lost_publisher_interrupts_and_one_that_comes_back_goes_on(house: House) -> None:
    await house.rows.add(a_row(state=RECORDING))
    house.now_us += SECOND
    lost = await house.sees("interrupted", "The connection was lost")
    assert (lost.state, lost.reason, lost.since_us) == (INTERRUPTED, "The connection was lost", START_US + SECOND)
    back = await house.sees("recording", "It came back", video_codec="h264")
    assert (back.state, back.reason) == (RECORDING, None)


async def test_a_failure_ends_what_never_recorded(house: House) -> None:
    await house.rows.add(a_row())
    failed = await house.sees("failed", "The handshake failed")
    assert (failed.state, failed.reason, failed.ended_at_us) == (FAILED, "The handshake failed", START_US)


@pytest.mark.parametrize("state", [STARTING, RECORDING, INTERRUPTED])
async def test_a_source_that_has_ended_drains(house: House, state: SessionState) -> None:
    await house.rows.add(a_row(state=state))
    row = await house.sees("stopped", "The share ended")
    assert (row.state, row.reason, row.ended_at_us) == (DRAINING, "The share ended", START_US)
    assert row.drains_at_us == START_US + WINDOW_US


async def test_storage_that_fails_is_the_reason_until_it_works_again(house: House) -> None:
    await house.rows.add(a_row(state=RECORDING, video_codec="h264"))
    failing = await house.sees("storage-failing", "Not enough disk space")
    assert failing == a_row(state=RECORDING, video_codec="h264", reason="Not enough disk space")
    assert (await house.sees("storage-recovered")).reason is None


async def test_what_is_wrong_with_a_source_is_the_reason_until_it_is_over(house: House) -> None:
    await house.rows.add(a_row(state=SessionState.RECORDING))
    assert (await house.sees("degraded", "No sound comes")).reason == "No sound comes"
    assert (await house.sees("restored", "What comes is whole again")).reason is None


@pytest.mark.parametrize("state", [DRAINING, EXPIRED, FAILED])
async def test_a_recording_of_what_is_over_is_let_go(house: House, state: SessionState) -> None:
    row = await house.rows.add(a_row(state=state))
    assert await house.sees("recording", video_codec="h264") == row
    assert "stop" in house.recorder.kinds
    house.recorder.asked.clear()
    assert await house.sees("interrupted") == row
    assert house.recorder.kinds == []


async def test_a_recording_of_what_nobody_knows_is_let_go(house: House) -> None:
    await house.keeper.saw(SessionMoved(session_id="?", to="recording", cause="x", at_us=1))
    assert [getattr(request, "session_id", None) for request in house.recorder.asked] == ["?"]


# ---- after a restart


async def test_a_recording_that_no_worker_knows_was_interrupted(house: House) -> None:
    for session_id in ("known", "lost"):
        await house.rows.add(a_row(session_id, RECORDING, user_id=session_id))
    house.recorder.known = ["known"]
    await house.keeper.reconcile()
    assert (await house.row("known")).state is RECORDING
    assert ((await house.row("lost")).state, (await house.row("lost")).reason) == (
        (INTERRUPTED, "The server was restarted")
    )


async def test_without_any_worker_all_recordings_were_interrupted(house: House) -> None:
    await house.rows.add(a_row(state=RECORDING))
    house.recorder.connected = False
    await house.keeper.reconcile()
    assert (await house.row()).state is INTERRUPTED


async def test_a_worker_lets_go_of_what_is_over_or_unknown(house: House) -> None:
    await house.rows.add(a_row("over", DRAINING))
    await house.rows.add(a_row("mine", RECORDING))
    house.recorder.known = ["over", "mine", "unknown"]
    await house.keeper.reconcile()
    stopped = {request.session_id for request in house.recorder.asked if isinstance(request, StopSession)}
    assert stopped == {"over", "unknown"}


async def test_a_directory_without_row_can_be_saved_from_again(house: House) -> None:
    lost = a_row("found", room_name="../Raum", user_id="bob", community_id="c")
    house.on_disk(lost, frames=60, community_id="c", participant_identity="bob-1", cause="The recorder died")
    await house.keeper.reconcile()
    row = await house.row("found")
    assert (row.state, row.reason, row.room_name, row.user_id) == (DRAINING, "The recorder died", "../Raum", "bob")
    assert (row.community_id, row.participant_identity) == ("c", "bob-1")
    assert row.ended_at_us == pytest.approx(START_US + 60 * SECOND // encoded_clip().shape.fps, abs=SECOND)
    assert row.drains_at_us == (row.ended_at_us or 0) + WINDOW_US
    assert (await house.after(5, "found")).state is DRAINING
    await house.keeper.reconcile()
    assert (await house.row("found")).state is DRAINING


@pytest.mark.parametrize("state", [FAILED, EXPIRED])
async def test_leftovers_of_what_is_over_are_removed(house: House, state: SessionState) -> None:
    row = await house.rows.add(a_row(state=state))
    directory = house.on_disk(row)
    await house.keeper.reconcile()
    assert not directory.exists()
    assert (await house.row()).state is state


@pytest.mark.parametrize("text", ["", "{", '{"session_id": 1}', '{"session_id":"s9","room_name":"r"}', "\0"])
async def test_a_directory_that_says_nonsense_stops_nobody(house: House, text: str) -> None:
    nonsense = house.on_disk(a_row("nonsense"))
    (nonsense / "session.json").write_text(text)
    house.on_disk(a_row("found"), frames=30)
    await house.keeper.reconcile()
    assert (await house.row("found")).state is DRAINING
    assert nonsense.exists()


async def test_a_recording_that_lost_its_row_goes_on(house: House) -> None:
    house.on_disk(a_row("found", user_id="bob"), frames=60)
    house.recorder.known = ["found"]
    await house.keeper.reconcile()
    row = await house.row("found")
    assert (row.state, row.since_us, row.ended_at_us) == (RECORDING, START_US, None)
    assert "stop" not in house.recorder.kinds


async def test_a_demo_that_had_not_begun_is_begun_again(house: House) -> None:
    await house.rows.add(a_row("demo", source="synthetic"))
    await house.rows.add(a_row("share", user_id="bob"))
    await house.keeper.reconcile()
    begun = [request.session.session_id for request in house.recorder.asked if isinstance(request, StartSynthetic)]
    assert begun == ["demo"]


async def test_a_directory_that_cannot_be_removed_stops_nobody(house: House) -> None:
    stubborn = house.on_disk(await house.rows.add(a_row("a", EXPIRED)))
    (stubborn / "not-a-file").mkdir()
    house.on_disk(a_row("b", user_id="bob"), frames=60)
    await house.keeper.reconcile()
    assert stubborn.exists()
    assert (await house.row("b")).state is DRAINING
