from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tests.support.communities import SaidCommunities, SaidConsents, an_admission, starts_of
from tests.support.livekit_rooms import SaidLivekit, a_room, a_sharer, a_watcher
from tests.support.session_rows import START_US, RememberingRecorder, a_database, a_row

from lookback.access.communities import CommunityConfig
from lookback.access.principal import Principal
from lookback.access.roles import RoleBook
from lookback.db.sessions import SqlSessionRepository
from lookback.errors import LookbackError, NobodySharingError, NoCapacityError, UnsupportedCodecError
from lookback.recorder.control import RecordLivekit
from lookback.sessions.auto_start import AutoStart, begins_by_itself
from lookback.sessions.livekit_shares import LivekitStarter
from lookback.sessions.model import Session, SessionState
from lookback.sessions.service import ACTIVE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from lookback.access.communities import AutoStart as Mode
    from lookback.access.roles import Permission, RoleKey
    from lookback.sessions.rooms import ParticipantFacts

MINUTE_US = 60_000_000


@pytest.mark.parametrize(
    ("mode", "wanted", "begins"),
    [
        ("off", None, False),
        ("off", True, False),
        ("off", False, False),
        ("optIn", None, False),
        ("optIn", True, True),
        ("optIn", False, False),
        ("on", None, True),
        ("on", True, True),
        ("on", False, False),
    ],
)
def test_the_community_and_the_sharer_both_have_a_say(mode: Mode, wanted: bool | None, begins: bool) -> None:
    assert begins_by_itself(mode, wanted) is begins


@dataclass(slots=True)
class Said:
    """What people want, and what their roles allow. Implements auto_start.Preferences and access.ports.Grants."""

    wanted: dict[str, bool] = field(default_factory=dict)
    defined: Mapping[RoleKey, frozenset[Permission]] = field(default_factory=dict)

    async def auto_start(self, user_id: str, _room_name: str) -> bool | None:
        """See Preferences."""
        return self.wanted.get(user_id)

    async def of(self, user_id: str) -> Principal:
        """See Grants."""
        return Principal(user_id, book=RoleBook(self.defined))


@dataclass(slots=True)
class Place:
    """A community whose rooms begin to keep shares by themselves."""

    rows: SqlSessionRepository
    recorder: RememberingRecorder = field(default_factory=RememberingRecorder)
    livekit: SaidLivekit = field(default_factory=SaidLivekit)
    consents: SaidConsents = field(default_factory=SaidConsents)
    said: Said = field(default_factory=Said)
    mode: Mode = "on"
    limit: int | None = None
    now_us: int = START_US
    communities: SaidCommunities = field(default_factory=lambda: SaidCommunities(rooms={"demo": "c1"}))

    def clock(self) -> int:
        return self.now_us

    @property
    def auto_start(self) -> AutoStart:
        config = CommunityConfig(auto_start=self.mode, max_concurrent=self.limit)
        self.communities.configs["c1"] = config
        admission = an_admission(self.rows, self.communities, self.consents, self.livekit)
        starter = LivekitStarter(self.recorder, self.livekit, "lookback-here", self.clock)
        starts = starts_of(admission, self.recorder, {"livekit": starter})
        return AutoStart(starts, self.communities, self.said, self.said, self.clock)

    async def considers(self, participant: ParticipantFacts, auto_start: AutoStart | None = None) -> list[Session]:
        """What is kept afterwards."""
        self.livekit.known = [a_room(participant)]
        await (auto_start or self.auto_start).consider("demo", participant)
        return await self.rows.in_states(ACTIVE)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with a_database(tmp_path) as engine:
        yield Place(SqlSessionRepository(engine))


async def test_a_share_begins_to_be_kept_by_itself(place: Place) -> None:
    (session,) = await place.considers(a_sharer("phone-1", "TR_7", attributes={"userId": "alice"}))
    assert (session.user_id, session.participant_identity, session.track_sid) == ("alice", "phone-1", "TR_7")
    assert (session.source, session.community_id, session.room_name) == ("livekit", "c1", "demo")
    (request,) = place.recorder.asked
    assert isinstance(request, RecordLivekit)
    assert (request.session.session_id, request.token) == (session.session_id, "lookback-here may record demo")
    assert not request.include_microphone


@pytest.mark.parametrize("mode", ["off", "optIn"])
async def test_nothing_begins_that_nobody_has_asked_for(place: Place, mode: Mode) -> None:
    place.mode = mode
    assert await place.considers(a_sharer()) == []
    assert place.recorder.asked == []


async def test_who_opts_in_is_kept(place: Place) -> None:
    place.mode, place.said.wanted = "optIn", {"alice": True}
    assert len(await place.considers(a_sharer())) == 1


async def test_who_does_not_want_it_is_left_alone(place: Place) -> None:
    place.said.wanted = {"alice": False}
    assert await place.considers(a_sharer()) == []
    place.said.wanted, place.consents.forbidding = {}, {("alice", "demo")}
    assert await place.considers(a_sharer()) == []


async def test_who_may_not_start_buffers_gets_none(place: Place) -> None:
    place.said.defined = {(None, "everybody"): frozenset()}
    assert await place.considers(a_sharer()) == []


async def test_an_active_session_elsewhere_stays_the_only_one(place: Place) -> None:
    row = a_row(state=SessionState.RECORDING, room_name="other")
    await place.rows.add(row)
    assert await place.considers(a_sharer()) == [row]


async def test_whoever_does_not_share_is_passed_over(place: Place) -> None:
    assert await place.considers(a_watcher("alice")) == []


async def test_a_share_that_has_ended_meanwhile_is_passed_over(place: Place) -> None:
    place.livekit.known = [a_room(a_watcher("alice"))]
    await place.auto_start.consider("demo", a_sharer())
    assert await place.rows.in_states(ACTIVE) == []


@pytest.mark.parametrize(
    ("error", "after_minutes", "tries"),
    [
        (UnsupportedCodecError("Nothing for us"), 1, 1),
        (UnsupportedCodecError("Nothing for us"), 61, 2),
        (NoCapacityError("Not now"), 1, 2),
        (NobodySharingError("It was short"), 0, 2),
    ],
)
async def test_what_cannot_be_kept_is_tried_again_when_that_makes_sense(
    place: Place, error: LookbackError, after_minutes: int, tries: int
) -> None:
    auto_start, place.recorder.refusal = place.auto_start, error
    assert await place.considers(a_sharer(), auto_start) == []
    place.now_us += after_minutes * MINUTE_US
    assert await place.considers(a_sharer(), auto_start) == []
    assert place.recorder.kinds == ["record_livekit"] * tries


async def test_another_share_is_not_held_back_by_the_one_that_failed(place: Place) -> None:
    auto_start, place.recorder.refusal = place.auto_start, UnsupportedCodecError("Nothing for us")
    await place.considers(a_sharer(sid="TR_1"), auto_start)
    place.recorder.refusal = None
    assert len(await place.considers(a_sharer(sid="TR_2"), auto_start)) == 1


async def test_the_limit_of_the_community_holds(place: Place) -> None:
    place.limit = 1
    await place.rows.add(a_row(state=SessionState.RECORDING, user_id="bob", community_id="c1"))
    assert [session.user_id for session in await place.considers(a_sharer())] == ["bob"]


async def test_livekit_that_does_not_answer_is_no_failure_of_the_watch(place: Place) -> None:
    place.livekit.away = True
    await place.auto_start.consider("demo", a_sharer())
    assert await place.rows.in_states(ACTIVE) == []
