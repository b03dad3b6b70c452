"""RTCP packets, alone and compound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.errors import MalformedError
from lookback.media import rtcp
from lookback.media.rtcp import (
    Goodbye,
    Nack,
    PictureLoss,
    ReceiverReport,
    ReportBlock,
    Rtcp,
    SenderReport,
    SourceDescription,
)

u8, u16, u32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
blocks = st.lists(
    st.builds(ReportBlock, u32, u8, st.integers(-0x800000, 0x7FFFFF), u32, u32, u32, u32), max_size=31
).map(tuple)
items = st.lists(st.tuples(st.integers(1, 8), st.binary(max_size=20)), max_size=4).map(tuple)
goodbyes = st.builds(Goodbye, st.lists(u32, max_size=31).map(tuple), st.binary(max_size=30))
nacks = st.builds(Nack, u32, u32, st.sets(st.integers(0, 65_000), max_size=60).map(lambda s: tuple(sorted(s))))
packets: st.SearchStrategy[Rtcp] = st.one_of(
    st.builds(SenderReport, u32, st.integers(0, 2**64 - 1), u32, u32, u32, blocks),
    st.builds(ReceiverReport, u32, blocks),
    st.builds(SourceDescription, st.lists(st.tuples(u32, items), max_size=5).map(tuple)),
    goodbyes,
    nacks,
    st.builds(PictureLoss, u32, u32),
)


@given(st.lists(packets, min_size=1, max_size=4))
def test_a_compound_packet_comes_back(sent: list[Rtcp]) -> None:
    assert list(rtcp.read_compound(b"".join(packet.pack() for packet in sent))) == sent


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    reads_or_is_malformed(data)


@given(packets, st.integers(0, 60), u8)
def test_a_changed_byte_is_read_or_malformed(packet: Rtcp, at: int, byte: int) -> None:
    data = bytearray(packet.pack())
    data[at % len(data)] = byte
    reads_or_is_malformed(bytes(data))


def reads_or_is_malformed(data: bytes) -> None:
    try:
        read = list(rtcp.read_compound(data))
    except MalformedError:
        return
    for packet in read:
        assert isinstance(packet, Rtcp)


def test_what_stands_before_a_broken_part_is_read() -> None:
    report = SenderReport(7, 1 << 40, 90_000)
    reader = rtcp.read_compound(report.pack() + b"\x80\xc8\x00\x06rest")
    assert next(reader) == report
    with pytest.raises(MalformedError):
        next(reader)


def test_kinds_not_known_here_are_skipped() -> None:
    extended = b"\x80\xcf\x00\x01abcd"
    remb = b"\x8f\xce\x00\x04" + bytes(16)
    transport = b"\x8f\xcd\x00\x04" + bytes(16)
    bye = Goodbye((5,)).pack()
    assert list(rtcp.read_compound(extended + remb + transport + bye)) == [Goodbye((5,))]


def test_padding_at_the_end_is_taken_off() -> None:
    padded = b"\xa1\xcb\x00\x03" + (9).to_bytes(4, "big") + bytes(7) + b"\x08"
    assert list(rtcp.read_compound(padded)) == [Goodbye((9,))]
    for size in (0, 13):
        with pytest.raises(MalformedError):
            list(rtcp.read_compound(padded[:-1] + bytes((size,))))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        b"\x00\xc8\x00\x00",
        b"\x80\xc8\x00\x00",
        b"\x81\xc9\x00\x01abcd",
        b"\x80\xc9\x00\x00",
        b"\x81\xca\x00\x01abcd",
        b"\x81\xca\x00\x02abcd\x01\x09ab",
        b"\x82\xcb\x00\x01abcd",
        b"\x80\xcb\x00\x01\x09abc",
        b"\x81\xcd\x00\x01abcd",
        b"\x81\xce\x00\x01abcd",
    ],
)
def test_parts_that_run_past_the_end_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        list(rtcp.read_compound(data))


def test_a_nack_packs_followers_into_a_mask() -> None:
    nack = Nack(1, 2, (10, 11, 26, 27, 65_535))
    assert nack.pack()[12:] == bytes.fromhex("000a8001 001b0000 ffff0000")


def test_a_nack_follows_the_wrap() -> None:
    assert Nack(1, 2, (65_534, 0, 3)).pack()[12:] == bytes.fromhex("fffe0012")
    assert Nack(1, 2, (65_534 + 65_536, 2 * 65_536)).pack()[12:] == bytes.fromhex("fffe0002")


def test_a_picture_loss_indication_is_as_the_rfc_draws_it() -> None:
    assert PictureLoss(0x01020304, 0x0A0B0C0D).pack() == bytes.fromhex("81ce0002 01020304 0a0b0c0d")


def test_a_sender_report_tells_the_time_since_1970() -> None:
    assert SenderReport(1, (rtcp.NTP_EPOCH_S + 5 << 32) + (1 << 31), 0).ntp_us == 5_500_000


def test_losses_beyond_24_bits_are_clamped() -> None:
    block = ReportBlock(1, 255, 10**9, 2**40 + 3, 5, 6, 7)
    assert ReportBlock.parse(block.pack()) == ReportBlock(1, 255, 0x7FFFFF, 3, 5, 6, 7)


def test_our_report_is_a_compound_packet_with_our_name() -> None:
    block = ReportBlock(1, 2, 3, 4, 5, 6, 7)
    report, description = rtcp.read_compound(rtcp.write_report(99, [block], b"name"))
    assert report == ReceiverReport(99, (block,))
    assert description == SourceDescription(((99, ((1, b"name"),)),))


def test_more_than_31_of_a_kind_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="31"):
        Goodbye(tuple(range(32))).pack()
