"""H.264: payloads to access units, and what a frame says about itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.errors import MalformedError
from lookback.media import h264

SPS = bytes.fromhex("6742c01fda014016e84000000300400000ca83c60ca8")
PPS = bytes.fromhex("68ce3c80")
IDR = b"\x65\x88" + b"picture" * 40
DELTA = b"\x41\x9a" + b"change" * 40


def a_frame(*nals: bytes) -> bytes:
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)


def an_aggregate(*nals: bytes) -> bytes:
    return b"\x78" + b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)


def fragments(nal: bytes, size: int = 50) -> list[bytes]:
    body = [nal[at : at + size] for at in range(1, len(nal), size)]
    return [
        bytes((nal[0] & 0xE0 | 28, 0x80 * (n == 0) | 0x40 * (n == len(body) - 1) | nal[0] & 31)) + piece
        for n, piece in enumerate(body)
    ]


def test_single_nal_units_get_lengths() -> None:
    assert h264.depacketise([SPS, PPS, IDR]) == (a_frame(SPS, PPS, IDR), True, True)


def test_an_aggregate_and_fragments_become_nal_units() -> None:
    unit = h264.depacketise([an_aggregate(SPS, PPS), *fragments(IDR)])
    assert unit == (a_frame(SPS, PPS, IDR), True, True)


def test_a_delta_frame_is_no_key_frame() -> None:
    assert h264.depacketise(fragments(DELTA)) == (a_frame(DELTA), False, True)


def test_a_fragment_that_is_whole_is_accepted() -> None:
    assert h264.depacketise(fragments(DELTA, 5000)).data == a_frame(DELTA)


def test_parameter_sets_alone_are_no_picture() -> None:
    assert not h264.depacketise([an_aggregate(SPS, PPS)]).picture


@pytest.mark.parametrize(
    "payloads",
    [
        [],
        [b""],
        [b"\x78"],
        [b"\x78\x00"],
        [b"\x78\x00\x00"],
        [b"\x78\x00\x05ab"],
        [an_aggregate(an_aggregate(SPS))],
        [b"\x5c\x80"],
        [b"\x5c\x9c\x01"],
        fragments(IDR)[1:],
        fragments(IDR)[:-1],
        [*fragments(IDR)[:2], SPS, *fragments(IDR)[2:]],
        fragments(IDR)[:2] + fragments(DELTA)[2:],
        [fragments(IDR)[0], *fragments(IDR)],
        [b"\x5c"],
        [b"\x79abc"],
        [b"\x7dabc"],
        [b"\x00abc"],
        [b"\x1fabc"],
    ],
)
def test_payloads_that_do_not_join_are_malformed(payloads: list[bytes]) -> None:
    with pytest.raises(MalformedError):
        h264.depacketise(payloads)


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_payloads_depacketise_or_are_malformed(payloads: list[bytes]) -> None:
    try:
        unit = h264.depacketise(payloads)
    except MalformedError:
        return
    assert b"".join(nal for nal in h264.nal_units(unit.data))


nals = st.builds(
    lambda kind, body: bytes((kind,)) + body,
    st.integers(0x21, 0x37),
    st.binary(min_size=1, max_size=300),
)


@given(st.lists(nals, min_size=1, max_size=5), st.integers(1, 100), st.booleans())
def test_what_was_packetised_comes_back(units: list[bytes], size: int, aggregated: bool) -> None:
    payloads = [an_aggregate(*units)] if aggregated else [p for nal in units for p in fragments(nal, size)]
    assert h264.depacketise(payloads).data == a_frame(*units)


def test_parameter_sets_are_found_before_the_picture() -> None:
    assert h264.parameter_sets(a_frame(b"\x09\xf0", SPS, PPS, IDR)) == (SPS, PPS)
    assert h264.parameter_sets(a_frame(IDR, SPS, PPS)) == (None, None)
    assert h264.parameter_sets(a_frame(PPS, IDR)) == (None, PPS)


@pytest.mark.parametrize("frame", [b"\0", b"\0\0\0\0", b"\0\0\0\5abcd", a_frame(SPS)[:-1]])
def test_lengths_that_do_not_add_up_are_malformed(frame: bytes) -> None:
    with pytest.raises(MalformedError):
        h264.parameter_sets(frame)


@given(st.binary(max_size=200))
def test_any_frame_has_parameter_sets_or_is_malformed(frame: bytes) -> None:
    try:
        sps, pps = h264.parameter_sets(frame)
    except MalformedError:
        return
    assert all(nal is None or nal in frame for nal in (sps, pps))


def test_the_codec_string_names_profile_and_level() -> None:
    assert h264.codec_string(SPS) == "avc3.42c01f"
    with pytest.raises(MalformedError):
        h264.codec_string(SPS[:3])


@pytest.mark.parametrize(
    ("payload", "starts"),
    [
        (an_aggregate(SPS, PPS), True),
        (an_aggregate(PPS, SPS), False),
        (SPS, True),
        (b"\x09\xf0", True),
        (DELTA, True),
        (b"\x41\x5a", False),
        (fragments(DELTA)[0], True),
        (fragments(DELTA)[1], False),
        (IDR, False),
        (fragments(IDR)[0], False),
        (b"", False),
        (b"\x5c\x81", False),
        (b"\x78\x78" * 5000, False),
    ],
)
def test_only_a_certain_beginning_starts_a_picture(payload: bytes, starts: bool) -> None:
    assert h264.starts_picture(payload) is starts
