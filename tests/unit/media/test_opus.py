"""Opus: how long packets last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.errors import MalformedError
from lookback.media import opus


@pytest.mark.parametrize(
    ("packet", "duration_us"),
    [
        (b"\x78rest", 20_000),  # what browsers send: fullband hybrid, 20 ms
        (b"\xfcrest", 20_000),
        (b"\xe0", 2_500),
        (b"\x18", 60_000),
        (b"\xfd", 40_000),
        (b"\xfe", 40_000),
        (b"\xff\x06", 120_000),
        (b"\x1b\x82", 120_000),  # the count's upper bits are VBR and padding
        (b"\xf8\xff\xfe", 20_000),
    ],
)
def test_the_table_of_contents_says_how_long_a_packet_lasts(packet: bytes, duration_us: int) -> None:
    assert opus.packet_duration_us(packet) == duration_us


@pytest.mark.parametrize("packet", [b"", b"\xff", b"\xff\x00", b"\xff\x07", b"\x1b\x03"])
def test_impossible_packets_are_malformed(packet: bytes) -> None:
    with pytest.raises(MalformedError):
        opus.packet_duration_us(packet)


@given(st.binary(max_size=8))
def test_any_bytes_last_up_to_120_ms_or_are_malformed(packet: bytes) -> None:
    try:
        duration_us = opus.packet_duration_us(packet)
    except MalformedError:
        return
    assert 2_500 <= duration_us <= 120_000


@given(st.integers(-1000, 2_000_000))
def test_silence_fills_all_but_the_last_fraction(wanted_us: int) -> None:
    packets = opus.silence(wanted_us)
    assert all(opus.packet_duration_us(packet) == packet_us for packet_us, packet in packets)
    filled_us = sum(packet_us for packet_us, _ in packets)
    assert filled_us <= max(0, wanted_us) < filled_us + 2_500
