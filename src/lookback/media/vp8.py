"""VP8 as RTP carries it (RFC 7741) and the few facts of its bitstream that cutting needs (RFC 6386)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.errors import MalformedError
from lookback.media.access_unit import AccessUnit

if TYPE_CHECKING:
    from collections.abc import Sequence

# Payload descriptor, RFC 7741 section 4.2.
_EXTENDED, _NON_REFERENCE, _START = 0x80, 0x20, 0x10
_PARTITION = 0x07
_HAS_PICTURE_ID, _HAS_TL0, _HAS_TID, _HAS_KEYIDX = 0x80, 0x40, 0x20, 0x10
_LONG_PICTURE_ID = 0x80

# Frame tag, RFC 6386 section 9.1.
_DELTA, _SHOWN = 0x01, 0x10
_TAG_SIZE, _KEY_TAG_SIZE = 3, 10
_START_CODE = b"\x9d\x01\x2a"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """The VP8 payload descriptor. An optional field is None when it is not sent.

    `picture_id` is 7 or 15 bits wide (`long_picture_id`). `layer` is (temporal layer 0..3, layer sync bit).
    """

    start: bool = False
    partition: int = 0
    non_reference: bool = False
    picture_id: int | None = None
    long_picture_id: bool = False
    tl0_index: int | None = None
    layer: tuple[int, bool] | None = None
    key_index: int | None = None

    def pack(self) -> bytes:
        """Encode as the first bytes of a payload."""
        first = _START * self.start | _NON_REFERENCE * self.non_reference | self.partition
        flags = 0
        fields = b""
        if self.picture_id is not None:
            flags |= _HAS_PICTURE_ID
            size = 2 if self.long_picture_id else 1
            fields += (self.picture_id | 0x8000 * self.long_picture_id).to_bytes(size, "big")
        if self.tl0_index is not None:
            flags |= _HAS_TL0
            fields += bytes((self.tl0_index,))
        if self.layer is not None or self.key_index is not None:
            flags |= _HAS_TID * (self.layer is not None) | _HAS_KEYIDX * (self.key_index is not None)
            tid, sync = self.layer or (0, False)
            fields += bytes((tid << 6 | 0x20 * sync | (self.key_index or 0),))
        return bytes((first | _EXTENDED, flags)) + fields if flags else bytes((first,))


def parse_descriptor(payload: bytes) -> tuple[Descriptor, int]:
    """Decode the descriptor; return it and its size in bytes. Raises MalformedError when it runs past the end."""
    size = _descriptor_size(payload)
    first = payload[0]
    flags, at = (payload[1], 2) if first & _EXTENDED else (0, 1)
    picture_id = tl0_index = layer = key_index = None
    long_picture_id = bool(flags & _HAS_PICTURE_ID and payload[at] & _LONG_PICTURE_ID)
    if flags & _HAS_PICTURE_ID:
        end = at + 1 + long_picture_id
        picture_id = int.from_bytes(payload[at:end], "big") & (0x7FFF if long_picture_id else 0x7F)
        at = end
    if flags & _HAS_TL0:
        tl0_index = payload[at]
        at += 1
    if flags & _HAS_TID:
        layer = (payload[at] >> 6, bool(payload[at] & 0x20))
    if flags & _HAS_KEYIDX:
        key_index = payload[at] & 0x1F
    start, non_reference = bool(first & _START), bool(first & _NON_REFERENCE)
    return (
        Descriptor(start, first & _PARTITION, non_reference, picture_id, long_picture_id, tl0_index, layer, key_index),
        size,
    )


def depacketise(payloads: Sequence[bytes]) -> AccessUnit:
    """Join the payloads of one frame, in order.

    Raises MalformedError when they are not exactly one frame, or the frame's own header does not hold.
    """
    pieces: list[bytes] = []
    for payload in payloads:
        size = _descriptor_size(payload)
        if starts_picture(payload) == bool(pieces):
            raise MalformedError("VP8 payloads are not one frame")
        pieces.append(payload[size:])
    frame = b"".join(pieces)
    if len(frame) < _TAG_SIZE:
        raise MalformedError("A VP8 frame is shorter than its header")
    key = not frame[0] & _DELTA
    if key:
        frame_size(frame)
    first_partition = int.from_bytes(frame[:3], "little") >> 5
    if first_partition > len(frame) - (_KEY_TAG_SIZE if key else _TAG_SIZE):
        raise MalformedError("A VP8 frame is shorter than its first partition")
    return AccessUnit(frame, key)


def starts_picture(payload: bytes) -> bool:
    """Tell whether a payload is the first of its frame: start of partition 0."""
    return bool(payload) and payload[0] & (_START | _PARTITION) == _START


def frame_size(key_frame: bytes) -> tuple[int, int]:
    """Return width and height in pixels, before scaling; raises MalformedError unless it is a key frame."""
    if len(key_frame) < _KEY_TAG_SIZE or key_frame[0] & _DELTA or key_frame[3:6] != _START_CODE:
        raise MalformedError("Not a VP8 key frame")
    width = int.from_bytes(key_frame[6:8], "little") & 0x3FFF
    height = int.from_bytes(key_frame[8:10], "little") & 0x3FFF
    if not width or not height:
        raise MalformedError("A VP8 key frame has no size")
    return width, height


def hide(first_byte: int) -> int:
    """Return the first byte of a frame with show_frame cleared: decoders decode the frame and show nothing."""
    return first_byte & ~_SHOWN & 0xFF


def _descriptor_size(payload: bytes) -> int:
    """Return the length of the payload descriptor in bytes."""
    size = 1
    if payload and payload[0] & _EXTENDED:
        flags = payload[1] if len(payload) > 1 else 0
        size = 2
        if flags & _HAS_PICTURE_ID:
            size += 2 if len(payload) > 2 and payload[2] & _LONG_PICTURE_ID else 1
        size += bool(flags & _HAS_TL0) + bool(flags & (_HAS_TID | _HAS_KEYIDX))
    if len(payload) <= size:
        raise MalformedError("A VP8 payload ends within its descriptor")
    return size
