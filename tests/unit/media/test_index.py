from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.errors import MalformedError
from lookback.media.gaps import extent
from lookback.media.index import (
    RECORD_SIZE,
    Flag,
    Sample,
    SegmentHeader,
    bytes_up_to,
    first_broken_commit,
    fragment_records,
    parse_index,
)
from lookback.media.samples import Track

HEADER = SegmentHeader(100, 640, 360, 1_795_384_759_000_000, b"run-0001")

samples = st.builds(
    Sample,
    st.sampled_from(Track),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.sampled_from([Flag.NONE, Flag.SYNC, Flag.REFERENCE_LOST, Flag.SYNC | Flag.FILLER, Flag.HELD]),
    st.integers(-(2**31), 2**31 - 1),
)


def an_index(fragments: list[list[Sample]]) -> tuple[bytes, int]:
    """An index of fragments of 50 bytes each, and the size of its media file."""
    data, at = HEADER.pack(), HEADER.init_size
    for number, rows in enumerate(fragments):
        data += fragment_records(number, at, bytes(50), rows)
        at += 50
    return data, at


@given(st.lists(st.lists(samples, max_size=4), max_size=4))
def test_what_is_written_is_read(fragments: list[list[Sample]]) -> None:
    data, size = an_index(fragments)
    index = parse_index(data, size)
    assert index.header == HEADER
    assert (index.good_bytes, index.torn_bytes, index.media_bytes) == (len(data), 0, size)
    rows = [
        Sample(
            Track(int(r["track"])),
            int(r["dts_us"]),
            int(r["duration_us"]),
            int(r["offset"]),
            int(r["size"]),
            Flag(int(r["flags"])),
            int(r["cts_us"]),
        )
        for r in index.samples
    ]
    assert rows == [sample for fragment in fragments for sample in fragment]


@given(st.lists(st.lists(samples, max_size=4), min_size=1, max_size=4))
def test_whatever_a_writer_commits_can_be_summarised(fragments: list[list[Sample]]) -> None:
    data, size = an_index(fragments)
    index = parse_index(data, size)
    if len(index.samples):
        seen = extent(index)
        assert all(before.start_us <= after.start_us for before, after in pairwise(seen.losses))
        assert seen.earliest_us <= seen.start_us


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=5), st.data())
def test_a_fragment_with_other_bytes_than_were_written_is_found(fragments: list[bytes], data: st.DataObject) -> None:
    records, media = HEADER.pack(), bytearray(HEADER.init_size)
    for number, fragment in enumerate(fragments):
        records += fragment_records(number, len(media), fragment, [Sample(Track.VIDEO, number, 1, len(media), 1)])
        media += fragment
    index = parse_index(records, len(media))
    assert first_broken_commit(index, bytes(media)) is None
    at = data.draw(st.integers(HEADER.init_size, len(media) - 1))
    media[at] ^= data.draw(st.integers(1, 255))
    broken = first_broken_commit(index, bytes(media))
    assert broken == int((index.commits["offset"] <= at).sum()) - 1
    before = parse_index(records[: bytes_up_to(index, broken)], len(media))
    assert (len(before.commits), before.torn_bytes) == (broken, 0)


@given(st.binary(max_size=400), st.integers(0, 10_000))
def test_any_bytes_are_an_index_or_malformed(data: bytes, size: int) -> None:
    for candidate in (data, HEADER.pack() + data):
        try:
            index = parse_index(candidate, size)
        except MalformedError:
            continue
        assert index.good_bytes + index.torn_bytes == len(candidate)
        assert index.media_bytes <= max(size, HEADER.init_size)


@given(st.data())
def test_a_changed_record_is_never_trusted(data: st.DataObject) -> None:
    rows = [Sample(Track.VIDEO, at * 33_333, 33_333, 100 + at, 1) for at in range(4)]
    whole, size = an_index([rows, rows])
    at = data.draw(st.integers(32, len(whole) - 1))
    position = (at - 32) % (5 * RECORD_SIZE)
    if position >= 4 * RECORD_SIZE:  # inside a commit record: only what is hashed or counted can be checked
        return
    changed = bytearray(whole)
    changed[at] ^= data.draw(st.integers(1, 255))
    index = parse_index(bytes(changed), size)
    assert len(index.commits) == (at - 32) // (5 * RECORD_SIZE)


@given(st.integers(0, 260))
def test_a_fragment_that_reaches_beyond_the_media_file_is_not_trusted(size: int) -> None:
    rows = [Sample(Track.VIDEO, 0, 1, 100, 50)]
    data, whole = an_index([rows, rows, rows])
    assert whole == 250
    assert len(parse_index(data, size).commits) == max(0, min(3, (size - 100) // 50))


@pytest.mark.parametrize("data", [b"", b"LBX1", b"LBX2" + bytes(28), b"LBX1\x02\x00" + bytes(26)])
def test_a_file_of_another_kind_or_version_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_index(data, 100)
