"""H.264 as RTP carries it and as MP4 keeps it (RFC 6184, ITU-T H.264, ISO/IEC 14496-15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.errors import MalformedError
from lookback.media.access_unit import AccessUnit
from lookback.media.sps import Sps, parse_sps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Sps", "codec_string", "depacketise", "nal_units", "parameter_sets", "parse_sps", "starts_picture"]

# NAL unit types, H.264 table 7-1; the aggregates and fragments are of RFC 6184, section 5.2.
_SLICE, _IDR, _SPS, _PPS, _DELIMITER = 1, 5, 7, 8, 9
_LAST_PLAIN = 23
_STAP_A, _FU_A = 24, 28
_PLAIN_TYPES = (1 << _LAST_PLAIN + 1) - 2
_PICTURE_TYPES = 0b111110  # slices and slice partitions: types 1 to 5
_FU_START, _FU_END = 0x80, 0x40
_FIRST_MACROBLOCK = 0x80  # first_mb_in_slice is ue(v): a leading 1 bit means macroblock 0
_FU_HEADER_SIZE = 2


def depacketise(payloads: Sequence[bytes]) -> AccessUnit:
    """Join the payloads of one access unit, in order, into NAL units with 4-byte lengths.

    Packetization modes 0 and 1: single NAL units, STAP-A and FU-A. Raises MalformedError for anything else, for
    lengths that do not add up and for fragments that do not join.
    """
    nals: list[bytes] = []
    at, count = 0, len(payloads)
    while at < count:
        payload = payloads[at]
        kind = payload[0] & 31 if payload else 0
        if kind == _FU_A:
            at = _join_fragments(payloads, at, nals)
            continue
        if kind == _STAP_A:
            nals += _split_aggregate(payload)
        elif 0 < kind <= _LAST_PLAIN:
            nals.append(payload)
        else:
            raise MalformedError("An H.264 payload has a type that was not negotiated")
        at += 1
    return _access_unit(nals)


def nal_units(frame: bytes) -> Iterator[bytes]:
    """Yield the NAL units of a length-prefixed access unit; raises MalformedError when the lengths do not add up."""
    at, end = 0, len(frame)
    while at < end:
        start = at + 4
        at = start + int.from_bytes(frame[at:start], "big")
        if at > end or at == start:
            raise MalformedError("An H.264 frame's NAL unit lengths do not add up")
        yield frame[start:at]


def parameter_sets(frame: bytes) -> tuple[bytes | None, bytes | None]:
    """Return the first SPS and the first PPS of a length-prefixed access unit; None where there is none.

    Looks no further than the first slice: parameter sets stand before the picture they describe (H.264 7.4.1.2.3).
    """
    sps: bytes | None = None
    pps: bytes | None = None
    for nal in nal_units(frame):
        kind = nal[0] & 31
        if kind == _SPS and sps is None:
            sps = nal
        elif kind == _PPS and pps is None:
            pps = nal
        elif _PICTURE_TYPES >> kind & 1:
            break
    return sps, pps


def codec_string(sps: bytes) -> str:
    """Return the RFC 6381 name of a stream with in-band parameter sets, such as "avc3.42c01f"."""
    if len(sps) < 4:
        raise MalformedError("The H.264 SPS is too short")
    return f"avc3.{sps[1:4].hex()}"


def starts_picture(payload: bytes) -> bool:
    """Tell whether a payload is certainly the first of its access unit, although what came before it is lost.

    An IDR slice alone is not: its parameter sets may have been in the lost packets.
    """
    if len(payload) < _FU_HEADER_SIZE:
        return False
    kind = payload[0] & 31
    if kind == _FU_A:
        return _fragment_starts_picture(payload)
    if kind == _STAP_A:
        return len(payload) > 4 and _nal_starts_picture(payload[3] & 31, payload[4])
    return _nal_starts_picture(kind, payload[1])


def _fragment_starts_picture(payload: bytes) -> bool:
    header = payload[1]
    return bool(header & _FU_START) and len(payload) > 2 and _nal_starts_picture(header & 31, payload[2])


def _nal_starts_picture(kind: int, first_byte: int) -> bool:
    return kind in {_SPS, _DELIMITER} or (kind == _SLICE and bool(first_byte & _FIRST_MACROBLOCK))


def _join_fragments(payloads: Sequence[bytes], at: int, nals: list[bytes]) -> int:
    """Append the NAL unit whose FU-A fragments begin at `at` (RFC 6184 5.8); return where the next payload is."""
    first = payloads[at]
    if len(first) < _FU_HEADER_SIZE or not first[1] & _FU_START:
        raise MalformedError("An H.264 fragment has no beginning")
    indicator, kind = first[0], first[1] & 31
    pieces = [bytes((indicator & 0xE0 | kind,)), first[2:]]
    ended = first[1] & _FU_END
    while not ended:
        at += 1
        if at == len(payloads):
            raise MalformedError("An H.264 fragment has no end")
        piece = payloads[at]
        if len(piece) < _FU_HEADER_SIZE or piece[0] & 31 != _FU_A or piece[1] & (_FU_START | 31) != kind:
            raise MalformedError("H.264 fragments do not join")
        pieces.append(piece[2:])
        ended = piece[1] & _FU_END
    nals.append(b"".join(pieces))
    return at + 1


def _split_aggregate(payload: bytes) -> Iterator[bytes]:
    """Yield the NAL units of a STAP-A (RFC 6184 5.7.1)."""
    at, end = 1, len(payload)
    while at < end:
        start = at + 2
        at = start + int.from_bytes(payload[at:start], "big")
        if at > end or at == start:
            raise MalformedError("An H.264 aggregate's lengths do not add up")
        yield payload[start:at]


def _access_unit(nals: list[bytes]) -> AccessUnit:
    kinds = 0
    pieces: list[bytes] = []
    for nal in nals:
        kinds |= 1 << (nal[0] & 31)
        pieces += (len(nal).to_bytes(4, "big"), nal)
    if not pieces or kinds & ~_PLAIN_TYPES:
        raise MalformedError("An H.264 access unit is empty or nested")
    return AccessUnit(b"".join(pieces), bool(kinds >> _IDR & 1), bool(kinds & _PICTURE_TYPES))
