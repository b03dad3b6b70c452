"""One outgoing RTP stream of a test publisher, with what it needs to resend and to report."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

_HISTORY = 2048
_NTP_EPOCH_S = 2_208_988_800


class Stream:
    """One RTP stream and what is kept of it for retransmission."""

    def __init__(self, payload_type: int, rate: int, randomness: random.Random) -> None:
        self.payload_type = payload_type
        self.rate = rate
        self.ssrc = randomness.randrange(1, 1 << 32)
        self.sequence = randomness.randrange(1 << 16)
        self.base = randomness.randrange(1 << 32)
        self.sent = 0  # frames
        self.packets = self.octets = 0
        self.last_timestamp = self.base
        self.muted = False
        self.history: dict[int, bytes] = {}

    def packet(self, payload: bytes, timestamp: int, *, marker: bool) -> bytes:
        """The next packet, plain."""
        self.sequence = self.sequence + 1 & 0xFFFF
        second = marker << 7 | self.payload_type
        data = struct.pack("!BBHLL", 0x80, second, self.sequence, timestamp, self.ssrc) + payload
        self.packets += 1
        self.octets += len(payload)
        self.history[self.sequence] = data
        if len(self.history) > _HISTORY:
            del self.history[next(iter(self.history))]
        return data

    def report(self, seconds: float, wall: float) -> bytes:
        """Plain sender report: the frame at `seconds` into the stream was taken at Unix time `wall`."""
        ntp = int((wall + _NTP_EPOCH_S) * (1 << 32))
        timestamp = self.base + int(seconds * self.rate) & 0xFFFFFFFF
        head = struct.pack("!BBH", 0x80, 200, 6)  # RFC 3550 section 6.4.1
        return head + struct.pack("!LQLLL", self.ssrc, ntp, timestamp, self.packets, self.octets & 0xFFFFFFFF)


def feedback(plain: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, count or format, and body of every packet of a compound RTCP packet (RFC 3550 section 6.1)."""
    at = 0
    while at + 4 <= len(plain):
        size = 4 * (int.from_bytes(plain[at + 2 : at + 4], "big") + 1)
        yield plain[at + 1], plain[at] & 0x1F, plain[at + 4 : at + size]
        at += size


def nacked(body: bytes) -> tuple[int, list[int]]:
    """Media SSRC and sequence numbers of a generic NACK (RFC 4585 section 6.2.1)."""
    numbers = [
        sequence & 0xFFFF
        for first, mask in struct.iter_unpack("!HH", body[8:])
        for sequence in (first, *(first + 1 + bit for bit in range(16) if mask >> bit & 1))
    ]
    return int.from_bytes(body[4:8], "big"), numbers
