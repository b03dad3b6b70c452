"""`lookback check` on an installation that is really broken: what it says, what it mends, and what it leaves alone."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.clip_studio import Studio, a_studio
from tests.support.installation import ROOT
from tests.support.media import START_US, record
from tests.support.session_rows import a_database, a_row

from lookback.buffer.layout import BufferLayout
from lookback.buffer.session_file import SessionRecord, write_session
from lookback.db.clips import SqlClipRepository
from lookback.db.quota import SqlQuotaLedger
from lookback.db.sessions import SqlSessionRepository
from lookback.home import only_server
from lookback.sessions.model import SessionState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lookback.clips.model import Clip


@dataclass(frozen=True, slots=True)
class Home:
    """A home in which no server runs: a session that has ended, and clips of it."""

    path: Path
    studio: Studio
    sessions: SqlSessionRepository

    async def check(self, *options: str) -> tuple[int, dict[str, Any]]:
        """The exit code, and the document that was printed."""
        code, printed = await self.said("--json", *options)
        return code, json.loads(printed)

    async def said(self, *options: str) -> tuple[int, str]:
        """The exit code, and everything that was printed for people."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lookback", "check", *options),
            env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "LOOKBACK_HOME": str(self.path), "LOOKBACK_PORT": "1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complained = await process.communicate()
        assert b"Traceback" not in complained
        return process.returncode or 0, printed.decode()

    def directory(self, clip: Clip) -> Path:
        return self.studio.clips.store.directory(clip)

    def pins(self, clip: Clip) -> Path:
        return self.studio.clips.store.pins(clip.clip_id)


@asynccontextmanager
async def a_home(path: Path) -> AsyncIterator[Home]:
    async with a_database(path) as engine:
        rows = SqlSessionRepository(engine)
        await rows.add(a_row(state=SessionState.DRAINING, video_codec="h264", ended_at_us=START_US, drains_at_us=2**60))
        studio = a_studio(
            path / "buffer", path / "clips", repository=SqlClipRepository(engine), ledger=SqlQuotaLedger(engine)
        )
        write_session(studio.session.directory, SessionRecord("s1", "demo", "alice", "whip", START_US, ended_at_us=1))
        studio.record()
        yield Home(path, studio, rows)


def kinds(document: dict[str, Any]) -> dict[str, list[str]]:
    """The codes of what was found, by outcome."""
    found: dict[str, list[str]] = {}
    for finding in document["findings"]:
        found.setdefault(finding["outcome"], []).append(finding["kind"])
    return {outcome: sorted(codes) for outcome, codes in found.items()}


async def test_what_a_crash_leaves_is_named_and_mended_and_no_clip_is_touched(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        kept = [await home.studio.capture(title=title) for title in ("one", "two", "three")]
        contents = [home.studio.content(clip) for clip in kept]
        assert (await home.said())[1] == "Everything is consistent.\n"
        half_made = home.directory(kept[0]).with_name("half-made")
        half_made.mkdir()
        (half_made / "header").write_bytes(b"x")
        (home.directory(kept[1]) / "clip.json.new").write_bytes(b"{")
        BufferLayout(tmp_path / "buffer").pins_dir("nobody").mkdir()
        await home.studio.repository.remove(kept[2].clip_id)
        lost = home.studio.session.directory.with_name("empty")
        lost.mkdir()
        code, document = await home.check()
        expected = ["empty-session", "incomplete-clip", "missing-row", "orphan-pins", "unfinished-file"]
        assert (code, kinds(document)) == (1, {"left": expected})
        code, document = await home.check("--repair")
        assert (code, kinds(document)) == (0, {"mended": expected})
        assert not half_made.exists()
        assert not lost.exists()
        assert [home.studio.content(await home.studio.row(clip)) for clip in kept] == contents
        assert await home.said() == (0, "Everything is consistent.\n")


async def test_more_than_half_is_not_deleted_unless_somebody_says_yes(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        clips = [await home.studio.capture(title=title) for title in ("one", "two", "three")]
        for clip in clips[:2]:
            (home.directory(clip) / "clip.json").unlink()
            await home.studio.repository.remove(clip.clip_id)
        code, document = await home.check("--repair")
        assert code == 1
        assert kinds(document) == {"refused": ["incomplete-clip"] * 2 + ["orphan-pins"] * 2}
        assert document["refused"]["orphan-pins"].startswith("2 of 3 clips are more than half: look whether ")
        assert all(home.pins(clip).exists() and home.directory(clip).exists() for clip in clips)
        code, document = await home.check("--repair", "--yes")
        assert (code, document["refused"]) == (0, {})
        assert [home.pins(clip).exists() for clip in clips] == [False, False, True]


async def test_it_mends_nothing_beside_a_server(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        BufferLayout(tmp_path / "buffer").pins_dir("nobody").mkdir(parents=True)
        with only_server(tmp_path):
            code, document = await home.check("--repair")
            assert (code, document["consistent"]) == (2, None)
            assert document["error"].startswith("A server runs: stop it before")
            assert await home.said() == (0, "Everything is consistent.\n"), "what is young may be in the making"
            os.utime(tmp_path / "buffer" / ".pins" / next((tmp_path / "buffer" / ".pins").iterdir()).name, (1, 1))
            assert kinds((await home.check())[1]) == {"left": ["orphan-pins"]}


async def test_what_cannot_be_looked_at_is_said(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        shutil.rmtree(tmp_path / "clips")
        (tmp_path / "clips").write_bytes(b"")
        code, document = await home.check()
        assert code == 2
        assert document["error"].startswith("REPLAY_STORAGE_PATH is wrong")


@pytest.mark.parametrize("deep", [False, True])
async def test_only_a_deep_check_reads_every_byte(tmp_path: Path, deep: bool) -> None:
    async with a_home(tmp_path) as home:
        clip = await home.studio.capture()
        digest = home.studio.clips.store.materialise(clip)
        changed = await home.studio.clips.rows.change(clip.clip_id, storage="file", sha256=digest)  # type: ignore[arg-type]
        assert changed is not None
        home.studio.clips.store.unpin(changed)
        video = home.studio.clips.store.video(clip)
        content = bytearray(video.read_bytes())
        content[-1] ^= 1
        video.write_bytes(content)
        code, document = await home.check(*(["--deep"] if deep else []), "--repair")
        assert (code, kinds(document)) == ((1, {"left": ["wrong-hash"]}) if deep else (0, {}))
        assert video.read_bytes() == content, "bytes of a clip are never deleted"


async def test_a_segment_that_was_torn_is_cut_and_one_that_has_changed_is_told(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        record(home.studio.session.directory, frames=300, start_us=START_US + 10_000_000)
        media = sorted(home.studio.session.directory.glob("*.mp4"))
        with media[-1].open("ab") as file:
            file.write(b"torn")
        content = bytearray(media[0].read_bytes())
        content[-1] ^= 1
        media[0].write_bytes(content)
        code, document = await home.check("--deep", "--repair")
        assert (code, kinds(document)) == (1, {"mended": ["torn-segment"], "left": ["rotten-segment"]})
