"""Files of LiveKit Egress that are not what they should be: each costs itself, and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.egress_bench import EgressBench
from tests.support.egress_files import (
    BEGINS_US,
    FILES,
    KILLED_TMP,
    TWO,
    clip_shots,
    expected,
    lay,
    playlist,
)
from tests.support.egress_writer import moved

from lookback.media.gaps import Gap
from lookback.recorder.egress import rules
from lookback.recorder.egress.reader import TsReader

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000


@pytest.fixture
def bench(tmp_path: Path) -> EgressBench:
    return EgressBench(tmp_path / "session")


async def test_a_file_that_has_vanished_is_a_gap_as_long_as_it_was(bench: EgressBench, tmp_path: Path) -> None:
    entries = [
        (f"seg_0000{n}.ts", 10, f"2026-11-22T21:0{1 + (39 + 10 * n) // 60}:{(39 + 10 * n) % 60}.936Z") for n in range(3)
    ]
    folder = lay(tmp_path / "out", FILES[0], KILLED_TMP / "seg_00002.ts", playlist=playlist(*entries))
    await bench.follow(bench.source(folder))
    assert bench.gaps == (Gap(BEGINS_US + 10 * SECOND, BEGINS_US + 20 * SECOND, "all", "egress"),)
    assert bench.told == [rules.UNREADABLE, None]


async def test_a_file_that_is_shorter_than_the_playlist_says_is_a_gap_from_there_on(
    bench: EgressBench, tmp_path: Path
) -> None:
    folder = lay(tmp_path / "out", *FILES, playlist=TWO)
    (folder / "seg_00000.ts").write_bytes(FILES[0].read_bytes()[: 300_000 // 188 * 188])
    await bench.follow(bench.source(folder))
    (gap,) = (gap for gap in bench.gaps if gap.track == "all")
    assert BEGINS_US + 2 * SECOND < gap.start_us < BEGINS_US + 5 * SECOND
    assert gap.end_us == BEGINS_US + 10 * SECOND


async def test_a_machine_whose_clock_is_ahead_does_not_record_the_future(bench: EgressBench, tmp_path: Path) -> None:
    ahead = moved(TWO, 86_400 * SECOND)
    await bench.follow(bench.source(lay(tmp_path / "out", *FILES, playlist=ahead)))
    assert len(bench.segments) == 2
    assert bench.segments[-1].extent.end_us <= bench.clock() + 10 * SECOND


async def test_pictures_with_broken_times_do_not_stand_in_the_way_of_the_next_file(
    bench: EgressBench, tmp_path: Path
) -> None:
    folder = lay(tmp_path / "out", *FILES, playlist=TWO)
    (folder / "seg_00000.ts").write_bytes(with_broken_times(FILES[0].read_bytes()))
    await bench.follow(bench.source(folder))
    assert bench.segments[-1].extent.end_us == pytest.approx(BEGINS_US + 20 * SECOND, abs=25_000)
    shown = clip_shots(bench.cut(BEGINS_US + 12 * SECOND, BEGINS_US + 14 * SECOND))
    assert [shot.look for shot in shown] == [
        look for _, look in expected(BEGINS_US + 12 * SECOND, BEGINS_US + 14 * SECOND)
    ]


def with_broken_times(data: bytes) -> bytes:
    """Every tenth picture's PES header with times of some other day (ISO/IEC 13818-1 section 2.4.3.7)."""
    broken, at, number = bytearray(data), 0, 0
    while (at := broken.find(b"\0\0\1\xe0", at + 1)) > 0:
        number += 1
        if number % 10 == 0:
            broken[at + 9] ^= 0x0E
    return bytes(broken)


@pytest.mark.parametrize("rubbish", [b"", b"\0" * 188_000, b"#EXTM3U\nfile:///etc/passwd\n" * 100, b"G" * 400_000])
async def test_rubbish_is_a_gap_and_nothing_else(bench: EgressBench, tmp_path: Path, rubbish: bytes) -> None:
    entries = [
        (f"seg_0000{n}.ts", 10, f"2026-11-22T21:0{1 + (39 + 10 * n) // 60}:{(39 + 10 * n) % 60}.936Z") for n in range(3)
    ]
    folder = lay(tmp_path / "out", FILES[0], KILLED_TMP / "seg_00002.ts", playlist=playlist(*entries))
    (folder / "seg_00001.ts").write_bytes(rubbish)
    assert await bench.follow(bench.source(folder)) == rules.ENDED
    assert [gap.track for gap in bench.gaps] == ["all"]


async def test_a_link_out_of_the_folder_is_not_followed(bench: EgressBench, tmp_path: Path) -> None:
    folder = lay(tmp_path / "out", playlist=playlist(("seg_00000.ts", 10, "2026-11-22T21:01:39.936Z")))
    (folder / "seg_00000.ts").symlink_to(FILES[0])
    await bench.follow(bench.source(folder))
    assert bench.segments == []


async def test_a_file_that_breaks_its_reader_costs_that_file_only(bench: EgressBench, tmp_path: Path) -> None:
    reader = TsReader(("sh", "-c", "read line; echo nonsense that is no sample at all; cat > /dev/null"))
    folder = lay(tmp_path / "out", *FILES, playlist=TWO)
    assert await bench.follow(bench.source(folder, reader=reader)) == rules.ENDED
    assert bench.told == [rules.UNREADABLE]


async def test_a_file_that_keeps_its_reader_busy_for_ever_costs_that_file_only(
    bench: EgressBench, tmp_path: Path
) -> None:
    reader = TsReader(("sleep", "600"), patience_s=0.2)
    folder = lay(tmp_path / "out", *FILES, playlist=TWO)
    assert await bench.follow(bench.source(folder, reader=reader)) == rules.ENDED
