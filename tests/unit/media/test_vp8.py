"""VP8: payloads to frames, and what a frame says about itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.errors import MalformedError
from lookback.media import vp8
from lookback.media.vp8 import Descriptor

START = Descriptor(start=True, picture_id=77, long_picture_id=True, tl0_index=3, layer=(1, True), key_index=9)


def a_key_frame(width: int = 1280, height: int = 720, body: bytes = b"pixels" * 10) -> bytes:
    tag = (len(body) << 5 | 0x10).to_bytes(3, "little")
    size = (width | 0x4000).to_bytes(2, "little") + (height | 0x8000).to_bytes(2, "little")  # with scaling bits
    return tag + b"\x9d\x01\x2a" + size + body


def a_delta_frame(body: bytes = b"change" * 10) -> bytes:
    return (len(body) << 5 | 0x11).to_bytes(3, "little") + body


def payloads(frame: bytes, size: int = 20, start: Descriptor = START) -> list[bytes]:
    rest = Descriptor(picture_id=start.picture_id, long_picture_id=start.long_picture_id)
    pieces = [frame[at : at + size] for at in range(0, len(frame), size)]
    return [(start if n == 0 else rest).pack() + piece for n, piece in enumerate(pieces)]


descriptors = st.builds(
    Descriptor,
    start=st.booleans(),
    partition=st.integers(0, 7),
    non_reference=st.booleans(),
    picture_id=st.none() | st.integers(0, 0x7F),
    tl0_index=st.none() | st.integers(0, 255),
    layer=st.none() | st.tuples(st.integers(0, 3), st.booleans()),
    key_index=st.none() | st.integers(0, 31),
) | st.builds(Descriptor, picture_id=st.integers(0, 0x7FFF), long_picture_id=st.just(value=True))


@given(descriptors)
def test_a_descriptor_comes_back(descriptor: Descriptor) -> None:
    packed = descriptor.pack()
    parsed, size = vp8.parse_descriptor(packed + b"x")
    if descriptor.layer is None and descriptor.key_index is not None:
        assert parsed.key_index == descriptor.key_index
    assert (parsed, size) == (descriptor, len(packed))


@given(st.binary(max_size=8))
def test_any_bytes_have_a_descriptor_or_are_malformed(payload: bytes) -> None:
    try:
        descriptor, size = vp8.parse_descriptor(payload)
    except MalformedError:
        return
    assert 1 <= size < len(payload)
    assert descriptor.start == bool(payload[0] & 0x10)


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_any_payloads_depacketise_or_are_malformed(parts: list[bytes]) -> None:
    try:
        unit = vp8.depacketise(parts)
    except MalformedError:
        return
    assert len(unit.data) >= 3


@pytest.mark.parametrize(("frame", "key"), [(a_key_frame(), True), (a_delta_frame(), False)])
@pytest.mark.parametrize(
    "start",
    [
        START,
        Descriptor(start=True),
        Descriptor(start=True, picture_id=5),
        Descriptor(start=True, tl0_index=1),
        Descriptor(start=True, key_index=1),
    ],
)
def test_a_frame_comes_back_whatever_its_descriptor(frame: bytes, key: bool, start: Descriptor) -> None:
    assert vp8.depacketise(payloads(frame, start=start)) == (frame, key, True)


def test_later_partitions_may_start_inside_a_frame() -> None:
    first, *rest = payloads(a_delta_frame())
    rest[0] = Descriptor(start=True, partition=1).pack() + rest[0][4:]
    assert vp8.depacketise([first, *rest]).data == a_delta_frame()


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b""],
        [b"\x10"],
        [b"\x90"],
        [b"\x90\x80"],
        [b"\x90\x80\x80\x01"],
        payloads(a_key_frame())[1:],
        payloads(a_delta_frame()) * 2,
        payloads(a_key_frame())[:-1],
        [b"\x10\x11\x00"],
        [Descriptor(start=True).pack() + a_key_frame().replace(b"\x9d\x01\x2a", b"\x9d\x01\x2b")],
        [Descriptor(start=True).pack() + a_key_frame(width=0)],
    ],
)
def test_payloads_that_are_not_one_frame_are_malformed(parts: list[bytes]) -> None:
    with pytest.raises(MalformedError):
        vp8.depacketise(parts)


def test_a_key_frame_has_a_size() -> None:
    assert vp8.frame_size(a_key_frame(1918, 1078)) == (1918, 1078)
    for frame in (a_delta_frame(), b"", a_key_frame()[:9], a_key_frame(height=0)):
        with pytest.raises(MalformedError):
            vp8.frame_size(frame)


def test_hiding_clears_show_frame_only() -> None:
    assert vp8.hide(0x30) == 0x20
    assert vp8.hide(0xFF) == 0xEF
