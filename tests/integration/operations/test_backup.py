"""A backup of a server that runs, and what is there after it was brought back."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.support.installation import Installation, an_installation
from tests.support.publishers import sharing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.people import Json
    from tests.support.postgres import PostgresServer

SEGMENTS = {"REPLAY_SEGMENT_DURATION_SECONDS": "2"}


async def restored(installation: Installation, backup: Path) -> str:
    status, said = await installation.command("restore", str(backup))
    assert status == 0, said
    return said


async def backed_up(server: Installation, to: Path) -> str:
    status, said = await server.command("backup", str(to))
    assert status == 0, said
    return said


async def save_some(server: Installation) -> dict[str, bytes]:
    """Clips of alice by their titles: one with a file of its own, one just made, one deleted again."""
    async with server.person("alice") as alice, sharing(alice, "office") as share:
        await alice.sees_buffered(share.session, 2.5)
        stored = await alice.sees_stored(await alice.captures(share.session, durationSeconds=2, title="stored"))
        gone = await alice.captures(share.session, durationSeconds=1, title="gone")
        await alice.answer("DELETE", f"clips/{gone['clipId']}")
        fresh = await alice.captures(share.session, durationSeconds=1, title="fresh")
        return {clip["title"]: await alice.downloads(clip) for clip in (stored, fresh)}


async def seen(server: Installation) -> tuple[dict[str, bytes], Json]:
    """What alice has, and her account."""
    async with server.person("alice") as alice:
        clips = await alice.clips()
        account: Json = (await alice.answer("GET", "me")).json()
        return {clip["title"]: await alice.downloads(clip) for clip in clips}, account


@dataclass(frozen=True, slots=True)
class Made:
    """What `lookback backup` wrote of a server that ran, in `folder`; `saved` are the clips that it had just then."""

    home: Path
    folder: Path
    saved: dict[str, bytes]


async def make(folder: Path) -> Made:
    """Back up a server, and go on without what it had."""
    made = Made(folder / "home", folder / "backup", {})
    async with an_installation(made.home, **SEGMENTS) as server:
        made.saved.update(await save_some(server))
        assert "2 clips" in await backed_up(server, made.folder)
        assert (await server.check())[0] == 0
        async with server.person("alice") as alice:
            for clip in await alice.clips():
                await alice.answer("DELETE", f"clips/{clip['clipId']}")
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return asyncio.run(make(tmp_path_factory.mktemp("made")))


async def test_a_backup_of_a_running_server_is_brought_back_whole(made: Made, tmp_path: Path) -> None:
    assert not made.folder.with_name("backup.partial").exists()
    assert made.folder.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in made.folder.iterdir()} == {"backup.json", "lookback.db", "clips"}, "no secret of ours"
    new = Installation(tmp_path / "new", SEGMENTS)
    assert "2 clips" in await restored(new, made.folder)
    assert await new.check() == (0, "Everything is consistent.\n")
    await new.start()
    try:
        found, account = await seen(new)
        async with new.person("root", admin=True) as root:
            trail = (await root.answer("GET", "admin/audit")).json()["items"]
    finally:
        await new.stop()
    assert found == made.saved
    assert account["usedBytes"] == sum(map(len, made.saved.values()))
    assert [entry["action"] for entry in trail].count("clip.deleted") == 1, "what came later is not there"
    assert (await new.check())[0] == 0


@pytest.mark.parametrize("way", ["out", "in"])
async def test_between_sqlite_and_postgresql(way: str, postgres: PostgresServer, tmp_path: Path) -> None:
    there = {"DATABASE_URL": await postgres.new_database(empty=True), **SEGMENTS}
    before, after = (there, SEGMENTS) if way == "out" else (SEGMENTS, there)
    async with an_installation(tmp_path / "home", **before) as server:
        saved = await save_some(server)
        await backed_up(server, tmp_path / "backup")
    new = Installation(tmp_path / "new", after)
    await restored(new, tmp_path / "backup")
    assert (await new.check())[0] == 0
    await new.start()
    try:
        found, _ = await seen(new)
        more = await save_some(new)  # ids of the audit trail go on where they ended
    finally:
        await new.stop()
    assert found == saved
    assert more.keys() == saved.keys()
    assert (await new.check())[0] == 0


async def test_nothing_is_ever_replaced(made: Made, tmp_path: Path) -> None:
    async with an_installation(tmp_path / "home", **SEGMENTS) as server:
        status, said = await server.command("backup", str(made.folder))
        assert (status, "is there already" in said) == (2, True)
        status, said = await server.command("restore", str(made.folder))
        assert status == 2, "a server runs"
    used = Installation(made.home, SEGMENTS)
    status, said = await used.command("restore", str(made.folder))
    assert (status, "none is replaced" in said) == (2, True)
    assert (await used.check())[0] == 0
    empty = Installation(tmp_path / "empty", {"DATABASE_URL": f"sqlite:///{made.home / 'lookback.db'}"})
    status, said = await empty.command("restore", str(made.folder))
    assert (status, "there is something in the database" in said) == (2, True)


async def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "home", {})
    status, said = await installation.command("backup", str(tmp_path / "backup"))
    assert (status, "no server has ever run there" in said) == (2, True)
    status, said = await installation.command("restore", str(tmp_path))
    assert (status, "no complete backup" in said) == (2, True)
    (tmp_path / "backup.json").write_text(json.dumps({"format": 2, "version": "9.0"}))
    status, said = await installation.command("restore", str(tmp_path))
    assert (status, "newer version" in said) == (2, True)
    assert not (tmp_path / "home" / "lookback.db").exists()


async def test_a_damaged_backup_is_refused_before_the_database_is_touched(made: Made, tmp_path: Path) -> None:
    damaged = shutil.copytree(made.folder, tmp_path / "backup")
    next((damaged / "clips").glob("*/*/clip.json")).unlink()
    new = Installation(tmp_path / "new", {})
    status, said = await new.command("restore", str(damaged))
    assert (status, "damaged" in said) == (2, True)
    assert not (tmp_path / "new" / "lookback.db").exists()


async def test_the_secret_goes_along_where_the_server_made_it(tmp_path: Path) -> None:
    async with an_installation(tmp_path / "home", LOOKBACK_JWT_SECRET="", **SEGMENTS) as server:
        await backed_up(server, tmp_path / "backup")
    new = Installation(tmp_path / "new", {"LOOKBACK_JWT_SECRET": ""})
    await restored(new, tmp_path / "backup")
    for place in (tmp_path / "backup", tmp_path / "new"):
        assert (place / "secret").read_bytes() == (tmp_path / "home" / "secret").read_bytes()
        assert (place / "secret").stat().st_mode & 0o777 == 0o600


def test_the_database_of_a_backup_is_one_whole_file(made: Made) -> None:
    assert not list(made.folder.glob("lookback.db-*"))
    with closing(sqlite3.connect(f"file:{made.folder / 'lookback.db'}?immutable=1", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT count(*) FROM quota_reservations").fetchall() == [(0,)]
        assert database.execute("SELECT storage, sha256 IS NULL FROM clips").fetchall() == [("file", 0)] * 2
