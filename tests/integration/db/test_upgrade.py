"""What the first schema's server has left is there after every migration since, at each version in between, too."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from tests.support.installation import ROOT, Installation

from lookback.clips.ports import Selection, Sort
from lookback.db.clips import SqlClipRepository
from lookback.db.engine import alembic_config, connect, open_database
from lookback.db.quota import SqlQuotaLedger
from lookback.db.sessions import SqlSessionRepository
from lookback.sessions.model import SessionState

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.postgres import PostgresServer

FIRST = ROOT / "tests" / "data" / "first"
CLIP_ID, DELETED_ID, SESSION_ID = (
    "1a2109488c9-b429ec7f234d4a21b123",
    "1a21094890f-110d5faabb0b4b6abc9a",
    "1a210947a5d-12234a4994e249a2b25f",
)
TITLE, SIZE_BYTES = "Größe der Änderung", 68_495
REVISIONS = [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()][::-1]


def first_home(home: Path) -> Path:
    """The home of that server; return its database."""
    shutil.copytree(FIRST / "clips", home / "clips")
    (home / "serve.lock").touch()
    with closing(sqlite3.connect(home / "lookback.db")) as database:
        database.executescript((FIRST / "lookback.sql").read_text())
    return home / "lookback.db"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_the_data_are_those_of_the_first_schema() -> None:
    assert REVISIONS[0] == "0001"
    assert "INSERT INTO \"alembic_version\" VALUES('0001')" in (FIRST / "lookback.sql").read_text()
    assert len(REVISIONS) >= 5


@pytest.mark.parametrize("revision", REVISIONS)
async def test_rows_are_there_from_every_version_on(revision: str, tmp_path: Path) -> None:
    url = f"sqlite:///{first_home(tmp_path)}"
    engine = connect(url)
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), revision))
    await engine.dispose()
    engine = await open_database(url)  # what the next start does
    try:
        clips, sessions = SqlClipRepository(engine), SqlSessionRepository(engine)
        found = await clips.page(
            Selection(user_id="alice", query="ÄNDERUNG office"), sort=Sort.NEWEST, limit=5, after=None
        )
        deleted, session = await clips.get(DELETED_ID), await sessions.get(SESSION_ID)
        story = await sessions.events(SESSION_ID), await sessions.clips_of(SESSION_ID)
        balance, miscounted = (
            await SqlQuotaLedger(engine).balance("alice", 1),
            await SqlQuotaLedger(engine).miscounted(),
        )
    finally:
        await engine.dispose()
    assert [(clip.clip_id, clip.title, clip.size_bytes) for clip in found] == [(CLIP_ID, TITLE, SIZE_BYTES)]
    assert deleted is not None
    assert deleted.deleted_at_us is not None
    assert session is not None
    assert session.state is SessionState.DRAINING
    assert story == ([], 1)
    assert balance is not None
    assert (balance.name, balance.used_bytes, miscounted) == ("Alice", SIZE_BYTES, [])


async def plays(server: Installation) -> None:
    """Alice's clip is there, plays, and can be changed; nothing else is."""
    await server.start()
    try:
        async with server.person("alice") as alice:
            (clip,) = await alice.clips()
            media = await alice.downloads(clip)
            poster = (await alice.answer("GET", f"clips/{CLIP_ID}/poster")).content
            await alice.answer("PATCH", f"clips/{CLIP_ID}", json={"title": "Changed", "tags": ["old"]})
            (changed,) = await alice.clips()
    finally:
        await server.stop()
    assert (clip["clipId"], clip["title"], len(media)) == (CLIP_ID, TITLE, SIZE_BYTES)
    assert digest(media) == digest(next(FIRST.glob("clips/*/*/video.mp4")).read_bytes())
    assert poster == next(FIRST.glob("clips/*/*/poster.webp")).read_bytes()
    assert (changed["title"], changed["tags"]) == ("Changed", ["old"])
    found = [line for line in (await server.check())[1].splitlines() if SESSION_ID not in line]  # it has no buffer here
    assert found in ([], ["Everything is consistent."])


async def test_todays_server_goes_on_with_it(tmp_path: Path) -> None:
    first_home(tmp_path / "home")
    await plays(Installation(tmp_path / "home", {}))


async def test_it_can_be_backed_up_and_brought_back_elsewhere(postgres: PostgresServer, tmp_path: Path) -> None:
    first_home(tmp_path / "home")
    status, said = await Installation(tmp_path / "home", {}).command("backup", str(tmp_path / "backup"))
    assert status == 0, said
    new = Installation(tmp_path / "new", {"DATABASE_URL": await postgres.new_database(empty=True)})
    status, said = await new.command("restore", str(tmp_path / "backup"))
    assert status == 0, said
    await plays(new)


async def test_a_backup_by_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    first_home(backup)
    shutil.rmtree(next(backup.glob(f"clips/*/{DELETED_ID}*")))
    (backup / "backup.json").write_text(json.dumps({"format": 1, "version": "0.1.0"}))
    new = Installation(tmp_path / "new", {})
    status, said = await new.command("restore", str(backup))
    assert status == 0, said
    await plays(new)
