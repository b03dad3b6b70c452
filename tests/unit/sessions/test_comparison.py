from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.livekit_rooms import RECORDER, a_room, a_screen, a_sharer, a_watcher, our_recorder
from tests.support.session_rows import START_US, a_row

from lookback.sessions.comparison import Action, Compared, Consider, End, Follow, Known, Remove, compare
from lookback.sessions.model import SessionState
from lookback.sessions.rooms import ParticipantFacts, RoomFacts

STARTING, RECORDING, INTERRUPTED, DRAINING, EXPIRED, FAILED = SessionState
GRACE_US = 60_000_000
NOW_US = START_US + 3_600_000_000
KEPT = a_row(state=RECORDING, source="livekit", track_sid="TR_1")


def looked(*rooms: RoomFacts, **known: Any) -> Compared:
    return compare(rooms, Known(**{"now_us": NOW_US} | known), recorder=RECORDER, grace_us=GRACE_US)


def actions(*rooms: RoomFacts, **known: Any) -> tuple[Action, ...]:
    return looked(*rooms, **known).actions


def test_what_agrees_is_left_alone() -> None:
    room = a_room(a_sharer(), a_watcher(), our_recorder())
    assert looked(room, sessions=[KEPT], busy={"alice"}) == Compared((), {})


def test_nothing_at_all_is_nothing_to_do() -> None:
    assert looked() == Compared((), {})


# ---- shares that are gone


@pytest.mark.parametrize(
    "room",
    [
        None,
        a_room(),
        a_room(a_watcher("alice")),
        a_room(a_sharer("bob"), name="demo"),
        a_room(a_sharer("alice"), name="elsewhere"),
    ],
)
def test_a_share_that_is_gone_is_missed_before_it_is_given_up(room: RoomFacts | None) -> None:
    rooms = [room] if room else []
    first = looked(*rooms, sessions=[KEPT], busy={"alice", "bob"})
    assert first == Compared((), {"s1": NOW_US})
    later = NOW_US + GRACE_US - 1
    still = looked(*rooms, sessions=[KEPT], busy={"alice", "bob"}, missing_us=first.missing_us, now_us=later)
    assert still == Compared((), {"s1": NOW_US})
    over = looked(*rooms, sessions=[KEPT], busy={"alice", "bob"}, missing_us=still.missing_us, now_us=later + 1)
    assert over.actions == (End(KEPT, NOW_US),)


def test_a_share_that_is_seen_again_is_not_missed_any_more() -> None:
    seen = looked(a_room(a_sharer()), sessions=[KEPT], busy={"alice"}, missing_us={"s1": START_US})
    assert seen == Compared((), {})


def test_packets_prove_that_a_share_lives_whatever_livekit_says() -> None:
    long_missing = {"s1": START_US}
    alive = looked(sessions=[KEPT], missing_us=long_missing, heard_us={"s1": NOW_US - 1})
    assert alive == Compared((), {"s1": NOW_US - 1})
    silent = looked(sessions=[KEPT], missing_us=long_missing, heard_us={"s1": NOW_US - GRACE_US})
    assert silent.actions == (End(KEPT, NOW_US - GRACE_US),)


@pytest.mark.parametrize("state", [STARTING, INTERRUPTED])
def test_sessions_with_a_clock_of_their_own_are_not_missed(state: SessionState) -> None:
    session = replace(KEPT, state=state)
    assert looked(sessions=[session], missing_us={"s1": START_US}) == Compared((), {})


def test_a_muted_share_is_a_share() -> None:
    muted = ParticipantFacts("alice", tracks=(a_screen(muted=True),))
    assert looked(a_room(muted), sessions=[KEPT], busy={"alice"}, missing_us={"s1": START_US}) == Compared((), {})


def test_the_share_of_a_user_with_another_identity_is_theirs() -> None:
    phone = replace(KEPT, participant_identity="alice-phone")
    assert looked(a_room(a_sharer("alice-phone")), sessions=[phone], busy={"alice-phone"}) == Compared((), {})


# ---- shares that were begun anew


def test_a_new_track_of_the_same_person_is_the_same_share() -> None:
    assert actions(a_room(a_sharer(sid="TR_2")), sessions=[KEPT], busy={"alice"}) == (Follow(KEPT, "TR_2"),)


def test_who_stopped_a_moment_ago_is_not_kept_again_under_another_track() -> None:
    stopped = replace(KEPT, state=DRAINING)
    assert actions(a_room(a_sharer(sid="TR_2")), stopped=[stopped]) == (Follow(stopped, "TR_2"),)


# ---- recorders


def test_a_recorder_in_a_room_without_sessions_is_removed() -> None:
    rooms = a_room(our_recorder()), a_room(a_watcher(), name="other"), a_room(our_recorder(), name="third")
    assert actions(*rooms) == (Remove("demo", RECORDER), Remove("third", RECORDER))


@pytest.mark.parametrize("state", [STARTING, RECORDING, INTERRUPTED])
def test_a_recorder_stays_while_any_session_of_its_room_is_active(state: SessionState) -> None:
    room = a_room(a_sharer(), our_recorder())
    assert actions(room, sessions=[replace(KEPT, state=state)], busy={"alice"}) == ()


def test_recorders_of_others_are_left_alone() -> None:
    theirs = [ParticipantFacts(identity, kind="egress", hidden=True) for identity in ("EG_1", "lookback-there")]
    assert actions(a_room(*theirs)) == ()


# ---- shares that nobody keeps


def test_a_share_that_nobody_keeps_is_considered() -> None:
    alice, carol = a_sharer(), a_sharer("carol", "TR_3")
    room = a_room(alice, a_watcher(), carol, our_recorder())
    assert actions(room, sessions=[KEPT], busy={"alice"}) == (Consider("demo", carol),)


def test_the_user_behind_the_participant_counts() -> None:
    phone = a_sharer("phone-1", attributes={"userId": "alice"})
    assert actions(a_room(phone), busy={"alice"}) == ()
    assert actions(a_room(phone), busy={"phone-1"}) == (Consider("demo", phone),)


@pytest.mark.parametrize(
    "participant",
    [
        a_watcher("alice"),
        ParticipantFacts("alice", tracks=(a_screen(encrypted=True),)),
        a_sharer(hidden=True),
    ],
)
def test_what_cannot_or_must_not_be_kept_is_not_considered(participant: ParticipantFacts) -> None:
    assert actions(a_room(participant)) == ()


def test_a_share_whose_buffer_was_stopped_is_not_kept_again_but_the_next_one_is() -> None:
    assert actions(a_room(a_sharer()), declined={"TR_1"}) == ()
    anew = a_sharer(sid="TR_2")
    assert actions(a_room(anew), declined={"TR_1"}) == (Consider("demo", anew),)


# ---- whatever happens

_IDENTITIES = st.sampled_from(["alice", "bob", "carol"])
_PARTICIPANTS = st.one_of(
    st.builds(a_sharer, _IDENTITIES, st.sampled_from(["TR_1", "TR_2"])),
    st.builds(a_watcher, _IDENTITIES),
    st.just(our_recorder()),
)
_ROOMS = st.lists(
    st.builds(
        lambda name, people: a_room(*people, name=name),
        st.sampled_from(["demo", "other"]),
        st.lists(_PARTICIPANTS, max_size=4, unique_by=lambda p: p.identity),
    ),
    max_size=2,
    unique_by=lambda room: room.name,
)
_SESSIONS = st.lists(
    st.builds(
        lambda user, state, room, sid: a_row(
            user, state, user_id=user, participant_identity=user, room_name=room, source="livekit", track_sid=sid
        ),
        _IDENTITIES,
        st.sampled_from([STARTING, RECORDING, INTERRUPTED]),
        st.sampled_from(["demo", "other"]),
        st.sampled_from([None, "TR_1", "TR_2"]),
    ),
    max_size=3,
    unique_by=lambda session: session.session_id,
)


@given(_ROOMS, _SESSIONS, st.integers(0, 5))
def test_a_share_that_livekit_shows_is_never_ended_and_never_begun_twice(
    rooms: list[RoomFacts], sessions: list[Any], looks: int
) -> None:
    missing: Any = {}
    shared = {(room.name, sharer.identity) for room in rooms for sharer in room.sharers()}
    busy = {session.user_id for session in sessions}
    for number in range(looks + 1):
        known = Known(NOW_US + number * GRACE_US, sessions, (), busy, missing_us=missing)
        result = compare(rooms, known, recorder=RECORDER, grace_us=GRACE_US)
        missing = result.missing_us
        for action in result.actions:
            if isinstance(action, End):
                assert (action.session.room_name, action.session.user_id) not in shared
                assert number, "nothing is ended at the first look"
            if isinstance(action, Consider):
                assert action.participant.identity not in busy
            if isinstance(action, Remove):
                assert action.room_name not in {session.room_name for session in sessions}
