"""Break one thing at a time: it is named by its kind, exactly, and mended where nothing is lost by that."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from tests.support.checked_home import Home, a_home, flip_last_byte
from tests.support.media import START_US, record
from tests.support.session_rows import a_row

from lookback.bootstrap.checking import LEFTOVER_PROBE
from lookback.buffer.findings import Mend
from lookback.buffer.layout import safe_name
from lookback.buffer.session_file import read_session, write_session
from lookback.clips.findings import CLIP_KINDS
from lookback.clips.model import Rendition
from lookback.sessions.findings import SESSION_KINDS
from lookback.sessions.model import SessionState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from lookback.clips.model import Clip

MP4 = "mp4"


class Case(NamedTuple):
    """What breaks, and what is then found, by kind with what is said of it."""

    breaks: Callable[[Home, list[Clip]], Awaitable[Any]]
    detail: str = ""
    deep: bool = False


async def leave_unfinished(home: Home, clips: list[Clip]) -> None:
    (home.directory(clips[0]) / "video.mp4.new").write_bytes(b"half")


async def leave_half_made(home: Home, clips: list[Clip]) -> None:
    directory = home.directory(clips[0]).with_name(safe_name("half-made"))
    directory.mkdir()
    (directory / "header").write_bytes(b"x")


async def lose_row_and_record(home: Home, clips: list[Clip]) -> None:
    stored = await home.stored(clips[0])
    (home.directory(stored) / "clip.json").unlink()
    await home.studio.repository.remove(stored.clip_id)


async def lose_record(home: Home, clips: list[Clip]) -> None:
    stored = await home.stored(clips[0])
    (home.directory(stored) / "clip.json").unlink()


async def damage_record(home: Home, clips: list[Clip]) -> None:
    stored = await home.stored(clips[0])
    (home.directory(stored) / "clip.json").write_bytes(b"{")


async def copy_clip(home: Home, clips: list[Clip]) -> None:
    shutil.copytree(home.directory(clips[0]), home.directory(clips[0]).with_name(safe_name("copy")))


async def lose_row(home: Home, clips: list[Clip]) -> None:
    await home.studio.repository.remove(clips[0].clip_id)


async def delete_by_half(home: Home, clips: list[Clip]) -> None:
    await home.studio.repository.update(clips[0].clip_id, deleted_at_us=1)
    shutil.rmtree(home.directory(clips[0]))


async def lose_directory(home: Home, clips: list[Clip]) -> None:
    shutil.rmtree(home.directory(clips[0]))


async def lose_a_link(home: Home, clips: list[Clip]) -> None:
    next(home.pins(clips[0]).iterdir()).unlink()


async def cut_a_link(home: Home, clips: list[Clip]) -> None:
    link = next(home.pins(clips[0]).iterdir())
    link.unlink()
    link.write_bytes(b"short")


async def damage_header(home: Home, clips: list[Clip]) -> None:
    flip_last_byte(home.directory(clips[0]) / "header")


async def call_failed(home: Home, clips: list[Clip]) -> None:
    row = await home.studio.repository.update(clips[0].clip_id, status="failed")
    assert row is not None
    home.studio.clips.store.save(row)


async def lose_file(home: Home, clips: list[Clip]) -> None:
    stored = await home.stored(clips[0], unpin=False)
    home.studio.clips.store.video(stored).unlink()


async def cut_file(home: Home, clips: list[Clip]) -> None:
    stored = await home.stored(clips[0], unpin=False)
    home.studio.clips.store.video(stored).write_bytes(b"short")


async def keep_pins(home: Home, clips: list[Clip]) -> None:
    await home.stored(clips[0], unpin=False)


async def change_row_alone(home: Home, clips: list[Clip]) -> None:
    await home.studio.repository.update(clips[0].clip_id, title="Renamed")


async def lose_poster(home: Home, clips: list[Clip]) -> None:
    await home.studio.clips.rows.change(clips[0].clip_id, has_poster=True)


async def cut_rendition(home: Home, clips: list[Clip]) -> None:
    stored = await home.stored(clips[0])
    home.studio.clips.store.rendition(stored, "r1").write_bytes(b"short")
    made = Rendition("r1", MP4, "ready", 1.0, 100)  # type: ignore[arg-type]
    row = await home.studio.clips.rows.put_rendition(stored.clip_id, made)
    assert row is not None
    home.studio.clips.store.save(row)


async def leave_rendition(home: Home, clips: list[Clip]) -> None:
    home.studio.clips.store.rendition(clips[0], "r1").write_bytes(b"nobody's")


async def leave_pins(home: Home, _: list[Clip]) -> None:
    home.layout.pins_dir("nobody").mkdir()


async def lengthen_file(home: Home, clips: list[Clip]) -> None:
    with home.studio.clips.store.video(await home.stored(clips[0])).open("ab") as file:
        file.write(b"more")


async def spoil_file(home: Home, clips: list[Clip]) -> None:
    flip_last_byte(home.studio.clips.store.video(await home.stored(clips[0])))


async def spoil_file_with_pins(home: Home, clips: list[Clip]) -> None:
    flip_last_byte(home.studio.clips.store.video(await home.stored(clips[0], unpin=False)))


async def miscount(home: Home, _: list[Clip]) -> None:
    with closing(sqlite3.connect(home.path / "lookback.db")) as database, database:
        database.execute("UPDATE users SET used_bytes = used_bytes + 1")


async def leave_session_file(home: Home, _: list[Clip]) -> None:
    (home.session_dir / "session.json.new").write_bytes(b"{")


async def tear_segment(home: Home, _: list[Clip]) -> None:
    with max(home.session_dir.glob("*.mp4")).open("ab") as file:
        file.write(b"torn")


async def begin_segment(home: Home, _: list[Clip]) -> None:
    (home.session_dir / "segment-000099.mp4").write_bytes(b"")


async def lose_index(home: Home, _: list[Clip]) -> None:
    max(home.session_dir.glob("*.idx")).unlink()


async def rot_segment(home: Home, _: list[Clip]) -> None:
    record(home.session_dir, frames=150, start_us=START_US + 10_000_000)
    flip_last_byte(min(home.session_dir.glob("*.mp4")))


async def never_end(home: Home, _: list[Clip]) -> None:
    write_session(home.session_dir, replace(read_session(home.session_dir), ended_at_us=None))


async def lose_session_file(home: Home, _: list[Clip]) -> None:
    (home.session_dir / "session.json").unlink()


async def damage_session_file(home: Home, _: list[Clip]) -> None:
    (home.session_dir / "session.json").write_bytes(b"{")


async def leave_session_dir(home: Home, _: list[Clip]) -> None:
    home.session_dir.with_name(safe_name("empty")).mkdir()


async def copy_session(home: Home, _: list[Clip]) -> None:
    shutil.copytree(home.session_dir, home.session_dir.with_name(safe_name("copy")))


async def copy_segments(home: Home, _: list[Clip]) -> None:
    copy = home.session_dir.with_name(safe_name("copy"))
    shutil.copytree(home.session_dir, copy)
    (copy / "session.json").unlink()


async def lose_session_row(home: Home, _: list[Clip]) -> None:
    await home.sessions.remove("s1")


async def keep_old_session(home: Home, _: list[Clip]) -> None:
    directory = home.layout.session_dir("demo", "alice", "s0")
    await home.sessions.add(a_row("s0", SessionState.EXPIRED))
    shutil.copytree(home.session_dir, directory)
    write_session(directory, replace(read_session(directory), session_id="s0"))


async def leave_probe(home: Home, _: list[Clip]) -> None:
    (home.layout.root / ".probe-1").write_bytes(b"lookback")


async def lose_buffer(home: Home, _: list[Clip]) -> None:
    await home.sessions.add(a_row("s0", SessionState.DRAINING, video_codec="h264"))


async def lose_buffer_while_recording(home: Home, _: list[Clip]) -> None:
    await home.sessions.add(a_row("s0", SessionState.RECORDING, video_codec="h264"))


CASES: list[tuple[str, Case]] = [
    ("unfinished-file", Case(leave_unfinished, "video.mp4.new")),
    ("incomplete-clip", Case(leave_half_made)),
    ("clip-without-record", Case(lose_row_and_record)),
    ("missing-record", Case(lose_record)),
    ("damaged-record", Case(damage_record)),
    ("misplaced-clip", Case(copy_clip, "of clip id-")),
    ("missing-row", Case(lose_row)),
    ("half-deleted", Case(delete_by_half)),
    ("missing-files", Case(lose_directory, "its directory is gone")),
    ("missing-files", Case(lose_a_link, "1 of its 1 links are gone: segment-000002.mp4")),
    ("missing-files", Case(cut_a_link, "its link segment-000002.mp4 has 5 of ")),
    ("missing-files", Case(damage_header, "its header is not what was written")),
    ("found-again", Case(call_failed)),
    ("not-a-file", Case(lose_file, "the file is gone")),
    ("not-a-file", Case(cut_file, "the file has 5 of ")),
    ("leftover-pins", Case(keep_pins)),
    ("stale-record", Case(change_row_alone)),
    ("missing-poster", Case(lose_poster)),
    ("missing-rendition", Case(cut_rendition, "the file has 5 bytes and not 100")),
    ("orphan-rendition", Case(leave_rendition)),
    ("orphan-pins", Case(leave_pins)),
    ("wrong-size", Case(lengthen_file)),
    ("wrong-hash", Case(spoil_file, "SHA-256 ", deep=True)),
    ("spoilt-file", Case(spoil_file_with_pins, "SHA-256 ")),
    ("miscounted", Case(miscount)),
    ("unfinished-session-file", Case(leave_session_file, "session.json.new")),
    ("torn-segment", Case(tear_segment, "segment 2, 4 bytes")),
    ("empty-segment", Case(begin_segment, "segment 99, 0 bytes")),
    ("unreadable-segment", Case(lose_index, "segment 2, ")),
    ("rotten-segment", Case(rot_segment, "segment 1 from byte ", deep=True)),
    ("unended-session", Case(never_end)),
    ("unnamed-session", Case(lose_session_file, "gone")),
    ("unnamed-session", Case(damage_session_file, "damaged")),
    ("empty-session", Case(leave_session_dir)),
    ("misplaced-session", Case(copy_session, "of session s1")),
    ("nobodys-session", Case(copy_segments, "4 files")),
    ("session-without-row", Case(lose_session_row)),
    ("over-session", Case(keep_old_session)),
    ("leftover-probe", Case(leave_probe)),
    ("lost-buffer", Case(lose_buffer)),
    ("lost-buffer", Case(lose_buffer_while_recording)),
]
KINDS = {kind.code: kind for kind in (*CLIP_KINDS, *SESSION_KINDS, LEFTOVER_PROBE)}


@pytest.mark.parametrize(("kind", "case"), CASES, ids=[f"{kind}-{case.breaks.__name__}" for kind, case in CASES])
async def test_what_is_broken_is_named_and_mended(tmp_path: Path, kind: str, case: Case) -> None:
    async with a_home(tmp_path) as home:
        clips = await home.clips(3)
        contents = {clip.clip_id: home.studio.content(clip) for clip in clips}
        await case.breaks(home, clips)
        found = (await home.report(deep=case.deep)).left
        assert [finding.kind for finding in found] == [kind]
        assert found[0].detail.startswith(case.detail)
        report = await home.report(repair=True, deep=case.deep)
        if KINDS[kind].mend is Mend.NOTHING:
            assert (report.mended, report.left) == ((), found)
        else:
            assert (report.left, report.refused) == ((), {})
            assert kind in [finding.kind for finding in report.mended]
        for clip in await home.studio.repository.all_clips():
            if clip.status == "ready" and kind not in {"wrong-hash", "wrong-size"}:
                assert home.studio.content(clip) == contents[clip.clip_id]


async def test_what_nobody_of_us_has_made_is_none_of_our_business(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        (clip,) = await home.clips(1)
        strangers = [
            tmp_path / "clips" / "lost+found" / "inode-12",
            tmp_path / "clips" / ".Trash-1000" / "files",
            home.directory(clip).with_name("Copy of a clip"),
            tmp_path / "buffer" / "lost+found" / "a" / "b",
            tmp_path / "buffer" / ".pins" / "notes",
        ]
        for stranger in strangers:
            stranger.mkdir(parents=True)
        report = await home.report(repair=True, sure=True)
        assert (report.mended, report.left) == ((), ())
        assert all(stranger.exists() for stranger in strangers)


def test_every_kind_is_broken_here() -> None:
    assert {kind for kind, _ in CASES} == KINDS.keys()
