"""One offer at a time, and nothing that was asked for is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lookback.recorder.livekit.negotiation import Negotiation

if TYPE_CHECKING:
    from lookback.recorder.livekit.offer import Kind


def test_the_first_offer_comes_before_anybody_shares() -> None:
    negotiation = Negotiation()
    assert negotiation.due()
    assert (negotiation.offer_id, negotiation.sections) == (1, ("audio", "video"))


def test_nothing_is_offered_while_an_answer_is_due() -> None:
    negotiation = Negotiation()
    negotiation.due()
    negotiation.require(1, 2)
    assert not negotiation.due()
    assert len(negotiation.sections) == 2
    assert negotiation.answered(1)
    assert negotiation.due()
    assert [*negotiation.sections] == ["audio", "video", "audio", "video", "video"]


def test_needs_that_come_meanwhile_go_into_one_offer() -> None:
    negotiation = Negotiation()
    negotiation.due()
    negotiation.require(1, 0)
    negotiation.require(0, 0)
    negotiation.require(0, 1)
    negotiation.answered(1)
    assert negotiation.due()
    negotiation.answered(2)
    assert not negotiation.due()
    assert negotiation.sections == ("audio", "video", "audio", "video")


def test_no_more_sections_means_offer_again() -> None:
    negotiation = Negotiation()
    negotiation.due()
    negotiation.answered(1)
    assert not negotiation.due()
    negotiation.require(0, 0)
    assert negotiation.due()
    assert (negotiation.offer_id, negotiation.sections) == (2, ("audio", "video"))


def test_an_answer_to_another_offer_is_not_taken() -> None:
    negotiation = Negotiation()
    assert not negotiation.answered(1)
    negotiation.due()
    assert not negotiation.answered(7)
    assert negotiation.waiting
    assert negotiation.answered(0)  # servers that do not number
    assert not negotiation.waiting


def test_an_offer_whose_answer_got_lost_is_made_again() -> None:
    negotiation = Negotiation()
    negotiation.due()
    negotiation.interrupted()
    assert negotiation.due()
    assert negotiation.offer_id == 2
    negotiation.answered(2)
    negotiation.interrupted()
    assert not negotiation.due()


KINDS: tuple[Kind, ...] = ("audio", "video")


class Server(RuleBasedStateMachine):
    """A server that asks and answers in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.negotiation = Negotiation()
        self.needed: dict[Kind, int] = {"audio": 1, "video": 1}
        self.offered: tuple[str, ...] = ()
        self.open: int | None = None

    @rule(audios=st.integers(0, 2), videos=st.integers(0, 2))
    def asks(self, audios: int, videos: int) -> None:
        self.negotiation.require(audios, videos)
        self.needed["audio"] += audios
        self.needed["video"] += videos

    @rule()
    def offers(self) -> None:
        if self.negotiation.due():
            assert self.open is None
            assert self.negotiation.sections[: len(self.offered)] == self.offered  # a mid is its place
            self.offered, self.open = self.negotiation.sections, self.negotiation.offer_id

    @precondition(lambda self: self.open is not None)
    @rule()
    def answers(self) -> None:
        assert self.negotiation.answered(self.open or 0)
        self.open = None

    @rule()
    def socket_is_cut(self) -> None:
        self.negotiation.interrupted()
        self.open = None

    @rule()
    def ice_is_restarted(self) -> None:
        self.negotiation.renew()

    @invariant()
    def nothing_is_offered_that_was_not_needed(self) -> None:
        assert all(self.negotiation.sections.count(kind) <= count for kind, count in self.needed.items())

    def teardown(self) -> None:
        """In the end everything that was asked for has been offered."""
        if self.open is not None:
            self.answers()
        self.negotiation.due()
        assert {kind: self.negotiation.sections.count(kind) for kind in KINDS} == self.needed


Server.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestNegotiation = Server.TestCase
