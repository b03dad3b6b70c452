from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lookback.buffer.leases import LONGEST_US, Lease, Leases

HERE = Path("here")
SECOND = 1_000_000


def test_a_lease_holds_until_it_ends() -> None:
    leases = Leases()
    leases.take(HERE, Lease(10, 20, 100), 0)
    assert [held[:3] for held in leases.of(HERE, 99)] == [(10, 20, 100)]
    assert leases.of(HERE, 100) == ()
    assert leases.of(Path("elsewhere"), 0) == ()


def test_a_renewed_lease_lasts_longer_and_never_shorter() -> None:
    leases = Leases()
    for until in (10, 30, 20):
        leases.take(HERE, Lease(0, 5, until), 0)
    (held,) = leases.of(HERE, 15)
    assert held.until_us == 30


def test_what_has_ended_is_forgotten() -> None:
    leases = Leases()
    leases.take(HERE, Lease(0, 5, 10), 0)
    leases.of(HERE, 10)
    assert leases._leases == {}


def test_no_lease_is_renewed_for_ever() -> None:
    leases, now_us = Leases(), 0
    while leases.of(HERE, now_us) or not now_us:
        leases.take(HERE, Lease(0, 5, now_us + 60 * SECOND), now_us)
        now_us += 30 * SECOND
    assert now_us == LONGEST_US


def test_of_too_many_those_that_end_first_are_forgotten() -> None:
    leases = Leases()
    for number in range(100):
        leases.take(HERE, Lease(number, number + 1, 1000 - number), 0)
    kept = {held.start_us for held in leases.of(HERE, 0)}
    assert len(kept) == 64
    assert {0, 99} <= kept


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 2 * LONGEST_US), st.integers(0, LONGEST_US)), max_size=30))
def test_none_ends_later_than_may_be(taken: list[tuple[int, int, int]]) -> None:
    leases, now_us = Leases(), 0
    for start, lasts_us, passes_us in taken:
        leases.take(HERE, Lease(start, start + 1, now_us + lasts_us), now_us)
        for held in leases.of(HERE, now_us):
            assert now_us < held.until_us <= held.since_us + LONGEST_US
        now_us += passes_us
