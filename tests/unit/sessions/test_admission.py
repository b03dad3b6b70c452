from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from tests.support.communities import SaidCommunities, SaidConsents, an_admission
from tests.support.said_rooms import SaidRooms, somebody
from tests.support.session_rows import START_US, a_database, a_row

from lookback.access.communities import CommunityConfig
from lookback.access.principal import Principal
from lookback.access.roles import EVERYBODY, RoleBook
from lookback.db.sessions import SqlSessionRepository
from lookback.errors import (
    AlreadyActiveError,
    BufferDisabledError,
    CommunityLimitError,
    ConsentError,
    EncryptedError,
    LivekitUnavailableError,
    NobodySharingError,
    NotFoundError,
    PermissionDeniedError,
    ValidationError,
)
from lookback.sessions.admission import Admission, Ask
from lookback.sessions.model import Session, SessionState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

ALICE, MANAGER = Principal("alice"), Principal("manager", communities={"c1": ("moderator",)})
WHIP, LIVE = Ask("office", "whip"), Ask("office", "livekit")


@dataclass(slots=True)
class Door:
    """What an admission goes by, and what it let in."""

    rows: SqlSessionRepository
    communities: SaidCommunities = field(default_factory=lambda: SaidCommunities(rooms={"office": "c1"}))
    consents: SaidConsents = field(default_factory=SaidConsents)
    livekit: SaidRooms = field(default_factory=SaidRooms)

    @property
    def without_livekit(self) -> Admission:
        return an_admission(self.rows, self.communities, self.consents)

    @property
    def admission(self) -> Admission:
        return an_admission(self.rows, self.communities, self.consents, self.livekit)

    def rules(self, **rules: object) -> None:
        self.communities.configs["c1"] = replace(CommunityConfig(), **rules)  # type: ignore[arg-type]

    async def inside(self) -> list[Session]:
        return await self.rows.in_states(list(SessionState))


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with a_database(tmp_path) as engine:
        yield Door(SqlSessionRepository(engine))


async def test_ones_own_share_is_let_in(door: Door) -> None:
    session = await door.admission.admit(ALICE, WHIP)
    assert session == a_row("new-1", room_name="office", community_id="c1", source="whip")
    assert (session.started_at_us, session.state) == (START_US, SessionState.STARTING)
    assert await door.inside() == [session]


# ---- whose room it is


async def test_the_caller_may_name_the_rooms_community_and_no_other(door: Door) -> None:
    with pytest.raises(ValidationError):
        await door.admission.admit(ALICE, replace(WHIP, community_id="c2"))
    with pytest.raises(ValidationError):
        await door.admission.admit(ALICE, Ask("of nobody", "whip", community_id="c1"))
    assert (await door.admission.admit(ALICE, replace(WHIP, community_id="c1"))).community_id == "c1"


async def test_permission_is_asked_for_in_the_rooms_community(door: Door) -> None:
    book = RoleBook({("c1", EVERYBODY): frozenset()})
    with pytest.raises(PermissionDeniedError, match=r"^Permission denied - ENABLE_REPLAY_BUFFER$") as refusal:
        await door.admission.admit(Principal("alice", book=book), WHIP)
    assert refusal.value.facts == {"grantedBy": ["member", "moderator"]}
    assert await door.inside() == []
    await door.admission.admit(Principal("alice", book=book), Ask("elsewhere", "whip"))


# ---- the community's rules


async def test_where_buffers_are_switched_off_none_begins(door: Door) -> None:
    door.rules(enabled=False)
    with pytest.raises(BufferDisabledError):
        await door.admission.admit(ALICE, WHIP)
    assert await door.inside() == []


async def test_of_a_hundred_starts_at_once_where_five_may_exactly_five_are_let_in(door: Door) -> None:
    door.rules(max_concurrent=5)
    admission = door.admission
    done = await asyncio.gather(
        *(admission.admit(Principal(f"user-{number}"), WHIP) for number in range(100)), return_exceptions=True
    )
    assert sum(isinstance(found, Session) for found in done) == 5
    assert sum(isinstance(found, CommunityLimitError) for found in done) == 95
    assert len(await door.inside()) == 5


async def test_rooms_of_no_community_have_no_limit(door: Door) -> None:
    admission = door.admission
    for number in range(30):
        await admission.admit(Principal(f"user-{number}"), Ask("of nobody", "whip"))
    assert len(await door.inside()) == 30


async def test_whoever_has_a_buffer_gets_no_other(door: Door) -> None:
    admission = door.admission
    first = await admission.admit(ALICE, WHIP)
    with pytest.raises(AlreadyActiveError) as refusal:
        await admission.admit(ALICE, Ask("elsewhere", "synthetic"))
    assert refusal.value.facts == {"sessionId": first.session_id}


async def test_who_forbids_it_is_not_buffered_whoever_asks(door: Door) -> None:
    door.consents.forbidding.add(("alice", "office"))
    for who, ask in [(ALICE, WHIP), (MANAGER, replace(WHIP, participant_identity="alice"))]:
        with pytest.raises(ConsentError):
            await door.admission.admit(who, ask)
    assert await door.inside() == []


class LateRows(SqlSessionRepository):
    """Rows beside which something happens while a session is inserted."""

    def __init__(self, engine: AsyncEngine, door: SaidCommunities, consents: SaidConsents, *, off: bool) -> None:
        super().__init__(engine)
        self._communities, self._consents, self._off = door, consents, off

    async def add(self, session: Session, limit: int | None = None) -> Session:
        added = await super().add(session, limit)
        if self._off:
            self._communities.configs["c1"] = CommunityConfig(enabled=False)
        else:
            self._consents.forbidding.add(("alice", "office"))
        return added


@pytest.mark.parametrize("off", [True, False])
async def test_what_is_forbidden_at_the_same_moment_does_not_begin(tmp_path: Path, *, off: bool) -> None:
    async with a_database(tmp_path) as engine:
        communities, consents = SaidCommunities(rooms={"office": "c1"}), SaidConsents()
        rows = LateRows(engine, communities, consents, off=off)
        with pytest.raises(BufferDisabledError if off else ConsentError):
            await an_admission(rows, communities, consents).admit(ALICE, WHIP)
        assert await rows.in_states(list(SessionState)) == []


# ---- whose share it is


async def test_who_manages_the_community_may_start_for_another_and_it_is_the_others(door: Door) -> None:
    session = await door.admission.admit(MANAGER, Ask("office", "synthetic", participant_identity="bob"))
    assert (session.user_id, session.participant_identity) == ("bob", "bob")


async def test_nobody_else_may(door: Door) -> None:
    for room in ("office", "elsewhere"):
        who = ALICE if room == "office" else MANAGER
        with pytest.raises(PermissionDeniedError, match=r"^Permission denied - MANAGE_REPLAY_LIMITS$"):
            await door.admission.admit(who, Ask(room, "synthetic", participant_identity="bob"))
    assert await door.inside() == []


async def test_one_must_be_in_the_room_as_livekit_knows_it(door: Door) -> None:
    for told in ((), (somebody("bob", shares=True),)):
        door.livekit.says("office", *told)
        with pytest.raises(NotFoundError):
            await door.admission.admit(ALICE, LIVE)
    with pytest.raises(NotFoundError):
        await door.admission.admit(ALICE, Ask("nowhere", "livekit"))
    door.livekit.says("office", somebody("alice", shares=True))
    session = await door.admission.admit(ALICE, LIVE)
    assert (session.user_id, session.participant_identity, session.track_sid) == ("alice", "alice", "TR_alice")


async def test_a_participant_is_the_user_its_application_says(door: Door) -> None:
    phone = somebody("phone-7", attributes={"userId": "alice"})
    laptop = somebody("laptop-7", shares=True, attributes={"userId": "alice"})
    door.livekit.says("office", phone, laptop)
    session = await door.admission.admit(ALICE, LIVE)
    assert (session.user_id, session.participant_identity) == ("alice", "laptop-7")


async def test_a_named_participant_must_be_oneself(door: Door) -> None:
    door.livekit.says("office", somebody("laptop-7", shares=True, attributes={"userId": "alice"}))
    assert (await door.admission.admit(ALICE, replace(LIVE, participant_identity="laptop-7"))).user_id == "alice"
    for identity in ("laptop-7", "nobody"):
        with pytest.raises(PermissionDeniedError, match="MANAGE_REPLAY_LIMITS"):
            await door.admission.admit(Principal("bob"), replace(LIVE, participant_identity=identity))


async def test_an_identity_that_reads_like_ones_own_name_but_is_anothers_is_refused(door: Door) -> None:
    door.livekit.says("office", somebody("bob", shares=True, attributes={"userId": "alice"}))
    with pytest.raises(PermissionDeniedError):
        await door.admission.admit(Principal("bob"), replace(LIVE, participant_identity="bob"))
    with pytest.raises(NotFoundError):
        await door.admission.admit(Principal("bob"), LIVE)


async def test_a_manager_starts_for_a_participant_and_the_session_is_that_users(door: Door) -> None:
    door.livekit.says("office", somebody("laptop-7", shares=True, attributes={"userId": "alice"}))
    session = await door.admission.admit(MANAGER, replace(LIVE, participant_identity="laptop-7"))
    assert (session.user_id, session.participant_identity) == ("alice", "laptop-7")
    with pytest.raises(NotFoundError):
        await door.admission.admit(MANAGER, replace(LIVE, participant_identity="nobody"))


async def test_there_must_be_a_share_that_can_be_kept(door: Door) -> None:
    door.livekit.says("office", somebody("alice"))
    with pytest.raises(NobodySharingError):
        await door.admission.admit(ALICE, LIVE)
    door.livekit.says("office", somebody("alice", shares=True, encrypted=True))
    with pytest.raises(EncryptedError):
        await door.admission.admit(ALICE, LIVE)
    assert await door.inside() == []


async def test_when_livekit_does_not_answer_nothing_begins_that_needs_it(door: Door) -> None:
    door.livekit.away = True
    with pytest.raises(LivekitUnavailableError):
        await door.admission.admit(ALICE, LIVE)
    assert (await door.admission.admit(ALICE, WHIP)).source == "whip"


async def test_without_livekit_an_identity_is_a_user(door: Door) -> None:
    session = await door.without_livekit.admit(ALICE, replace(LIVE, participant_identity="alice"))
    assert session.user_id == "alice"
    with pytest.raises(PermissionDeniedError):
        await door.without_livekit.admit(Principal("bob"), replace(LIVE, participant_identity="alice"))
