"""`lookback why` where no server runs."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

import pytest
from tests.support.encoded_clip import encoded_clip
from tests.support.installation import Installation
from tests.support.media import record
from tests.support.session_rows import START_US, a_database, a_row

from lookback.buffer.layout import BufferLayout
from lookback.db.sessions import SqlSessionRepository
from lookback.sessions.model import SessionState
from lookback.sessions.story import ASKED, SessionEvent

if TYPE_CHECKING:
    from pathlib import Path

FAILED = "No picture came within 30 s: the publisher sent no key frame"


async def fill(home: Path) -> None:
    """A session that was interrupted, with what is buffered of both of its runs, and one that failed."""
    (home / "serve.lock").touch()  # a server has run
    async with a_database(home) as engine:
        rows = SqlSessionRepository(engine)
        await rows.add(a_row("one-interrupted", SessionState.DRAINING, reason="The share ended"))
        await rows.add(a_row("one-failed", SessionState.FAILED, user_id="bob", reason=FAILED))
        for event in (
            SessionEvent(START_US, "starting", ASKED),
            SessionEvent(START_US + 300_000, "recording", "The first key frame is on disk"),
            SessionEvent(START_US + 9_000_000, "draining", "The share ended"),
        ):
            await rows.tell("one-interrupted", event)
    directory = BufferLayout(home / "buffer").session_dir("demo", "alice", "one-interrupted")
    directory.mkdir(parents=True)
    clip = encoded_clip()
    for run, start_us in enumerate((START_US, START_US + 5_000_000)):
        record(directory, clip, start_us=start_us, frames=2 * clip.shape.fps, run_id=f"run-000{run}".encode())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("home")
    asyncio.run(fill(folder))
    return Installation(folder, {})


async def test_it_tells_what_happened_with_the_gaps_of_what_is_buffered(home: Installation) -> None:
    status, said = await home.command("why", "one-i")
    assert status == 0
    first, asked, recorded, gap, ended = said.splitlines()
    assert first == "alice in demo, from whip: draining."
    assert asked.endswith(f"starting           {ASKED}.")
    assert recorded.endswith("recording          The first key frame is on disk, after 0.3 s.")
    assert re.search(r"gap                Nothing for [23]\.\d s: the publisher was away\.$", gap)
    assert ended.endswith("draining           The share ended.")


async def test_of_a_failure_it_says_what_to_do_and_for_machines_what_the_api_answers(home: Installation) -> None:
    status, said = await home.command("why", "one-failed", "--json")
    assert status == 0
    told = json.loads(said)
    assert (told["userId"], told["status"], told["events"][-1]["sentence"]) == ("bob", "failed", FAILED)
    assert "key frames" in told["nextStep"]


@pytest.mark.parametrize(
    ("start", "answer"), [("one-", "Several sessions begin with one-"), ("%", "There is no session %")]
)
async def test_it_says_which_there_are(home: Installation, start: str, answer: str) -> None:
    status, said = await home.command("why", start)
    assert status == 1
    assert said.startswith(answer)
    assert {"one-interrupted", "one-failed"} <= set(said.split())


async def test_where_there_was_none_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "serve.lock").touch()
    assert await Installation(tmp_path, {}).command("why") == (1, "There has been no session yet.\n")


async def test_looking_where_no_server_has_run_makes_nothing(tmp_path: Path) -> None:
    status, said = await Installation(tmp_path / "typo", {}).command("why")
    assert (status, "no server has ever run there" in said) == (2, True)
    assert list((tmp_path / "typo").iterdir()) == []


async def test_a_buffer_that_cannot_be_read_keeps_nobody_from_the_rest(home: Installation) -> None:
    ill = Installation(home.home, {"REPLAY_BUFFER_PATH": str(home.home / "lookback.db" / "buffer")})
    status, said = await ill.command("why", "one-interrupted")
    assert status == 0
    *events, last = said.splitlines()[-3:]
    assert [line.split()[1] for line in events] == ["recording", "draining"]
    assert last == "The buffer cannot be read now: gaps are not told."
