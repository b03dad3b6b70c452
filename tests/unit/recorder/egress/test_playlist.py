from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.egress_files import DATA

from lookback.recorder.egress.playlist import Entry, parse

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = (DATA / "stopped" / "index.m3u8").read_bytes()
SNAPSHOTS = sorted((DATA / "playlists").glob("*_index.m3u8"))
HEAD = b"#EXTM3U\n#EXT-X-VERSION:4\n"


def instant(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000) * 1_000


def test_a_finished_playlist_names_every_file_with_its_date() -> None:
    playlist = parse(WHOLE)
    assert playlist.ended
    assert [entry.name for entry in playlist.entries] == [f"seg_{n:05d}.ts" for n in range(11)]
    assert playlist.entries[0] == Entry(0, "seg_00000.ts", 10_000_000, instant("2026-11-22T21:09:13.711"))
    assert playlist.entries[10] == Entry(10, "seg_00010.ts", 1_367_000, instant("2026-11-22T21:10:53.711"))


def test_a_date_with_fewer_digits_is_read() -> None:
    entries = parse((DATA / "muted" / "index.m3u8").read_bytes()).entries
    assert entries[4].start_us == instant("2026-11-22T20:55:29.650")


def test_the_live_playlist_counts_from_its_own_first_file() -> None:
    entries = parse(next((DATA / "playlists").glob("*_live.m3u8")).read_bytes()).entries
    assert [(entry.number, entry.name) for entry in entries[:2]] == [(2, "seg_00002.ts"), (3, "seg_00003.ts")]


@pytest.mark.parametrize("snapshot", SNAPSHOTS, ids=lambda path: path.name)
def test_what_was_seen_while_it_was_written_is_a_beginning_of_the_whole(snapshot: Path) -> None:
    entries = parse(snapshot.read_bytes()).entries
    assert entries == parse(WHOLE).entries[: len(entries)]


def test_cut_anywhere_it_is_a_beginning_of_the_whole() -> None:
    for length in range(len(WHOLE)):
        cut = parse(WHOLE[:length])
        assert not cut.ended, length
        assert cut.entries == parse(WHOLE).entries[: len(cut.entries)], length


def test_empty_in_the_middle_of_a_rewrite_it_says_nothing() -> None:
    assert parse(b"").entries == ()


@pytest.mark.parametrize(
    "name",
    ["../secret.ts", "/etc/passwd", "http://host/a.ts", "a/b.ts", ".hidden.ts", "index.m3u8", "a.ts\0", "seg 1.ts"],
)
def test_a_name_that_is_no_file_in_its_folder_is_left_out(name: str) -> None:
    entries = parse(HEAD + f"#EXTINF:2,\n{name}\n#EXTINF:2,\nseg_00001.ts\n".encode()).entries
    assert [(entry.number, entry.name) for entry in entries] == [(1, "seg_00001.ts")]


@pytest.mark.parametrize("duration", ["", "x", "-1", "nan", "inf", "1e9"])
def test_a_file_without_a_sensible_length_is_left_out(duration: str) -> None:
    assert parse(HEAD + f"#EXTINF:{duration},\nseg_00000.ts\n".encode()).entries == ()


@pytest.mark.parametrize(
    "date", ["", "yesterday", "2026-11-22T20:55:29", "0001-01-01T00:00:00Z", "9999-99-99T00:00:00Z"]
)
def test_a_date_that_is_none_is_no_date(date: str) -> None:
    playlist = HEAD + f"#EXT-X-PROGRAM-DATE-TIME:{date}\n#EXTINF:2,\nseg_00000.ts\n".encode()
    assert parse(playlist).entries[0].start_us is None


def test_a_file_without_a_date_begins_where_the_one_before_ends() -> None:
    playlist = HEAD + b"#EXT-X-PROGRAM-DATE-TIME:2026-11-22T20:00:00Z\n#EXTINF:2,\na.ts\n#EXTINF:2,\nb.ts\n"
    first, second = parse(playlist).entries
    assert first.start_us is not None
    assert second.start_us == first.start_us + 2_000_000


def test_windows_line_ends_are_fine() -> None:
    assert parse(WHOLE.replace(b"\n", b"\r\n")) == parse(WHOLE)


@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    assert all("/" not in entry.name for entry in parse(HEAD + data).entries)
