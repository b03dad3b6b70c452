"""RTP packets: header, where the payload is, and retransmissions (RFC 3550 section 5.1, RFC 4588)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from lookback.errors import MalformedError

HEADER_SIZE = 12
PLAIN = 0x80  # first byte of a version 2 header without padding, extension and contributors

_FIXED_HEADER = struct.Struct("!BBHLL")
_PADDING, _EXTENSION, _CONTRIBUTORS = 0x20, 0x10, 0x0F
_MARKER = 0x80
_ORIGINAL_SEQUENCE_SIZE = 2  # RFC 4588 section 4


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """A whole RTP packet. `extension` is (profile, data of whole 32-bit words); `padding` counts bytes."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes = b""
    marker: bool = False
    contributors: tuple[int, ...] = ()
    extension: tuple[int, bytes] | None = None
    padding: int = 0

    def pack(self) -> bytes:
        """Encode as sent, before SRTP."""
        first = PLAIN | len(self.contributors)
        first |= _PADDING * bool(self.padding) | _EXTENSION * (self.extension is not None)
        second = _MARKER * self.marker | self.payload_type
        head = _FIXED_HEADER.pack(first, second, self.sequence, self.timestamp, self.ssrc)
        head += b"".join(source.to_bytes(4, "big") for source in self.contributors)
        if self.extension is not None:
            profile, data = self.extension
            head += struct.pack("!HH", profile, len(data) // 4) + data
        tail = bytes(self.padding - 1) + bytes((self.padding,)) if self.padding else b""
        return head + self.payload + tail

    @classmethod
    def parse(cls, data: bytes) -> RtpPacket:
        """Decode; raises MalformedError when it is not a whole packet of version 2."""
        start, end = payload_bounds(data)
        first, second, sequence, timestamp, ssrc = _FIXED_HEADER.unpack_from(data)
        at = HEADER_SIZE + 4 * (first & _CONTRIBUTORS)
        sources = tuple(int.from_bytes(data[n : n + 4], "big") for n in range(HEADER_SIZE, at, 4))
        extension = None
        if first & _EXTENSION:
            extension = int.from_bytes(data[at : at + 2], "big"), data[at + 4 : start]
        marker = bool(second & _MARKER)
        payload = data[start:end]
        return cls(second & 0x7F, sequence, timestamp, ssrc, payload, marker, sources, extension, len(data) - end)


def is_rtcp(data: bytes) -> bool:
    """Tell RTCP from RTP on a shared port: packet types 192 to 223 (RFC 5761 section 4)."""
    return len(data) > 1 and 192 <= data[1] <= 223


def payload_bounds(data: bytes) -> tuple[int, int]:
    """Return where the payload starts and ends in a packet; equal when it holds padding only.

    Raises MalformedError when the packet is short, of another version, or its parts run past its end.
    """
    end = len(data)
    if end < HEADER_SIZE or data[0] >> 6 != 2:
        raise MalformedError("Not an RTP packet")
    first = data[0]
    start = HEADER_SIZE + 4 * (first & _CONTRIBUTORS)
    if first & _EXTENSION:
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if first & _PADDING:
        if not data[-1]:
            raise MalformedError("RTP padding has no length")
        end -= data[-1]
    if start > end:
        raise MalformedError("The parts of an RTP packet run past its end")
    return start, end


def unwrap_retransmission(data: bytes, payload_type: int, ssrc: int) -> bytes | None:
    """Return the packet that an RTX packet repeats, for the stream `ssrc` (RFC 4588 section 4).

    None for padding sent on the retransmission stream to probe the bandwidth. Raises MalformedError when the packet
    is not whole, or too short to say what it repeats.
    """
    start, end = payload_bounds(data)
    if start == end:
        return None
    body = start + _ORIGINAL_SEQUENCE_SIZE
    if body > end:
        raise MalformedError("A retransmission does not say what it repeats")
    second = data[1] & _MARKER | payload_type
    head = bytes((data[0], second)) + data[start:body] + data[4:8] + ssrc.to_bytes(4, "big")
    return head + data[HEADER_SIZE:start] + data[body:]
