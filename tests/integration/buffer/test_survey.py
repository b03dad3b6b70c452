"""What retention knows of segments without reading them whole is what readers find in them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.media import START_US, record

from lookback.buffer.leases import Lease
from lookback.buffer.reader import read_segments
from lookback.buffer.retention import Stored
from lookback.buffer.survey import Survey

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000


def as_readers_find(directory: Path) -> list[Stored]:
    return [Stored(s.number, s.extent.start_us, s.extent.end_us, s.size_bytes) for s in read_segments(directory)]


@pytest.mark.parametrize("shape", [ClipShape(), ClipShape("vp8")])
def test_a_survey_finds_what_readers_find(tmp_path: Path, shape: ClipShape) -> None:
    record(tmp_path, encoded_clip(shape), frames=300)
    assert Survey().of(tmp_path, active=False) == as_readers_find(tmp_path)


def test_what_is_known_is_not_read_again_and_the_newest_is(tmp_path: Path) -> None:
    survey = Survey()
    record(tmp_path, frames=120)
    before = survey.of(tmp_path, active=True)
    for index in tmp_path.glob("*.idx"):
        index.write_bytes(b"garbage")
    after = survey.of(tmp_path, active=True)
    assert [s.number for s in before] == [1, 2]
    assert [s.number for s in after] == [1]
    survey.forget(tmp_path)
    assert survey.of(tmp_path, active=True) == []


@pytest.mark.parametrize("cut", [1, 32, 40 * 32, 300 * 32])
def test_where_the_end_of_an_index_is_torn_it_is_read_as_readers_do(tmp_path: Path, cut: int) -> None:
    record(tmp_path, frames=180)
    index = tmp_path / "segment-000001.idx"
    os.truncate(index, max(0, index.stat().st_size - cut))
    assert Survey().of(tmp_path, active=False) == as_readers_find(tmp_path)


def test_where_the_end_of_an_index_is_nonsense_it_is_read_as_readers_do(tmp_path: Path) -> None:
    record(tmp_path, frames=180)
    index = tmp_path / "segment-000001.idx"
    data = bytearray(index.read_bytes())
    data[-64:-32] = b"\x7f" * 32
    index.write_bytes(data)
    assert Survey().of(tmp_path, active=False) == as_readers_find(tmp_path)


def test_the_newest_is_open_while_somebody_writes(tmp_path: Path) -> None:
    record(tmp_path, frames=180)
    assert [s.open for s in Survey().of(tmp_path, active=True)] == [False, False, True]
    assert [s.open for s in Survey().of(tmp_path, active=False)] == [False, False, False]


def test_leases_and_pins_are_seen(tmp_path: Path) -> None:
    record(tmp_path, frames=180)
    os.link(tmp_path / "segment-000002.mp4", tmp_path / "a-pin")
    lease = Lease(START_US + 2 * SECOND, START_US + 3 * SECOND, 1 << 60)
    found = Survey().of(tmp_path, active=True, held=[lease], pins=True)
    assert [s.pinned for s in found] == [False, True, False]
    assert [s.leased for s in found][1:] == [True, False]


def test_a_directory_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert Survey().of(tmp_path / "gone", active=True) == []
