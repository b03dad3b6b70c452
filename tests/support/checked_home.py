"""A home in which no server runs, to be broken and checked: a session that has ended, and clips of it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookback.bootstrap.checking import Wish, check
from lookback.buffer.session_file import SessionRecord, write_session
from lookback.clips.model import Storage
from lookback.db.clips import SqlClipRepository
from lookback.db.quota import SqlQuotaLedger
from lookback.db.sessions import SqlSessionRepository
from lookback.sessions.model import SessionState
from lookback.settings import load_settings
from tests.support.clip_studio import Studio, a_studio
from tests.support.installation import ROOT
from tests.support.media import START_US
from tests.support.session_rows import a_database, a_row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lookback.bootstrap.checking import Report
    from lookback.buffer.layout import BufferLayout
    from lookback.clips.model import Clip
    from lookback.settings import Settings

_NOBODY_LISTENS = 1
_FAR_US = 2**60


@dataclass(frozen=True, slots=True)
class Home:
    """The folder, and everything in it."""

    path: Path
    studio: Studio
    sessions: SqlSessionRepository

    async def report(self, **wish: bool) -> Report:
        """What the command would say."""
        return await check(self.settings, Wish(**wish))

    @property
    def settings(self) -> Settings:
        return load_settings(lookback_home=self.path, lookback_port=_NOBODY_LISTENS)

    async def command(self, *options: str) -> tuple[int, str]:
        """The exit code of the real command, and what it printed."""
        here = {"PYTHONPATH": str(ROOT / "src"), "LOOKBACK_HOME": str(self.path), "LOOKBACK_PORT": str(_NOBODY_LISTENS)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lookback", "check", *options),
            env=os.environ | here,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complained = await process.communicate()
        assert b"Traceback" not in complained, complained
        return process.returncode or 0, printed.decode()

    async def document(self, *options: str) -> tuple[int, dict[str, Any]]:
        """The same for machines."""
        code, printed = await self.command("--json", *options)
        return code, json.loads(printed)

    @property
    def layout(self) -> BufferLayout:
        return self.studio.layout

    @property
    def session_dir(self) -> Path:
        return self.studio.session.directory

    def directory(self, clip: Clip) -> Path:
        return self.studio.clips.store.directory(clip)

    def pins(self, clip: Clip) -> Path:
        return self.studio.clips.store.pins(clip.clip_id)

    async def clips(self, count: int) -> list[Clip]:
        """So many clips, each of other seconds."""
        return [await self.studio.capture(title=f"Clip {number}") for number in range(count)]

    async def stored(self, clip: Clip, *, unpin: bool = True) -> Clip:
        """The clip when it is one file."""
        store = self.studio.clips.store
        digest = await asyncio.to_thread(store.materialise, clip)
        row = await self.studio.clips.rows.change(clip.clip_id, storage=Storage.FILE, sha256=digest)
        assert row is not None
        if unpin:
            store.unpin(row)
        return row


@asynccontextmanager
async def a_home(path: Path) -> AsyncIterator[Home]:
    """A home with four seconds of alice's screen that are kept for long."""
    async with a_database(path) as engine:
        rows = SqlSessionRepository(engine)
        end_us = START_US + 1
        await rows.add(a_row(state=SessionState.DRAINING, video_codec="h264", ended_at_us=end_us, drains_at_us=_FAR_US))
        repository, ledger = SqlClipRepository(engine), SqlQuotaLedger(engine)
        studio = a_studio(path / "buffer", path / "clips", repository=repository, ledger=ledger)
        record = SessionRecord("s1", "demo", "alice", "whip", START_US, ended_at_us=end_us, cause="It was stopped")
        write_session(studio.session.directory, record)
        studio.record()
        yield Home(path, studio, rows)


def flip_last_byte(path: Path) -> None:
    """As a disk does that forgets."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
