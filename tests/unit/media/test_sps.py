"""H.264 sequence parameter sets, as x264 wrote them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.errors import MalformedError
from lookback.media.sps import Sps, parse_sps

# name: bytes, width, height, profile, level, chroma format, bit depth
FROM_X264 = {
    "baseline": ("6742c01eda0280bfe584000003000400000300f23c58ba80", 640, 360, 66, 30, 1, 8),
    "1080p, cropped": ("6742c028da01e0089f9610000003001000000303c8f1832a", 1920, 1080, 66, 40, 1, 8),
    "odd window": ("6742c028da01e0089ea684000003000400000300f23c60ca80", 1918, 1078, 66, 40, 1, 8),
    "smallest": ("6742c00dda7e222210000003001000000303c8f142aa", 2, 2, 66, 13, 1, 8),
    "4:2:2": ("677a000dbcb40a843c447c20000003002000000791e28554", 322, 242, 122, 13, 2, 8),
    "4:4:4": ("67f4000d919681508784210840000003004000000f23c50aa8", 321, 241, 244, 13, 3, 8),
    "10 bit": ("676e000da6cb40a0fd08000003000800000301e478a155", 320, 240, 110, 13, 1, 10),
    "interlaced": ("674d401ff405a12684000003000400000300f27c58ba80", 720, 576, 77, 31, 1, 8),
    "grey": ("6764001ff2d00a00b742000003000200000300791e306540", 1280, 720, 100, 31, 0, 8),
    "4K": ("67640033acb401e0021f42000003000200000300791e306540", 3840, 2160, 100, 51, 1, 8),
    "colours": ("6742c01fda0320efe226a0204048000003000800000301e478c195", 800, 450, 66, 31, 1, 8),
}


class BitWriter:
    """Writes what the parser reads, to reach the corners that no encoder here produces."""

    def __init__(self) -> None:
        self.bits = ""

    def u(self, count: int, value: int) -> BitWriter:
        self.bits += f"{value:0{count}b}" if count else ""
        return self

    def ue(self, *values: int) -> BitWriter:
        for value in values:
            code = f"{value + 1:b}"
            self.bits += "0" * (len(code) - 1) + code
        return self

    def se(self, *values: int) -> BitWriter:
        return self.ue(*(2 * value - 1 if value > 0 else -2 * value for value in values))

    def sps(self, profile: int = 100) -> bytes:
        bits = self.bits + "1"
        body = int(bits, 2) << (-len(bits) % 8)
        raw = body.to_bytes((len(bits) + 7) // 8, "big")
        for byte in range(4):
            raw = raw.replace(b"\0\0" + bytes((byte,)), b"\0\0\3" + bytes((byte,)))
        return bytes((0x67, profile, 0, 31)) + raw


def a_size(bits: BitWriter, width_mbs: int = 40, height_mbs: int = 30) -> BitWriter:
    return bits.ue(1).u(1, 0).ue(width_mbs - 1, height_mbs - 1).u(1, 1).u(1, 1).u(1, 0).u(1, 0)


@pytest.mark.parametrize("name", FROM_X264)
def test_sizes_are_those_that_were_encoded(name: str) -> None:
    data, width, height, profile, level, chroma, depth = FROM_X264[name]
    sps = parse_sps(bytes.fromhex(data))
    assert sps == Sps(profile, bytes.fromhex(data)[2], level, width, height, chroma, depth, depth)


def test_scaling_lists_are_read_over() -> None:
    bits = BitWriter().ue(0, 1, 0, 0).u(1, 0).u(1, 1)
    bits.u(1, 1).se(*[1] * 16)  # a 4x4 list, value by value
    bits.u(1, 1).se(-8)  # one that falls back to the default at once
    bits.u(4, 0)
    bits.u(1, 1).se(*[2] * 64).u(1, 0)  # an 8x8 list
    assert parse_sps(a_size(bits.ue(0, 0, 0)).sps()).width == 640


def test_a_picture_order_cycle_is_read_over() -> None:
    bits = BitWriter().ue(0, 4, 1).u(1, 0).se(-3, 5).ue(3).se(1, -1, 0)
    sps = parse_sps(a_size(bits).sps(66))
    assert (sps.width, sps.height) == (640, 480)


def test_separate_colour_planes_are_cropped_by_single_samples() -> None:
    bits = BitWriter().ue(0, 3).u(1, 1).ue(0, 0).u(2, 0).ue(0, 2)
    bits.ue(1).u(1, 0).ue(39, 29).u(1, 1).u(1, 1).u(1, 1).ue(1, 0, 0, 3).u(1, 0)
    sps = parse_sps(bits.sps(244))
    assert (sps.width, sps.height) == (639, 477)


@pytest.mark.parametrize(
    "bits",
    [
        BitWriter().ue(0, 4),  # chroma format
        BitWriter().ue(0, 1, 7, 0).u(2, 0).ue(0, 2),  # bit depth
        BitWriter().ue(0, 1, 0, 0).u(2, 0).ue(0, 1).u(1, 0).se(0, 0).ue(256),  # picture order cycle
        a_size(BitWriter().ue(0, 1, 0, 0).u(2, 0).ue(0, 2), width_mbs=2000),
        BitWriter().u(33, 0).u(1, 1).u(33, 0),  # code
    ],
)
def test_impossible_values_are_malformed(bits: BitWriter) -> None:
    with pytest.raises(MalformedError):
        parse_sps(bits.sps())


def test_cropping_more_than_the_frame_is_malformed() -> None:
    bits = BitWriter().ue(0, 4, 2, 1).u(1, 0).ue(0, 0).u(1, 1).u(1, 1).u(1, 1).ue(8, 0, 0, 0).u(1, 0)
    with pytest.raises(MalformedError):
        parse_sps(bits.sps(66))


@pytest.mark.parametrize("data", [b"", b"\x67\x42\xc0", b"\x68\x42\xc0\x1f\xff"])
def test_something_else_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_sps(data)


@given(st.sampled_from(sorted(FROM_X264)), st.integers(4, 23), st.integers(0, 255))
def test_a_changed_byte_is_parsed_or_malformed(name: str, at: int, byte: int) -> None:
    data = bytearray.fromhex(FROM_X264[name][0])
    data[min(at, len(data) - 1)] = byte
    parses_or_is_malformed(bytes(data))


@given(st.sampled_from((66, 77, 100, 122, 244)), st.binary(max_size=60))
def test_any_bytes_are_parsed_or_malformed(profile: int, body: bytes) -> None:
    parses_or_is_malformed(bytes((0x67, profile, 0, 31)) + body)


def parses_or_is_malformed(data: bytes) -> None:
    try:
        sps = parse_sps(data)
    except MalformedError:
        return
    assert 0 < sps.width <= 16_384
    assert 0 < sps.height <= 16_384
