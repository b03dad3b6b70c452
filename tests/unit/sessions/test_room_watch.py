from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from tests.support.audit import a_trail
from tests.support.communities import SaidCommunities, an_admission, starts_of
from tests.support.livekit_rooms import RECORDER, SaidLivekit, a_room, a_sharer, a_watcher, our_recorder
from tests.support.session_rows import START_US, RememberingRecorder, a_database, a_row
from tests.support.waiting import eventually

from lookback.access.communities import CommunityConfig
from lookback.access.principal import Principal
from lookback.buffer.layout import BufferLayout
from lookback.buffer.reader import SegmentCache
from lookback.db.sessions import SqlSessionRepository
from lookback.errors import LivekitUnavailableError
from lookback.sessions.auto_start import AutoStart
from lookback.sessions.buffers import SessionBuffers
from lookback.sessions.livekit_shares import LivekitStarter
from lookback.sessions.model import Session, SessionState
from lookback.sessions.moves import Moves
from lookback.sessions.onlookers import Onlookers
from lookback.sessions.rights import SessionRights
from lookback.sessions.room_watch import GONE, RoomWatch, WatchTimes
from lookback.sessions.rooms import RoomEvent
from lookback.sessions.service import ACTIVE, STOPPED, SessionService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lookback.sessions.rooms import RoomFacts
    from lookback.sessions.starting import Starts

STARTING, RECORDING, INTERRUPTED, DRAINING, EXPIRED, FAILED = SessionState
SECOND = 1_000_000
KEPT = a_row(state=RECORDING, source="livekit", track_sid="TR_1")


class Nobody:
    """Everybody may, and nobody has said anything. Implements auto_start.Preferences and access.ports.Grants."""

    async def auto_start(self, _user_id: str, _room_name: str) -> bool | None:
        """See Preferences."""
        return None

    async def of(self, user_id: str) -> Principal:
        """See Grants."""
        return Principal(user_id)


@dataclass(slots=True)
class Watched:
    """A server, what we know of it, and a watch over both; every share begins to be kept by itself."""

    folder: Path
    rows: SqlSessionRepository
    livekit: SaidLivekit = field(default_factory=SaidLivekit)
    recorder: RememberingRecorder = field(default_factory=RememberingRecorder)
    now_us: int = START_US
    communities: SaidCommunities = field(
        default_factory=lambda: SaidCommunities({None: CommunityConfig(auto_start="on", max_concurrent=None)})
    )
    starts: Starts = field(init=False)

    def __post_init__(self) -> None:
        starter = LivekitStarter(self.recorder, self.livekit, RECORDER, self.clock)
        admission = an_admission(self.rows, self.communities, livekit=self.livekit)
        self.starts = starts_of(admission, self.recorder, {"livekit": starter})

    def clock(self) -> int:
        return self.now_us

    def watch(self, every_s: float = 3600.0) -> RoomWatch:
        """A watch as after a start of the server."""
        communities, starts = self.communities, self.starts
        moves = Moves(self.rows, self.clock, a_trail())
        service = SessionService(
            self.rows,
            self.recorder,
            SessionBuffers(BufferLayout(self.folder), SegmentCache()),
            moves,
            clock=self.clock,
            starts=starts,
            rights=SessionRights(communities),
            onlookers=Onlookers(a_trail(), self.clock),
        )
        watch = RoomWatch(
            self.livekit,
            self.rows,
            self.recorder,
            service,
            AutoStart(starts, communities, Nobody(), Nobody(), self.clock),
            recorder_identity=RECORDER,
            clock=self.clock,
            times=WatchTimes(every_s=every_s, leaving_s=0),
        )
        moves.watch(watch.moved)
        return watch

    @asynccontextmanager
    async def running(self, every_s: float = 3600.0) -> AsyncIterator[RoomWatch]:
        async with asyncio.TaskGroup() as tasks:
            watch = self.watch(every_s)
            running = tasks.create_task(watch.run())
            yield watch
            running.cancel()

    async def row(self, session_id: str = "s1") -> Session:
        row = await self.rows.get(session_id)
        assert row is not None
        return row

    async def kept(self) -> list[str | None]:
        """The tracks of active sessions."""
        return [session.track_sid for session in await self.rows.in_states(ACTIVE)]


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    async with a_database(tmp_path) as engine:
        yield Watched(tmp_path, SqlSessionRepository(engine))


# ---- looks at everything


async def test_a_share_that_is_gone_ends_its_session_after_the_grace_window(watched: Watched) -> None:
    await watched.rows.add(KEPT)
    watch = watched.watch()
    for _ in range(2):
        await watch.look()
        assert (await watched.row()).state is RECORDING
        watched.now_us += 30 * SECOND
    await watch.look()
    ended = await watched.row()
    assert (ended.state, ended.reason, ended.ended_at_us) == (DRAINING, GONE, START_US)
    assert watched.recorder.kinds.count("stop") == 1


async def test_looks_that_failed_prove_nothing(watched: Watched) -> None:
    await watched.rows.add(KEPT)
    watched.livekit.known = [a_room(a_sharer())]
    watch = watched.watch()
    for minute in range(10):
        watched.livekit.away = minute % 5 > 0
        watched.now_us += 60 * SECOND
        if watched.livekit.away:
            with pytest.raises(LivekitUnavailableError):
                await watch.look()
        else:
            await watch.look()
    assert (await watched.row()).state is RECORDING


async def test_a_long_share_is_never_ended(watched: Watched) -> None:
    await watched.rows.add(KEPT)
    watched.livekit.known = [a_room(a_sharer(), our_recorder())]
    watch = watched.watch()
    for _ in range(100):
        watched.now_us += 600 * SECOND
        await watch.look()
    assert await watched.row() == KEPT
    assert watched.livekit.removed == []


async def test_a_recorder_without_sessions_is_sent_away(watched: Watched) -> None:
    watched.livekit.known = [a_room(a_watcher(), our_recorder())]
    await watched.watch().look()
    assert watched.livekit.removed == [("demo", RECORDER)]


async def test_a_share_that_nobody_keeps_is_kept_without_any_webhook(watched: Watched) -> None:
    watched.livekit.known = [a_room(a_sharer()), a_room(a_sharer("carol", "TR_3"), name="other")]
    async with watched.running(every_s=0.01):
        await eventually(lambda: both_kept(watched), what="two sessions")


async def both_kept(watched: Watched) -> bool:
    return set(await watched.kept()) == {"TR_1", "TR_3"}


async def test_two_processes_that_look_at_once_begin_one_session(watched: Watched) -> None:
    watched.livekit.known = [a_room(a_sharer())]
    await asyncio.gather(*(watched.watch().look() for _ in range(5)))
    assert await watched.kept() == ["TR_1"]
    assert watched.recorder.kinds.count("record_livekit") == 1


async def test_two_processes_that_look_at_once_end_a_session_once(watched: Watched) -> None:
    await watched.rows.add(KEPT)
    watches = [watched.watch() for _ in range(3)]
    await asyncio.gather(*(watch.look() for watch in watches))
    watched.now_us += 60 * SECOND
    await asyncio.gather(*(watch.look() for watch in watches))
    assert (await watched.row()).state is DRAINING
    assert watched.recorder.kinds.count("stop") == 1


async def test_the_watch_goes_on_when_livekit_has_been_away(watched: Watched) -> None:
    watched.livekit.known, watched.livekit.away = [a_room(a_sharer())], True
    async with watched.running(every_s=0.01):
        watched.livekit.away = False
        await eventually(watched.kept, what="a session")


# ---- what people have ended


@pytest.mark.parametrize(
    "over",
    [
        replace(KEPT, state=DRAINING, reason=STOPPED),
        replace(KEPT, state=EXPIRED, reason=STOPPED),
        replace(KEPT, state=FAILED, reason="No picture came"),
    ],
)
async def test_a_share_whose_buffer_was_ended_is_not_kept_again(watched: Watched, over: Session) -> None:
    await watched.rows.add(over)
    watched.livekit.known = [a_room(a_sharer())]
    watched.now_us += 600 * SECOND
    await watched.watch().look()
    assert await watched.kept() == []


async def test_a_share_whose_buffer_ended_by_itself_is_kept_again(watched: Watched) -> None:
    await watched.rows.add(replace(KEPT, state=DRAINING, reason="LiveKit was away for too long"))
    watched.livekit.known = [a_room(a_sharer())]
    await watched.watch().look()
    assert await watched.kept() == ["TR_1"]


async def test_a_new_track_of_a_kept_share_is_remembered_and_then_not_kept_after_a_stop(watched: Watched) -> None:
    await watched.rows.add(KEPT)
    watched.livekit.known = [a_room(a_sharer(sid="TR_2"))]
    async with watched.running() as watch:
        watch.heard(RoomEvent("track_published", "demo", "alice", "TR_2"))
        await eventually(lambda: follows(watched, "TR_2"), what="the new track")
        await watch._service.stop(Principal("alice"), "s1")
        watched.now_us += 600 * SECOND
        await watch.look()
    assert await watched.kept() == []


async def test_a_track_that_nobody_had_seen_before_the_stop_is_not_kept_either(watched: Watched) -> None:
    await watched.rows.add(KEPT)
    watched.livekit.known = [a_room(a_sharer(sid="TR_2"))]
    async with watched.running() as watch:
        await eventually(watch._hints.empty)
        watched.livekit.known = [a_room(a_sharer(sid="TR_3"))]
        await watch._service.stop(Principal("alice"), "s1")
        await eventually(lambda: follows(watched, "TR_3"), what="the track that was shared at the stop")
        watched.now_us += 600 * SECOND
        await watch.look()
    assert await watched.kept() == []


async def follows(watched: Watched, track_sid: str) -> bool:
    return (await watched.row()).track_sid == track_sid


# ---- hints


def published(sid: str = "TR_1") -> RoomEvent:
    return RoomEvent("track_published", "demo", "alice", sid)


async def test_a_webhook_begins_a_session_at_once(watched: Watched) -> None:
    async with watched.running() as watch:
        watched.livekit.known = [a_room(a_sharer())]
        watch.heard(published())
        assert await eventually(watched.kept) == ["TR_1"]


async def test_a_room_that_is_behind_its_webhook_is_looked_at_again(watched: Watched) -> None:
    watched.livekit.known = [a_room(a_watcher("alice"))]
    async with watched.running() as watch:
        watch.heard(published())
        await eventually(watch._hints.empty)
        watched.livekit.known = [a_room(a_sharer())]
        assert await eventually(watched.kept) == ["TR_1"]


async def test_made_up_webhooks_change_nothing(watched: Watched) -> None:
    await watched.rows.add(KEPT)
    rooms: list[RoomFacts] = [a_room(a_sharer(), our_recorder())]
    watched.livekit.known = rooms
    async with watched.running() as watch:
        for kind in ("track_unpublished", "participant_left", "room_finished", "whatever"):
            watch.heard(RoomEvent(kind, "demo", "alice", "TR_1"))
            watch.heard(RoomEvent(kind, "nowhere"))
        await eventually(watch._hints.empty)
    assert await watched.row() == KEPT


async def test_hints_send_no_recorder_away(watched: Watched) -> None:
    watched.livekit.known = [a_room(our_recorder())]
    watch = watched.watch()
    await watch._follow(RoomEvent("participant_left", "demo", "alice"))
    assert watched.livekit.removed == [], "perhaps it is just about to leave"
    await watch.look()
    assert watched.livekit.removed == [("demo", RECORDER)]


async def test_more_hints_than_anybody_follows_are_one_look_at_everything(watched: Watched) -> None:
    watch = watched.watch()
    for number in range(1001):
        watch.heard(RoomEvent("track_published", f"room-{number}", "alice", "TR_1"))
    assert watch._overrun.is_set()
