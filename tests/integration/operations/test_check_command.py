"""`lookback check` on an installation that is really broken: what it says, what it mends, and what it leaves alone."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from tests.support.checked_home import a_home, flip_last_byte

from lookback.bootstrap.checking import Wish, check
from lookback.buffer.layout import safe_name
from lookback.home import only_server

if TYPE_CHECKING:
    from pathlib import Path


def outcomes(document: dict[str, Any]) -> dict[str, list[str]]:
    """The codes of what was found, by what became of it."""
    found: dict[str, list[str]] = {}
    for finding in document["findings"]:
        found.setdefault(finding["outcome"], []).append(finding["kind"])
    return {outcome: sorted(codes) for outcome, codes in found.items()}


async def test_what_a_crash_leaves_is_named_and_mended_and_no_clip_is_touched(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        clips = await home.clips(3)
        contents = [home.studio.content(clip) for clip in clips]
        half_made = home.directory(clips[0]).with_name(safe_name("half-made"))
        half_made.mkdir()
        (half_made / "header").write_bytes(b"x")
        (home.directory(clips[1]) / "clip.json.new").write_bytes(b"{")
        home.layout.pins_dir("nobody").mkdir()
        await home.studio.repository.remove(clips[2].clip_id)
        empty = home.session_dir.with_name(safe_name("empty"))
        empty.mkdir()
        expected = ["empty-session", "incomplete-clip", "missing-row", "orphan-pins", "unfinished-file"]
        code, said = await home.command()
        assert code == 1
        assert f"clip {clips[2].clip_id}: it is whole and has no row; repair: makes the row from clip.json" in said
        assert all(f"[{kind}]" in said for kind in expected)
        code, document = await home.document("--repair")
        assert (code, outcomes(document)) == (0, {"mended": expected})
        assert not half_made.exists()
        assert not empty.exists()
        assert [home.studio.content(await home.studio.row(clip)) for clip in clips] == contents
        assert (await home.report()).left == ()


async def test_more_than_half_is_not_deleted_unless_somebody_says_yes(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        clips = await home.clips(3)
        for clip in clips[:2]:
            (home.directory(clip) / "clip.json").unlink()
            await home.studio.repository.remove(clip.clip_id)
        code, document = await home.document("--repair")
        assert (code, document["consistent"]) == (1, False)
        assert outcomes(document) == {"refused": ["incomplete-clip"] * 2 + ["orphan-pins"] * 2}
        assert document["refused"]["orphan-pins"].startswith("2 of 3 clips are more than half: look whether ")
        assert all(home.pins(clip).exists() and home.directory(clip).exists() for clip in clips)
        code, said = await home.command("--repair", "--yes")
        assert (code, said.splitlines()[-1]) == (0, "Everything is consistent now.")
        assert [home.pins(clip).exists() for clip in clips] == [False, False, True]


async def test_beside_a_server_it_mends_nothing_and_passes_over_what_is_in_the_making(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        pins = home.layout.pins_dir("nobody")
        pins.mkdir(parents=True)
        with only_server(tmp_path):
            code, document = await home.document("--repair")
            assert (code, document["consistent"]) == (2, None)
            assert document["error"].startswith("A server runs: stop it first.")
            assert (await home.report()).left == (), "it may be in the making"
        assert pins.exists()


async def test_what_is_gone_a_moment_later_was_in_motion(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        going, staying = home.layout.pins_dir("going"), home.layout.pins_dir("staying")
        for pins in (going, staying):
            pins.mkdir(parents=True)
            os.utime(pins, (1, 1))

        async def meanwhile() -> None:
            going.rmdir()

        with only_server(tmp_path):
            report = await check(home.settings, Wish(), meanwhile)
        assert [finding.subject for finding in report.left] == [staying.name]


async def test_what_cannot_be_looked_at_is_said(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        shutil.rmtree(tmp_path / "clips")
        (tmp_path / "clips").write_bytes(b"")
        code, document = await home.document()
        assert (code, document["consistent"]) == (2, None)
        assert document["error"].startswith("REPLAY_STORAGE_PATH is wrong")


async def test_only_a_deep_check_reads_every_byte_and_even_it_deletes_no_clip(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        clip = await home.stored((await home.clips(1))[0])
        video = home.studio.clips.store.video(clip)
        flip_last_byte(video)
        content = video.read_bytes()
        assert (await home.report(repair=True)).left == ()
        code, said = await home.command("--deep", "--repair")
        assert code == 1
        assert said.startswith(f"clip {clip.clip_id}: its file is not what was stored (SHA-256 ")
        assert video.read_bytes() == content
