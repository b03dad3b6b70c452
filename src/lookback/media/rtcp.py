"""RTCP: reports and goodbyes in, reports and requests out (RFC 3550 section 6, RFC 4585)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lookback.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, GOODBYE = 200, 201, 202, 203
TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK = 205, 206
NTP_EPOCH_S = 2_208_988_800  # from 1900-01-01, where NTP counts from, to 1970-01-01

_HEADER = struct.Struct("!BBH")
_SENDER_INFO = struct.Struct("!LQLLL")
_BLOCK = struct.Struct("!LLLLLL")
_MOST_COUNTED = 31
_VERSION, _PADDING = 0x80, 0x20
_CNAME = 1
_NACK, _PICTURE_LOSS = 1, 1  # feedback message types: RFC 4585 sections 6.2.1 and 6.3.1
_MASK_BITS = 16


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says about one source (RFC 3550 section 6.4.1).

    `fraction_lost` counts 1/256; `jitter` is in ticks of the source's clock; `last_report` is the middle 32 bits of
    the NTP time of its last sender report and `delay` the time since then in 1/65536 s (both 0: none came).
    """

    ssrc: int
    fraction_lost: int
    packets_lost: int
    highest_sequence: int
    jitter: int
    last_report: int
    delay: int

    def pack(self) -> bytes:
        """Encode as 24 bytes; the count of lost packets is clamped to its signed 24 bits."""
        lost = max(-0x800000, min(0x7FFFFF, self.packets_lost)) & 0xFFFFFF
        return _BLOCK.pack(
            self.ssrc,
            self.fraction_lost << 24 | lost,
            self.highest_sequence & 0xFFFFFFFF,
            self.jitter,
            self.last_report,
            self.delay,
        )

    @classmethod
    def parse(cls, data: bytes) -> ReportBlock:
        """Decode 24 bytes."""
        ssrc, loss, highest, jitter, last, delay = _BLOCK.unpack(data)
        lost = (loss & 0xFFFFFF ^ 0x800000) - 0x800000
        return cls(ssrc, loss >> 24, lost, highest, jitter, last, delay)


@dataclass(frozen=True, slots=True)
class SenderReport:
    """RFC 3550 section 6.4.1: the source's clock `ntp` (32.32 bits, seconds since 1900) at RTP time `rtp_time`."""

    ssrc: int
    ntp: int
    rtp_time: int
    packets: int = 0
    octets: int = 0
    blocks: tuple[ReportBlock, ...] = ()

    @property
    def ntp_us(self) -> int:
        """The source's clock in microseconds since 1970."""
        return (self.ntp * 1_000_000 >> 32) - NTP_EPOCH_S * 1_000_000

    def pack(self) -> bytes:
        """Encode as one RTCP packet."""
        info = _SENDER_INFO.pack(self.ssrc, self.ntp, self.rtp_time, self.packets, self.octets)
        return _packet(SENDER_REPORT, len(self.blocks), info + _blocks(self.blocks))

    @classmethod
    def parse(cls, count: int, body: bytes) -> SenderReport:
        """Decode what follows the common header."""
        if len(body) < _SENDER_INFO.size:
            raise MalformedError("An RTCP sender report is too short")
        ssrc, ntp, rtp_time, packets, octets = _SENDER_INFO.unpack_from(body)
        return cls(ssrc, ntp, rtp_time, packets, octets, _parse_blocks(count, body[_SENDER_INFO.size :]))


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """RFC 3550 section 6.4.2."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()

    def pack(self) -> bytes:
        """Encode as one RTCP packet."""
        return _packet(RECEIVER_REPORT, len(self.blocks), self.ssrc.to_bytes(4, "big") + _blocks(self.blocks))

    @classmethod
    def parse(cls, count: int, body: bytes) -> ReceiverReport:
        """Decode what follows the common header."""
        if len(body) < 4:
            raise MalformedError("An RTCP receiver report is too short")
        return cls(int.from_bytes(body[:4], "big"), _parse_blocks(count, body[4:]))


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """RFC 3550 section 6.5: per source its items (type, text bytes)."""

    chunks: tuple[tuple[int, tuple[tuple[int, bytes], ...]], ...] = ()

    def pack(self) -> bytes:
        """Encode as one RTCP packet."""
        return _packet(SOURCE_DESCRIPTION, len(self.chunks), b"".join(map(_pack_chunk, self.chunks)))

    @classmethod
    def parse(cls, count: int, body: bytes) -> SourceDescription:
        """Decode what follows the common header."""
        chunks = []
        at = 0
        for _ in range(count):
            ssrc = int.from_bytes(_take(body, at, 4), "big")
            items, at = _parse_items(body, at + 4)
            chunks.append((ssrc, items))
        return cls(tuple(chunks))


@dataclass(frozen=True, slots=True)
class Goodbye:
    """RFC 3550 section 6.6: the sources that end."""

    ssrcs: tuple[int, ...] = field(default=())
    reason: bytes = b""

    def pack(self) -> bytes:
        """Encode as one RTCP packet."""
        body = b"".join(ssrc.to_bytes(4, "big") for ssrc in self.ssrcs)
        if self.reason:
            body += bytes((len(self.reason),)) + self.reason
        return _packet(GOODBYE, len(self.ssrcs), body + bytes(-len(body) % 4))

    @classmethod
    def parse(cls, count: int, body: bytes) -> Goodbye:
        """Decode what follows the common header."""
        ssrcs = tuple(int.from_bytes(_take(body, at, 4), "big") for at in range(0, 4 * count, 4))
        rest = body[4 * count :]
        return cls(ssrcs, _take(rest, 1, rest[0]) if rest else b"")


@dataclass(frozen=True, slots=True)
class Nack:
    """RFC 4585 section 6.2.1: the sequence numbers of `media_ssrc` to send again, in the order they are packed."""

    sender_ssrc: int
    media_ssrc: int
    sequences: tuple[int, ...]

    def pack(self) -> bytes:
        """Encode as one RTCP packet; each entry names a sequence number and up to 16 that follow it."""
        pairs: list[tuple[int, int]] = []
        for sequence in self.sequences:
            ahead = (sequence - pairs[-1][0] - 1) & 0xFFFF if pairs else _MASK_BITS
            if ahead < _MASK_BITS:
                pairs[-1] = pairs[-1][0], pairs[-1][1] | 1 << ahead
            else:
                pairs.append((sequence & 0xFFFF, 0))
        body = struct.pack("!LL", self.sender_ssrc, self.media_ssrc)
        return _packet(TRANSPORT_FEEDBACK, _NACK, body + b"".join(struct.pack("!HH", *pair) for pair in pairs))

    @classmethod
    def parse(cls, kind: int, body: bytes) -> Nack | None:
        """Decode what follows the common header; None for another kind of transport feedback."""
        if kind != _NACK:
            return None
        if len(body) < 8 or len(body) % 4:
            raise MalformedError("An RTCP NACK is too short")
        sender, media = struct.unpack_from("!LL", body)
        sequences: list[int] = []
        for first, mask in struct.iter_unpack("!HH", body[8:]):
            sequences.append(first)
            sequences += ((first + 1 + bit) & 0xFFFF for bit in range(_MASK_BITS) if mask >> bit & 1)
        return cls(sender, media, tuple(sequences))


@dataclass(frozen=True, slots=True)
class PictureLoss:
    """RFC 4585 section 6.3.1 (PLI): send a key frame of `media_ssrc`."""

    sender_ssrc: int
    media_ssrc: int

    def pack(self) -> bytes:
        """Encode as one RTCP packet."""
        return _packet(PAYLOAD_FEEDBACK, _PICTURE_LOSS, struct.pack("!LL", self.sender_ssrc, self.media_ssrc))

    @classmethod
    def parse(cls, kind: int, body: bytes) -> PictureLoss | None:
        """Decode what follows the common header; None for another kind of payload feedback."""
        if kind != _PICTURE_LOSS:
            return None
        return cls(*struct.unpack("!LL", _take(body, 0, 8)))


Rtcp = SenderReport | ReceiverReport | SourceDescription | Goodbye | Nack | PictureLoss

_PARSERS: dict[int, Callable[[int, bytes], Rtcp | None]] = {
    SENDER_REPORT: SenderReport.parse,
    RECEIVER_REPORT: ReceiverReport.parse,
    SOURCE_DESCRIPTION: SourceDescription.parse,
    GOODBYE: Goodbye.parse,
    TRANSPORT_FEEDBACK: Nack.parse,
    PAYLOAD_FEEDBACK: PictureLoss.parse,
}


def read_compound(data: bytes) -> Iterator[Rtcp]:
    """Yield the packets of a compound packet, or of a reduced-size one (RFC 5506), skipping kinds not known here.

    Raises MalformedError at the first part that does not hold; what stood before it has been yielded then.
    """
    at, end = 0, len(data)
    if not end:
        raise MalformedError("An RTCP packet is empty")
    while at < end:
        first, kind, words = _HEADER.unpack(_take(data, at, _HEADER.size))
        if first >> 6 != 2:
            raise MalformedError("Not an RTCP packet")
        body = _take(data, at + _HEADER.size, 4 * words)
        at += _HEADER.size + 4 * words
        if first & _PADDING:
            body = _without_padding(body)
        parse = _PARSERS.get(kind)
        packet = parse(first & _MOST_COUNTED, body) if parse else None
        if packet is not None:
            yield packet


def write_report(our_ssrc: int, blocks: Iterable[ReportBlock], name: bytes) -> bytes:
    """Build the compound packet that RFC 3550 section 6.1 asks of a receiver: report, then our canonical name."""
    report = ReceiverReport(our_ssrc, tuple(blocks)[:_MOST_COUNTED])
    return report.pack() + SourceDescription(((our_ssrc, ((_CNAME, name),)),)).pack()


def _packet(kind: int, count: int, body: bytes) -> bytes:
    if count > _MOST_COUNTED:
        raise ValueError("An RTCP packet counts no further than 31")
    return _HEADER.pack(_VERSION | count, kind, len(body) // 4) + body


def _blocks(blocks: tuple[ReportBlock, ...]) -> bytes:
    return b"".join(block.pack() for block in blocks)


def _parse_blocks(count: int, body: bytes) -> tuple[ReportBlock, ...]:
    size = _BLOCK.size
    return tuple(ReportBlock.parse(_take(body, at, size)) for at in range(0, count * size, size))


def _pack_chunk(chunk: tuple[int, tuple[tuple[int, bytes], ...]]) -> bytes:
    ssrc, items = chunk
    data = ssrc.to_bytes(4, "big") + b"".join(bytes((kind, len(text))) + text for kind, text in items)
    return data + bytes(4 - len(data) % 4)  # at least one null octet ends the list


def _parse_items(body: bytes, at: int) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """Read one chunk's items; return them and where the next chunk starts."""
    items = []
    while kind := _take(body, at, 1)[0]:
        size = _take(body, at + 1, 1)[0]
        items.append((kind, _take(body, at + 2, size)))
        at += 2 + size
    return tuple(items), at // 4 * 4 + 4


def _take(data: bytes, at: int, size: int) -> bytes:
    """Return `size` bytes from `at`; raises MalformedError when there are fewer."""
    if at + size > len(data):
        raise MalformedError("An RTCP packet ends too early")
    return data[at : at + size]


def _without_padding(body: bytes) -> bytes:
    if not body or not 0 < body[-1] <= len(body):
        raise MalformedError("RTCP padding does not add up")
    return body[: -body[-1]]
