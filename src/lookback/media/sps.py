"""The sequence parameter set of H.264: what a decoder must know before the first picture (ITU-T H.264, 7.3.2.1.1)."""

from __future__ import annotations

from dataclasses import dataclass

from lookback.errors import MalformedError

_SPS_TYPE = 7
_WITH_CHROMA = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})  # profiles, 7.3.2.1.1
_LARGEST_SIDE = 16_384  # level 6.2 allows 16,880 luma samples (A.3.1); beyond it nothing here could play it
_LONGEST_CODE = 32  # zero bits before an Exp-Golomb code: values stop at 2^32 - 2 (9.1)
_CROP_UNITS = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}  # chroma_format_idc: SubWidthC, SubHeightC (table 6-1)


@dataclass(frozen=True, slots=True)
class Sps:
    """What an SPS says. Sizes are luma samples after cropping; bit depths are bits per sample."""

    profile: int
    constraints: int
    level: int
    width: int
    height: int
    chroma_format: int = 1
    luma_bits: int = 8
    chroma_bits: int = 8


def parse_sps(nal: bytes) -> Sps:
    """Decode an SPS NAL unit (without length or start code); raises MalformedError when it is not a usable one."""
    if len(nal) < 4 or nal[0] & 31 != _SPS_TYPE:
        raise MalformedError("Not an H.264 SPS")
    bits = _Bits(nal[4:].replace(b"\0\0\3", b"\0\0"))  # emulation prevention, 7.4.1
    bits.ue()  # seq_parameter_set_id
    chroma, separate, luma_bits, chroma_bits = _chroma(bits) if nal[1] in _WITH_CHROMA else (1, 0, 8, 8)
    bits.ue()  # log2_max_frame_num_minus4
    _skip_picture_order(bits)
    bits.ue()  # max_num_ref_frames
    bits.u(1)  # gaps_in_frame_num_value_allowed_flag
    width, height = _size(bits, 0 if separate else chroma)
    return Sps(nal[1], nal[2], nal[3], width, height, chroma, luma_bits, chroma_bits)


def _chroma(bits: _Bits) -> tuple[int, int, int, int]:
    """Read chroma_format_idc, separate_colour_plane_flag and the bit depths of luma and chroma."""
    chroma = bits.ue()
    separate = bits.u(1) if chroma == 3 else 0
    luma_bits, chroma_bits = 8 + bits.ue(), 8 + bits.ue()
    if chroma not in _CROP_UNITS or max(luma_bits, chroma_bits) > 14:
        raise MalformedError("The H.264 SPS has an unknown sample format")
    bits.u(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.u(1):
        for number in range(12 if chroma == 3 else 8):
            if bits.u(1):
                _skip_scaling_list(bits, 16 if number < 6 else 64)
    return chroma, separate, luma_bits, chroma_bits


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    """Read over a scaling list, 7.3.2.1.1.1."""
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _skip_picture_order(bits: _Bits) -> None:
    kind = bits.ue()
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.u(1)
        bits.se()
        bits.se()
        count = bits.ue()
        if count > 255:
            raise MalformedError("The H.264 SPS has too long a picture order cycle")
        for _ in range(count):
            bits.se()


def _size(bits: _Bits, chroma_array: int) -> tuple[int, int]:
    """Read the frame size in macroblocks and the cropping, 7.4.2.1.1; return width and height in luma samples."""
    width, height = 16 * (bits.ue() + 1), 16 * (bits.ue() + 1)
    fields = 2 - bits.u(1)  # frame_mbs_only_flag
    height *= fields
    if fields == 2:
        bits.u(1)  # mb_adaptive_frame_field_flag
    bits.u(1)  # direct_8x8_inference_flag
    if bits.u(1):
        unit_x, unit_y = _CROP_UNITS[chroma_array]
        left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
        width -= unit_x * (left + right)
        height -= unit_y * fields * (top + bottom)
    if not (0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE):
        raise MalformedError("The H.264 SPS has an impossible frame size")
    return width, height


class _Bits:
    """Reads a raw byte sequence payload bit by bit."""

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._end = 8 * len(data)

    def u(self, count: int) -> int:
        """Read an unsigned number of `count` bits; raises MalformedError past the end."""
        end = self._at + count
        if end > self._end:
            raise MalformedError("The H.264 SPS ends too early")
        first, last = self._at >> 3, (end + 7) >> 3
        self._at = end
        return int.from_bytes(self._data[first:last], "big") >> (8 * last - end) & ((1 << count) - 1)

    def ue(self) -> int:
        """Read an unsigned Exp-Golomb code, 9.1."""
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > _LONGEST_CODE:
                raise MalformedError("The H.264 SPS has too long a code")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """Read a signed Exp-Golomb code, 9.1.1."""
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)
