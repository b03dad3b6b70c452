"""Opus packets: how long one lasts, and silence of a given length (RFC 6716)."""

from __future__ import annotations

from lookback.errors import MalformedError

# RFC 6716 table 2: SILK (NB, MB, WB), hybrid (SWB, FB), CELT (NB, WB, SWB, FB), as microseconds per frame.
_FRAME_US = (
    *(10_000, 20_000, 40_000, 60_000) * 3,
    *(10_000, 20_000) * 2,
    *(2_500, 5_000, 10_000, 20_000) * 4,
)
_LONGEST_US = 120_000  # RFC 6716 section 3.4, rule R5

# Mono fullband CELT frames that every decoder turns into exact zeros (measured with FFmpeg and Chromium).
_SILENCE = ((20_000, b"\xf8\xff\xfe"), (10_000, b"\xf0\xff\xfe"), (5_000, b"\xe8\xff\xfe"), (2_500, b"\xe0\xff\xfe"))


def packet_duration_us(packet: bytes) -> int:
    """Return how long a packet plays, in microseconds (RFC 6716 section 3.1); raises MalformedError for no packet."""
    if not packet:
        raise MalformedError("An Opus packet is empty")
    duration_us = _FRAME_US[packet[0] >> 3] * _frame_count(packet)
    if not 0 < duration_us <= _LONGEST_US:
        raise MalformedError("An Opus packet has an impossible number of frames")
    return duration_us


def silence(duration_us: int) -> list[tuple[int, bytes]]:
    """Return (microseconds, packet) pairs of silence that fill `duration_us`, down to the last 2.5 ms."""
    packets: list[tuple[int, bytes]] = []
    for packet_us, packet in _SILENCE:
        count, duration_us = divmod(max(0, duration_us), packet_us)
        packets += [(packet_us, packet)] * count
    return packets


def _frame_count(packet: bytes) -> int:
    code = packet[0] & 3
    if code < 3:
        return 1 if code == 0 else 2
    if len(packet) < 2:
        raise MalformedError("An Opus packet has no frame count")
    return packet[1] & 0x3F
