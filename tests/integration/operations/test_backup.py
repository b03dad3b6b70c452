"""A backup of a server that runs, and what is there after it was brought back."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
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


async def test_a_backup_of_a_running_server_is_brought_back_whole(tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    async with an_installation(tmp_path / "home", **SEGMENTS) as server:
        saved = await save_some(server)
        said = await backed_up(server, backup)
        assert "2 clips" in said
        assert (await server.check())[0] == 0
    assert not (tmp_path / "backup.partial").exists()
    assert backup.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in backup.iterdir()} == {"backup.json", "lookback.db", "clips"}, "no secret of ours"
    new = Installation(tmp_path / "new", SEGMENTS)
    assert "2 clips" in await restored(new, backup)
    assert await new.check() == (0, "Everything is consistent.\n")
    await new.start()
    try:
        found, account = await seen(new)
        async with new.person("root", admin=True) as root:
            trail = (await root.answer("GET", "admin/audit")).json()["items"]
    finally:
        await new.stop()
    assert found == saved
    assert account["usedBytes"] == sum(map(len, saved.values()))
    assert {"clip.captured", "clip.deleted"} <= {entry["action"] for entry in trail}
    assert (await new.check())[0] == 0


async def test_a_backup_holds_what_was_there_and_nothing_later(tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    async with an_installation(tmp_path / "home", **SEGMENTS) as server:
        saved = await save_some(server)
        await backed_up(server, backup)
        async with server.person("alice") as alice:
            for clip in await alice.clips():
                await alice.answer("DELETE", f"clips/{clip['clipId']}")
    new = Installation(tmp_path / "new", SEGMENTS)
    await restored(new, backup)
    await new.start()
    try:
        assert (await seen(new))[0] == saved
    finally:
        await new.stop()


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


async def test_nothing_is_ever_replaced(tmp_path: Path) -> None:
    async with an_installation(tmp_path / "home", **SEGMENTS) as server:
        await save_some(server)
        await backed_up(server, tmp_path / "backup")
        status, said = await server.command("backup", str(tmp_path / "backup"))
        assert (status, "is there already" in said) == (2, True)
        status, said = await server.command("restore", str(tmp_path / "backup"))
        assert status == 2, "a server runs"
    status, said = await server.command("restore", str(tmp_path / "backup"))
    assert (status, "none is replaced" in said) == (2, True)
    assert (await server.check())[0] == 0
    empty = Installation(tmp_path / "empty", {"DATABASE_URL": f"sqlite:///{tmp_path / 'home' / 'lookback.db'}"})
    status, said = await empty.command("restore", str(tmp_path / "backup"))
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


async def test_a_damaged_backup_is_refused_before_the_database_is_touched(tmp_path: Path) -> None:
    async with an_installation(tmp_path / "home", **SEGMENTS) as server:
        await save_some(server)
        await backed_up(server, tmp_path / "backup")
    next((tmp_path / "backup" / "clips").glob("*/*/clip.json")).unlink()
    new = Installation(tmp_path / "new", {})
    status, said = await new.command("restore", str(tmp_path / "backup"))
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


async def test_the_database_of_a_backup_is_one_whole_file(tmp_path: Path) -> None:
    async with an_installation(tmp_path / "home", **SEGMENTS) as server:
        await save_some(server)
        await backed_up(server, tmp_path / "backup")
    assert not list((tmp_path / "backup").glob("lookback.db-*"))
    with closing(sqlite3.connect(tmp_path / "backup" / "lookback.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT count(*) FROM quota_reservations").fetchall() == [(0,)]
        assert database.execute("SELECT storage, sha256 IS NULL FROM clips").fetchall() == [("file", 0)] * 2
