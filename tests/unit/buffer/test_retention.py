from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lookback.buffer.retention import Kept, Limits, Plan, Reason, Stored, plan

SECOND = 1_000_000
NOW = 1000
EVERYTHING_S = 10_000


def a_segment(at: int, *, size: int = 10, open_: bool = False, leased: bool = False, pinned: bool = False) -> Stored:
    """A segment of a second that ends at `at` seconds."""
    return Stored(at, (at - 1) * SECOND, at * SECOND, size, open=open_, leased=leased, pinned=pinned)


def a_session(
    session_id: str,
    *segments: Stored | int,
    user: str = "alice",
    community: str | None = "c1",
    keep: int = EVERYTHING_S,
) -> Kept:
    """A session that keeps `keep` seconds; segments by the second they end at."""
    stored = [a_segment(s) if isinstance(s, int) else s for s in segments]
    return Kept(session_id, user, community, keep * SECOND, stored)


def gone(found: Plan) -> list[tuple[str, int, str]]:
    """What goes, in order: session, number, reason."""
    return [(doomed.session_id, doomed.segment.number, doomed.reason.value) for doomed in found.doomed]


def planned(*sessions: Kept, need: int = 0, **limits: int) -> list[tuple[str, int, str]]:
    return gone(plan(sessions, Limits(**limits), NOW * SECOND, need))


# ---- age


def test_what_is_older_than_is_kept_goes_oldest_first() -> None:
    assert planned(a_session("s", 910, 920, 930, 990, keep=70)) == [
        ("s", 910, "age"),
        ("s", 920, "age"),
        ("s", 930, "age"),
    ]


def test_every_session_has_its_own_age() -> None:
    sessions = a_session("short", 900, 950, keep=60), a_session("long", 900, 950, keep=600)
    assert planned(*sessions) == [("short", 900, "age")]


def test_the_open_segment_never_goes() -> None:
    assert planned(a_session("s", a_segment(1, open_=True), keep=1), need=10, session_bytes=0, least_us=0) == []


def test_a_leased_segment_never_goes() -> None:
    assert planned(a_session("s", a_segment(1, leased=True), keep=1), need=10, session_bytes=0) == []


def test_nothing_goes_of_nothing() -> None:
    assert planned() == []
    assert planned(a_session("s"), need=10, instance_bytes=0) == []


# ---- size


def test_a_sessions_bytes_count_from_the_newest() -> None:
    sessions = a_session("a", 1, 2, 3, 4), a_session("b", 1, 2)
    assert planned(*sessions, session_bytes=25) == [("a", 1, "session"), ("a", 2, "session")]


def test_a_users_sessions_share_a_limit_and_lose_the_oldest_whosoever_it_is() -> None:
    sessions = (
        a_session("a", 1, 3, user="alice"),
        a_session("b", 2, 4, user="alice"),
        a_session("c", 1, 2, 3, user="bob"),
    )
    assert planned(*sessions, user_bytes=30) == [("a", 1, "user")]


def test_a_community_shares_a_limit_and_rooms_without_one_do_not() -> None:
    sessions = (
        a_session("a", 1, 3, user="alice"),
        a_session("b", 2, 4, user="bob"),
        a_session("c", 1, 2, 3, community="c2"),
        a_session("d", 1, 2, 3, 4, 5, community=None),
    )
    assert planned(*sessions, community_bytes=30) == [("a", 1, "community")]


def test_an_installation_has_a_limit_over_all() -> None:
    sessions = a_session("a", 1, 3), a_session("b", 2, 4, community=None, user="bob")
    assert planned(*sessions, instance_bytes=20) == [("a", 1, "instance"), ("b", 2, "instance")]


def test_the_first_limit_that_bites_is_the_reason_and_what_it_took_counts_no_more() -> None:
    session = a_session("a", 1, 2, 991, 992, 993, 994, keep=100)
    assert planned(session, session_bytes=30, user_bytes=20, instance_bytes=20) == [
        ("a", 1, "age"),
        ("a", 2, "age"),
        ("a", 991, "session"),
        ("a", 992, "user"),
    ]


def test_a_limit_that_is_met_exactly_takes_nothing() -> None:
    assert (
        planned(a_session("a", 1, 2, 3), session_bytes=30, user_bytes=30, community_bytes=30, instance_bytes=30) == []
    )


def test_open_and_leased_segments_use_up_what_may_be_kept() -> None:
    session = a_session("s", 1, a_segment(2, leased=True), a_segment(3, open_=True, size=20))
    assert planned(session, session_bytes=25) == [("s", 1, "session")]


# ---- leases


def test_leases_hold_only_so_many_bytes_counting_from_the_newest() -> None:
    sessions = (
        a_session("a", a_segment(1, leased=True), a_segment(3, leased=True), keep=1),
        a_session("b", a_segment(2, leased=True), keep=1),
    )
    assert planned(*sessions, leased_bytes=20) == [("a", 1, "age")]
    assert planned(*sessions, leased_bytes=0) == [("a", 1, "age"), ("b", 2, "age"), ("a", 3, "age")]
    assert planned(*sessions) == []


# ---- free space


def test_for_space_the_oldest_of_all_go_until_it_is_enough() -> None:
    sessions = a_session("a", 1, 3, 5), a_session("b", 2, 4, user="bob")
    assert planned(*sessions, need=25) == [("a", 1, "space"), ("b", 2, "space"), ("a", 3, "space")]


def test_windows_are_shortened_to_the_same_instant() -> None:
    sessions = [a_session(name, *range(first, 961)) for name, first in (("a", 900), ("b", 930), ("c", 950))]
    taken = planned(*sessions, need=10 * 70)
    left = {
        session.session_id: min(
            s.number for s in session.segments if (session.session_id, s.number, "space") not in taken
        )
        for session in sessions
    }
    assert max(left.values()) - min(left.values()) <= 1, left


def test_what_goes_anyway_counts_for_space() -> None:
    assert planned(a_session("a", 1, 2, 991, keep=100), need=20) == [("a", 1, "age"), ("a", 2, "age")]


def test_no_window_gets_shorter_than_the_least() -> None:
    session = a_session("a", 960, 970, 971, 990, a_segment(1000, open_=True))
    found = plan([session], Limits(least_us=30 * SECOND), NOW * SECOND, 1000)
    assert gone(found) == [("a", 960, "space"), ("a", 970, "space")]
    assert found.missing_bytes == 980


def test_a_size_knows_no_least_window() -> None:
    assert len(planned(a_session("a", 998, 999, 1000), session_bytes=0)) == 3


def test_bytes_that_a_clip_still_needs_are_not_freed() -> None:
    session = a_session("a", a_segment(1, pinned=True), 2, 3)
    found = plan([session], Limits(), NOW * SECOND, 20)
    assert gone(found) == [("a", 1, "space"), ("a", 2, "space"), ("a", 3, "space")]
    assert found.missing_bytes == 0
    assert plan([a_session("a", a_segment(1, pinned=True))], Limits(), NOW * SECOND, 20).missing_bytes == 20


# ---- for everything that can be


segments_of = st.lists(st.tuples(st.integers(0, NOW), st.integers(0, 40), st.booleans()), max_size=12)
limit = st.none() | st.integers(0, 400)


@st.composite
def households(draw: st.DrawFn) -> list[Kept]:
    sessions = []
    for number in range(draw(st.integers(0, 5))):
        drawn = sorted({at: (size, leased) for at, size, leased in draw(segments_of)}.items())
        segments = [a_segment(at, size=size, leased=leased) for at, (size, leased) in drawn]
        is_open: bool = draw(st.booleans())
        if segments and is_open:
            segments[-1] = segments[-1]._replace(open=True)
        user, community = draw(st.sampled_from("ab")), draw(st.sampled_from(["c1", "c2", None]))
        sessions.append(
            a_session(f"s{number}", *segments, user=user, community=community, keep=draw(st.integers(1, NOW)))
        )
    return sessions


@given(households(), st.tuples(limit, limit, limit, limit), st.integers(0, 500))
def test_what_stays_is_within_the_limits(
    sessions: list[Kept], sizes: tuple[int | None, int | None, int | None, int | None], need: int
) -> None:
    found = plan(sessions, Limits(*sizes), NOW * SECOND, need)
    taken = {(doomed.session_id, doomed.segment.number) for doomed in found.doomed}
    used: dict[tuple[int, str | None], int] = defaultdict(int)
    for session in sessions:
        groups = session.session_id, session.user_id, session.community_id, "all"
        for segment in session.segments:
            if segment.open or segment.leased:
                assert (session.session_id, segment.number) not in taken
            elif (session.session_id, segment.number) not in taken:
                assert segment.end_us > NOW * SECOND - session.keep_us
                for number, group in enumerate(groups):
                    used[number, group] += segment.size_bytes
    for (number, group), size in used.items():
        most = sizes[number]
        assert most is None or group is None or size <= most


@given(households(), limit, st.integers(0, 500))
def test_only_the_oldest_go(sessions: list[Kept], all_: int | None, need: int) -> None:
    """Of what could have gone for a size or for space, nothing that stays is older than what went."""
    sessions = [replace(session, keep_us=EVERYTHING_S * SECOND) for session in sessions]
    found = plan(sessions, Limits(instance_bytes=all_, least_us=0), NOW * SECOND, need)
    taken = {(doomed.session_id, doomed.segment.number): doomed.segment.end_us for doomed in found.doomed}
    stays = [
        segment.end_us
        for session in sessions
        for segment in session.segments
        if (session.session_id, segment.number) not in taken and not segment.open and not segment.leased
    ]
    assert not taken or not stays or max(taken.values()) <= min(stays)
    assert list(taken.values()) == sorted(taken.values())


@given(households(), st.integers(0, 500))
def test_enough_is_freed_or_said_to_be_missing(sessions: list[Kept], need: int) -> None:
    found = plan(sessions, Limits(), NOW * SECOND, need)
    freed = sum(doomed.segment.size_bytes for doomed in found.doomed)
    assert freed + found.missing_bytes >= need
    spacious = [doomed for doomed in found.doomed if doomed.reason is Reason.SPACE]
    assert not spacious or freed - spacious[-1].segment.size_bytes < need
