from __future__ import annotations

import pytest

from lookback.access.consent import EVERYWHERE, Statement, auto_start_said, forbids, refusal

NOTHING: list[Statement] = []


def test_who_has_said_nothing_may_be_buffered_and_begins_by_themselves() -> None:
    assert not forbids(NOTHING, "r")
    assert auto_start_said(NOTHING, "r") is None


@pytest.mark.parametrize(
    ("everywhere", "here", "forbidden"),
    [
        ("forbid", None, True),
        ("allow", None, False),
        ("forbid", "allow", False),
        ("allow", "forbid", True),
        (None, "forbid", True),
        (None, "allow", False),
        (None, None, False),
    ],
)
def test_what_was_said_for_a_room_counts_there(everywhere: str, here: str, forbidden: bool) -> None:
    said = [Statement(EVERYWHERE, everywhere), Statement("r", here)]  # type: ignore[arg-type]
    assert forbids(said, "r") is forbidden
    assert forbids(said, "another") is (everywhere == "forbid")


@pytest.mark.parametrize(
    ("everywhere", "here", "wanted"),
    [(True, None, True), (True, False, False), (False, True, True), (None, True, True), (None, None, None)],
)
def test_so_does_the_wish_that_buffers_begin_by_themselves(
    everywhere: bool | None, here: bool | None, wanted: bool | None
) -> None:
    said = [Statement(EVERYWHERE, auto_start=everywhere), Statement("r", "allow", auto_start=here)]
    assert auto_start_said(said, "r") is wanted
    assert auto_start_said(said, "another") is everywhere


def test_a_room_cannot_be_mistaken_for_everywhere() -> None:
    assert not forbids([Statement("r", "forbid")], EVERYWHERE)


def test_a_refusal_tells_oneself_what_to_do_and_others_nothing_more() -> None:
    assert "PUT /livekit-replay/me/consent" in refusal("alice", "alice").detail
    assert refusal("alice", "bob").detail == "This person does not want to be buffered"
    assert refusal("alice", None).detail == refusal("alice", "bob").detail
