"""Sequence numbers: order, holes and what is asked for; what reports say about them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lookback.media import nack
from lookback.media.reception import Reception
from lookback.media.reorder import Missing, Placement, Reorder


def number_as_bytes(number: int) -> bytes:
    return number.to_bytes(4, "big")


def receive(order: Reorder, number: int) -> list[int]:
    """Give a packet to the order; return what came out, each packet holding its own number."""
    packet, sequence = number_as_bytes(number), number & 0xFFFF
    if not order.started:
        order.start(sequence)
    if order.advance(sequence):
        return [number]
    order.place(sequence, packet, 0)
    return take_all(order)


def take_all(order: Reorder) -> list[int]:
    out = []
    while (packet := order.take()) is not None:
        out.append(int.from_bytes(packet, "big"))
    return out


def the_invariant_holds(order: Reorder) -> None:
    numbers = sorted([*order.missing, *order._waiting])
    assert numbers == list(range(order.expected, order.highest + 1))
    assert list(order.missing) == sorted(order.missing)
    assert not order.missing or next(iter(order.missing)) == order.expected
    assert bool(order.missing) == bool(order.waiting)


@given(st.integers(0, 0xFFFF), st.lists(st.integers(-40, 80), max_size=120), st.data())
def test_whatever_arrives_comes_out_once_and_in_order(first: int, offsets: list[int], data: st.DataObject) -> None:
    order = Reorder()
    out = receive(order, first)
    for step, offset in enumerate(offsets):
        number = first + step + offset
        if number >= 0:
            out += receive(order, number)
        the_invariant_holds(order)
        if order.waiting and data.draw(st.integers(0, 9)) == 0:
            assert order.skip() > 0
            out += take_all(order)
            the_invariant_holds(order)
    assert out == sorted(set(out))


@given(st.integers(0, 0xFFFF), st.permutations(range(1, 30)))
def test_no_order_of_arrival_loses_a_packet(first: int, arrivals: list[int]) -> None:
    order = Reorder()
    out = receive(order, first)
    for offset in arrivals:
        out += receive(order, first + offset)
    assert out == [first + offset for offset in range(30)]


def test_only_missing_packets_are_filled() -> None:
    order = Reorder()
    assert receive(order, 65_534) == [65_534]
    assert receive(order, 65_537) == []
    assert list(order.missing) == [65_535, 65_536]
    assert not order.fill(1, number_as_bytes(65_537))
    assert not order.fill(9, number_as_bytes(65_545))
    assert order.fill(0, number_as_bytes(65_536))
    assert order.fill(0xFFFF, number_as_bytes(65_535))
    assert take_all(order) == [65_535, 65_536, 65_537]
    assert order.highest == 65_537


def test_far_numbers_are_told_apart() -> None:
    order = Reorder()
    order.start(30_000)
    assert order.place(29_000, b"", 0) is Placement.LATE
    assert order.place(20_000, b"", 0) is Placement.FOREIGN
    assert order.place(55_000, b"", 0) is Placement.FOREIGN
    assert order.place(40_000, b"", 0) is Placement.TOO_FAR
    assert order.place(31_000, b"", 0) is Placement.WAITING
    assert order.place(31_000, b"", 0) is Placement.LATE
    assert order.skip() == 1000


def test_packets_are_asked_for_in_rounds() -> None:
    missing = {7: Missing(since_us=0), 9: Missing(since_us=5_000)}
    assert nack.due(missing, 9_999) == []
    assert nack.due(missing, 12_000) == [7]
    assert nack.due(missing, 15_000) == [9]
    assert nack.due(missing, 117_000) == [7]
    assert nack.due(missing, 125_000) == [9]
    assert nack.due(missing, 500_000) == [7, 9]
    assert nack.due(missing, 604_000) == []


def test_one_request_fits_a_datagram() -> None:
    missing = {number: Missing(since_us=0) for number in range(0, 40_000, 20)}
    asked: list[int] = []
    for _ in range(8):
        asked += nack.due(missing, 20_000)
    assert asked == list(missing)


def test_jitter_is_the_smoothed_change_of_transit_time() -> None:
    reception = Reception(90_000)
    for number in range(200):
        reception.arrived(number * 3000 % 2**32, number * 33_333 + (2_000 if number % 2 else 0))
    assert 170 <= reception.block(1, 0, 0, 0).jitter <= 180  # 2 ms are 180 ticks
    steady = Reception(48_000)
    for number in range(200):
        steady.arrived((2**32 - 5000 + number * 960) % 2**32, number * 20_000)
    assert steady.block(1, 0, 0, 0).jitter == 0


def test_the_fraction_lost_counts_from_the_report_before() -> None:
    reception = Reception(90_000)
    reception.received = 90
    assert reception.block(1, 100, 199, 0).fraction_lost == 25
    reception.received = 190
    block = reception.block(1, 100, 299, 0)
    assert (block.fraction_lost, block.packets_lost, block.highest_sequence) == (0, 10, 299)
    reception.received = 300
    assert reception.block(1, 100, 300, 0).fraction_lost == 0
    assert reception.block(1, 100, 1000, 0).fraction_lost == 255


def test_the_delay_since_the_last_sender_report_is_told() -> None:
    reception = Reception(90_000)
    assert reception.block(1, 0, 0, 5_000_000).delay == 0
    reception.sender_reported(0x1111_2222_3333_4444, 5_000_000)
    block = reception.block(1, 0, 0, 5_500_000)
    assert (block.last_report, block.delay) == (0x2222_3333, 32_768)
    assert reception.block(1, 0, 0, 10**15).delay == 2**32 - 1
