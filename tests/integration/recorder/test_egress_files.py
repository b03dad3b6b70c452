"""What LiveKit Egress really wrote, followed as it comes: the right pictures at the right time, and their sound."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.support.egress_bench import EgressBench
from tests.support.egress_files import (
    BEGINS_US,
    DATA,
    FILES,
    KILLED,
    KILLED_TMP,
    TWO,
    clip_shots,
    expected,
    first_picture_s,
    lay,
    playlist,
    shots,
    sound,
)
from tests.support.egress_writer import steps, writing

from lookback.media.aac import AacConfig
from lookback.media.gaps import Gap
from lookback.media.sound import AacSound, sound_of
from lookback.recorder.egress import rules
from lookback.recorder.egress.follower import EgressPlace

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SECOND = 1_000_000
STEREO = AacSound(AacConfig(44_100, 2))


@pytest.fixture
def bench(tmp_path: Path) -> EgressBench:
    return EgressBench(tmp_path / "session")


def lag(heard: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    """By how many seconds `heard` is later than `true`, at most half a second either way."""
    length = min(len(heard), len(true), 4 * 44_100)
    a, b = heard[:length], true[:length]
    spectrum = np.fft.rfft(a, 2 * length) * np.conj(np.fft.rfft(b, 2 * length))
    matches = np.fft.irfft(spectrum)
    near = np.concatenate([matches[-22_050:], matches[:22_050]])
    return float(np.argmax(near) - 22_050) / 44_100


RANGES = [(0, 5), (3.333, 8.765), (8.1, 12.05), (9.99, 10.02), (0, 19.9), (12.345678, 12.412345)]


async def test_every_range_has_the_right_pictures_at_the_right_time(bench: EgressBench, tmp_path: Path) -> None:
    async with writing(steps(KILLED, ["seg_00000.ts", "seg_00001.ts"], tmp_path / "out", ended=True)):
        assert await bench.follow(bench.source(tmp_path / "out")) == rules.ENDED
    for first, last in RANGES:
        start_us, end_us = BEGINS_US + round(first * SECOND), BEGINS_US + round(last * SECOND)
        shown = clip_shots(bench.cut(start_us, end_us))
        wanted = expected(start_us, end_us)
        assert [shot.look for shot in shown] == [look for _, look in wanted], (first, last)
        assert [shot.at for shot in shown] == pytest.approx([at for at, _ in wanted], abs=0.000_02), (first, last)
    assert (bench.gaps, bench.told) == ((), [])


async def test_the_sound_is_in_step_with_the_pictures(bench: EgressBench, tmp_path: Path) -> None:
    await bench.follow(bench.source(lay(tmp_path / "out", *FILES, playlist=TWO)))
    for seconds in (0.5, 6.789, 11.5):
        clip = bench.cut(BEGINS_US + round(seconds * SECOND), BEGINS_US + round((seconds + 5) * SECOND))
        file = FILES[seconds > 10]
        true = sound(str(file), first_picture_s(file) + seconds % 10)
        assert abs(lag(sound(clip, 0), true)) < 0.001, seconds


async def test_the_first_sound_comes_before_the_tables_that_announce_it(bench: EgressBench, tmp_path: Path) -> None:
    await bench.follow(bench.source(lay(tmp_path / "out", *FILES, playlist=TWO)))
    audio = bench.segments[0].index.samples
    heard = audio[audio["track"] == 2]["dts_us"]
    assert 0 <= int(heard[0]) - BEGINS_US < 25_000
    assert len(heard) >= 430


async def test_the_last_file_has_seconds_of_sound_for_which_there_is_no_picture(
    bench: EgressBench, tmp_path: Path
) -> None:
    stopped = DATA / "stopped"
    date = "2026-11-22T21:10:53.711Z"
    folder = lay(tmp_path / "out", stopped / "seg_00010.ts", playlist=playlist(("seg_00010.ts", 1.367, date)))
    await bench.follow(bench.source(folder))
    extent = bench.segments[0].extent
    assert extent.end_us - extent.start_us == pytest.approx(1_400_000, abs=40_000)
    assert extent.sound_us is not None
    assert extent.sound_us[1] <= extent.end_us + 25_000


async def test_sound_that_goes_on_after_the_share_is_gone_is_not_kept(bench: EgressBench, tmp_path: Path) -> None:
    file = DATA / "unpublished" / "seg_00005.ts"
    folder = lay(tmp_path / "out", file, playlist=playlist((file.name, 2.067, "2026-11-22T20:55:39.65Z")))
    await bench.follow(bench.source(folder))
    extent = bench.segments[0].extent
    assert extent.end_us - extent.start_us == pytest.approx(2_100_000, abs=40_000)
    assert bench.gaps == ()


async def test_a_starved_file_is_said_and_its_missing_sound_is_a_gap(bench: EgressBench, tmp_path: Path) -> None:
    file = DATA / "starved" / "seg_00058.ts"
    folder = lay(tmp_path / "out", file, playlist=playlist((file.name, 10, "2026-11-22T20:40:00.000Z")))
    await bench.follow(bench.source(folder))
    extent = bench.segments[0].extent
    assert bench.told == [rules.STARVED]
    assert bench.gaps == (Gap(extent.start_us, extent.start_us + 10 * SECOND, "audio", "egress"),)
    assert sound_of(bench.segments[0].media_path.read_bytes()[:2000]) == STEREO


async def test_trouble_that_is_over_is_said_too(bench: EgressBench, tmp_path: Path) -> None:
    files = [DATA / "starved" / "seg_00058.ts", FILES[0]]
    folder = lay(
        tmp_path / "out",
        *files,
        playlist=playlist(
            ("seg_00058.ts", 10, "2026-11-22T21:01:29.936Z"), ("seg_00000.ts", 10, "2026-11-22T21:01:39.936Z")
        ),
    )
    await bench.follow(bench.source(folder))
    assert bench.told == [rules.STARVED, None]


async def test_nobody_misses_sound_that_was_not_agreed_on(bench: EgressBench, tmp_path: Path) -> None:
    file = DATA / "starved" / "seg_00058.ts"
    folder = lay(tmp_path / "out", file, playlist=playlist((file.name, 10, "2026-11-22T20:40:00.000Z")))
    await bench.follow(bench.source(folder, audio=False))
    assert (bench.told, bench.gaps) == ([], ())
    assert sound_of(bench.segments[0].media_path.read_bytes()[:2000]) is None


async def test_a_muted_share_holds_its_last_picture_until_the_next_file(bench: EgressBench, tmp_path: Path) -> None:
    file = DATA / "muted" / "seg_00001.ts"
    folder = lay(tmp_path / "out", file, playlist=playlist((file.name, 10.355, "2026-11-22T20:54:59.261Z")))
    await bench.follow(bench.source(folder))
    extent = bench.segments[0].extent
    assert extent.end_us - extent.start_us == pytest.approx(10_355_000, abs=25_000)
    assert bench.gaps == ()


async def test_a_killed_egress_leaves_a_tail_that_is_taken(bench: EgressBench, tmp_path: Path) -> None:
    async with writing(steps(KILLED, ["seg_00000.ts", "seg_00001.ts"], tmp_path / "out")):
        cause = await bench.follow(bench.source(tmp_path / "out", spare=KILLED_TMP))
    assert cause.startswith("LiveKit Egress has written nothing for")
    wanted = shots([*FILES, KILLED_TMP / "seg_00002.ts"], BEGINS_US)
    clip = clip_shots(bench.cut(BEGINS_US, BEGINS_US + 60 * SECOND))
    assert [shot.look for shot in clip[:880]] == [shot.look for shot in wanted[:880]]
    assert len(clip) >= len(wanted) - 2  # of a torn file nobody knows whether the last frame is whole
    assert bench.gaps == ()


async def test_without_its_temporary_folder_a_killed_egress_ends_with_its_last_file(
    bench: EgressBench, tmp_path: Path
) -> None:
    await bench.follow(bench.source(lay(tmp_path / "out", *FILES, playlist=TWO.replace("#EXT-X-ENDLIST\n", ""))))
    assert bench.segments[-1].extent.end_us == pytest.approx(BEGINS_US + 20 * SECOND, abs=25_000)


async def test_a_full_disk_leaves_half_a_file_of_which_the_whole_pictures_are_taken(
    bench: EgressBench, tmp_path: Path
) -> None:
    folder = lay(
        tmp_path / "out", FILES[0], playlist=playlist(("seg_00000.ts", 10, "2026-11-22T21:01:39.936Z"), ended=False)
    )
    (folder / "seg_00001.ts").write_bytes(FILES[1].read_bytes()[:245_760])
    source = bench.source(folder)
    source.finish()
    assert await bench.follow(source) == rules.LEFT_OPEN
    wanted = shots(FILES, BEGINS_US)
    shown = clip_shots(bench.cut(BEGINS_US, BEGINS_US + 60 * SECOND))
    assert 340 < len(shown) < 400
    assert [shot.look for shot in shown[:-4]] == [shot.look for shot in wanted[: len(shown) - 4]]


async def test_a_new_egress_continues_after_the_last_file_of_the_old_one(bench: EgressBench, tmp_path: Path) -> None:
    old = lay(
        tmp_path / "old", FILES[0], playlist=playlist(("seg_00000.ts", 10, "2026-11-22T21:01:39.936Z"), ended=False)
    )
    new = lay(tmp_path / "new", FILES[1], playlist=playlist(("seg_00001.ts", 10, "2026-11-22T21:02:04.936Z")))
    source = bench.source(old)
    source.follow(EgressPlace(new, "index.m3u8"))
    assert await bench.follow(source) == rules.ENDED
    assert bench.gaps == (Gap(BEGINS_US + 10 * SECOND, BEGINS_US + 25 * SECOND, "all", "egress"),)


async def test_what_another_recorder_has_taken_is_not_taken_again(bench: EgressBench, tmp_path: Path) -> None:
    source = bench.source(lay(tmp_path / "out", *FILES, playlist=TWO), after_us=BEGINS_US + 10 * SECOND)
    await bench.follow(source)
    assert [segment.extent.start_us for segment in bench.segments] == [BEGINS_US + 10 * SECOND]


async def test_files_go_when_they_are_safely_ours(bench: EgressBench, tmp_path: Path) -> None:
    folder = lay(tmp_path / "out", *FILES, playlist=TWO)
    await bench.follow(bench.source(folder, keep_files=False))
    assert not folder.exists()
    assert bench.segments[-1].extent.end_us >= BEGINS_US + 20 * SECOND


async def test_a_folder_in_which_something_else_is_stays(bench: EgressBench, tmp_path: Path) -> None:
    folder = lay(tmp_path / "out", *FILES, playlist=TWO)
    (folder / "notes.txt").write_text("the operator's")
    await bench.follow(bench.source(folder, keep_files=False))
    assert {path.name for path in folder.iterdir()} == {"index.m3u8", "notes.txt"}


async def test_files_stay_when_the_buffer_does_not_hold_them(bench: EgressBench, tmp_path: Path) -> None:
    folder = lay(tmp_path / "out", *FILES, playlist=TWO)
    source = bench.source(folder, keep_files=False)
    shutil.rmtree(bench.buffer)
    bench.buffer.write_text("not a directory")
    await bench.follow(source)
    assert len(list(folder.glob("*.ts"))) == 2


async def test_dates_are_moved_back_by_what_egress_dates_too_late(bench: EgressBench, tmp_path: Path) -> None:
    await bench.follow(bench.source(lay(tmp_path / "out", *FILES, playlist=TWO), delay_us=800_000))
    assert bench.segments[0].extent.start_us == BEGINS_US - 800_000
