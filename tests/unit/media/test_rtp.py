"""RTP headers and retransmissions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.errors import MalformedError
from lookback.media import rtp
from lookback.media.rtp import RtpPacket

u16, u32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
extensions = st.none() | st.tuples(u16, st.binary(max_size=6).map(lambda word: word * 4))
packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=u16,
    timestamp=u32,
    ssrc=u32,
    payload=st.binary(max_size=50),
    marker=st.booleans(),
    contributors=st.lists(u32, max_size=15).map(tuple),
    extension=extensions,
    padding=st.integers(0, 255),
)


@given(packets)
def test_a_packet_comes_back(packet: RtpPacket) -> None:
    assert RtpPacket.parse(packet.pack()) == packet


@given(st.binary(max_size=80))
def test_any_bytes_are_a_packet_or_malformed(data: bytes) -> None:
    try:
        packet = RtpPacket.parse(data)
        start, end = rtp.payload_bounds(data)
    except MalformedError:
        return
    assert packet.payload == data[start:end]
    assert len(packet.pack()) == len(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80" + bytes(10),
        b"\x00" + bytes(11),
        b"\x41" + bytes(30),
        b"\x81" + bytes(11),
        b"\x90" + bytes(11),
        b"\x90" + bytes(13) + b"\x00\x01",
        b"\xa0" + bytes(20),
        b"\xa0" + bytes(20) + b"\xff",
    ],
)
def test_parts_that_run_past_the_end_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        rtp.payload_bounds(data)


def test_a_packet_of_padding_only_has_an_empty_payload() -> None:
    packet = RtpPacket(96, 1, 2, 3, padding=200).pack()
    assert rtp.payload_bounds(packet) == (12, 12)


def test_rtcp_is_told_from_rtp_by_its_second_byte() -> None:
    assert rtp.is_rtcp(b"\x80\xc8")
    assert rtp.is_rtcp(b"\x81\xce")
    assert not rtp.is_rtcp(RtpPacket(96, 1, 2, 3, marker=True).pack())
    assert not rtp.is_rtcp(RtpPacket(111, 1, 2, 3).pack())
    assert not rtp.is_rtcp(b"\x80")


@given(packets.filter(lambda packet: packet.payload), u16, u32)
def test_a_retransmission_becomes_what_it_repeats(packet: RtpPacket, rtx_sequence: int, rtx_ssrc: int) -> None:
    repeated = RtpPacket(
        97,
        rtx_sequence,
        packet.timestamp,
        rtx_ssrc,
        packet.sequence.to_bytes(2, "big") + packet.payload,
        packet.marker,
        packet.contributors,
        packet.extension,
        packet.padding,
    )
    assert rtp.unwrap_retransmission(repeated.pack(), packet.payload_type, packet.ssrc) == packet.pack()


def test_a_retransmission_of_padding_repeats_nothing() -> None:
    assert rtp.unwrap_retransmission(RtpPacket(97, 1, 2, 3, padding=100).pack(), 96, 1000) is None


def test_a_retransmission_too_short_to_say_what_it_repeats_is_malformed() -> None:
    with pytest.raises(MalformedError):
        rtp.unwrap_retransmission(RtpPacket(97, 1, 2, 3, b"x").pack(), 96, 1000)
