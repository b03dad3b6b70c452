"""`lookback sweep` where no server runs."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from tests.support.encoded_clip import encoded_clip
from tests.support.installation import ROOT
from tests.support.media import record
from tests.support.session_rows import START_US, a_database, a_row

from lookback.buffer.layout import BufferLayout
from lookback.buffer.reader import read_segments
from lookback.buffer.session_file import SessionRecord, write_session
from lookback.db.sessions import SqlSessionRepository
from lookback.sessions.model import SessionState

if TYPE_CHECKING:
    from pathlib import Path


async def test_it_says_what_would_go_then_takes_it(tmp_path: Path) -> None:
    long_ago_us = START_US - 10**15
    async with a_database(tmp_path) as engine:
        await SqlSessionRepository(engine).add(a_row(state=SessionState.RECORDING, started_at_us=long_ago_us))
    directory = BufferLayout(tmp_path / "buffer").session_dir("demo", "alice", "s1")
    directory.mkdir(parents=True)
    write_session(directory, SessionRecord("s1", "demo", "alice", "whip", long_ago_us))
    record(directory, encoded_clip(), start_us=long_ago_us, frames=300)
    would = await _sweep(tmp_path, "--dry-run")
    assert would[-1].startswith("4 segments would go, ")
    assert len(read_segments(directory)) == 5
    did = await _sweep(tmp_path)
    assert did[-2].startswith("demo, alice: 4 segments, ")
    assert did[-2].endswith(", by age (session s1)")
    assert did[-1].startswith("4 segments went, ")
    assert len(read_segments(directory)) == 1, "it may still be written"
    assert (await _sweep(tmp_path, "--free-gb", "1"))[-1] == "1.0 GB of what was asked for cannot be freed."


async def _sweep(home: Path, *options: str) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lookback", "sweep", *options),
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "LOOKBACK_HOME": str(home)},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode().splitlines()
