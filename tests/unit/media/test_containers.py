"""What fragments look like byte by byte; that players show them is tested with real decoders elsewhere."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.ebml import elements, number

from lookback.media import mp4, webm
from lookback.media.samples import Track

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTANTS = st.integers(1_500_000_000_000_000, 2_500_000_000_000_000)
PAYLOADS = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5)


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + size]
        at += size
    assert at == len(data)


def video_at(start_us: int, sizes: list[int]) -> list[mp4.FragmentSample]:
    return [mp4.FragmentSample(start_us + n * 33_333, 33_333, bytes([n + 1]) * s, n == 0) for n, s in enumerate(sizes)]


@given(INSTANTS, st.lists(st.integers(1, 50), min_size=1, max_size=5), st.lists(st.binary(min_size=1), max_size=2))
def test_offsets_point_at_the_bytes_of_every_sample(start_us: int, sizes: list[int], hidden: list[bytes]) -> None:
    video = video_at(start_us, sizes)
    audio = [mp4.FragmentSample(start_us, 20_000, b"sound", True)]
    data, offsets = mp4.fragment(7, video, audio, hidden)
    blobs = [s.data for s in video] + [b"sound", *hidden]
    assert [data[at : at + len(blob)] for at, blob in zip(offsets, blobs, strict=True)] == blobs
    assert [kind for kind, _ in boxes(data)] == [b"moof", b"mdat"]


@given(INSTANTS)
def test_decode_times_are_absolute_and_do_not_overflow(start_us: int) -> None:
    data, _ = mp4.fragment(1, video_at(start_us, [5, 5]), [])
    moof = dict(boxes(data))[b"moof"]
    traf = dict(boxes(dict(boxes(moof))[b"traf"]))
    (decode_time,) = struct.unpack(">Q", traf[b"tfdt"][4:])
    assert abs(decode_time / 90_000 - start_us / 1e6) < 1e-3
    assert decode_time == (start_us * 90_000 + 500_000) // 1_000_000


def test_a_track_without_samples_has_no_fragment() -> None:
    data, _ = mp4.fragment(1, [], [mp4.FragmentSample(0, 20_000, b"x", True)])
    moof = dict(boxes(data))[b"moof"]
    assert [kind for kind, _ in boxes(moof)] == [b"mfhd", b"traf"]


@given(st.integers(0, 2**42))
def test_sizes_are_as_short_as_they_can_be(value: int) -> None:
    field = webm.size_field(value)
    width = len(field)
    assert int.from_bytes(field, "big") ^ (1 << 7 * width) == value
    assert value < (1 << 7 * width) - 1  # all ones is reserved: unknown size
    assert width == 1 or value >= (1 << 7 * (width - 1)) - 1


@given(INSTANTS, PAYLOADS, st.lists(st.binary(), max_size=2))
def test_cluster_offsets_point_at_payloads(start_us: int, payloads: list[bytes], hidden: list[bytes]) -> None:
    samples = [webm.BlockSample(Track.VIDEO, start_us + n * 33_000, p, n == 0) for n, p in enumerate(payloads)]
    data, offsets, hidden_offsets = webm.cluster(samples, hidden)
    found = [data[at : at + len(p)] for at, p in zip(offsets + hidden_offsets, [*payloads, *hidden], strict=True)]
    assert found == [*payloads, *hidden]
    assert data.startswith(webm.CLUSTER)
    assert int.from_bytes(data[14:22], "big") == webm.milliseconds(start_us)


def test_a_cluster_of_lost_frames_alone_is_nothing_to_a_player() -> None:
    data, offsets, hidden_offsets = webm.cluster([], [b"lost"])
    assert data.startswith(webm.VOID)
    assert offsets == []
    assert data[hidden_offsets[0] :] == b"lost"


@pytest.mark.parametrize("key", [True, False])
def test_a_stated_duration_stands_around_a_plain_block(key: bool) -> None:
    samples = [
        webm.BlockSample(Track.VIDEO, 0, b"first", True),
        webm.BlockSample(Track.VIDEO, 5_000, b"x", key, 700_000),
    ]
    data, offsets, _ = webm.cluster(samples)
    *_, group = elements(data, *next(iter(elements(data)))[2:])
    assert data[offsets[1] - webm.BLOCK_HEADER_SIZE - webm.GROUP_HEADER_SIZE] == data[group.at]
    duration, reference, block = elements(data, group.begin, group.end)
    assert number(data, duration) == 700
    assert (reference.kind == webm.VOID) == key
    assert (block.begin + 4, block.end) == (offsets[1], len(data))
    assert data[block.begin : block.begin + 3] == b"\x81\x00\x05"


def test_the_longest_duration_that_can_be_stated_stands_for_longer_ones() -> None:
    assert len(webm.group_header(Track.VIDEO, 0, 1, 10**6, key=True)) == 21
