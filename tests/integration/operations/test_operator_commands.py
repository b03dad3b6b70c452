"""What operators do at a terminal: look up sessions, clips and permissions, end and delete, and ask for help."""

from __future__ import annotations

import asyncio
import json
import zipfile
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.installation import Installation, an_installation, one_installation

from lookback.buffer.layout import safe_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.people import Json


ASKED = """\
print('runs:', [session.user_id for session in await sessions.active()])
print('may:', sorted(map(str, (await find_user_permissions('erin'))[None])))
print('swept:', (await sweep(dry_run=True))['segments'])
print('stopped:', len(await sessions.stop_all()))
await sessions.stop('unknown')
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with one_installation(tmp_path_factory.mktemp("home"), REPLAY_SEGMENT_DURATION_SECONDS="2") as installation:
        yield installation


async def says(home: Installation, *command: str, status: int = 0) -> str:
    found, said = await home.command(*command)
    assert found == status, said
    return said


async def lists(home: Installation, *command: str) -> list[Json]:
    found: list[Json] = json.loads(await says(home, *command, "--json"))
    return found


@asynccontextmanager
async def shared(server: Installation, user: str) -> AsyncIterator[Json]:
    """A session of a user, with a second of it buffered."""
    async with server.person(user) as person:
        session = await person.starts_the_demo(f"{user}'s room")
        await person.sees_buffered(session, 1)
        yield session


async def test_sessions_are_listed_and_stopped(server: Installation) -> None:
    async with shared(server, "alice") as hers, shared(server, "bob") as his:
        found = {row["id"]: row for row in await lists(server, "sessions", "list")}
        row = found[hers["sessionId"]]
        assert (row["user"], row["room"], row["state"], row["source"]) == (
            ("alice", "alice's room", "recording", "synthetic")
        )
        assert row["seconds"] >= 1
        said = await says(server, "sessions", "stop", hers["sessionId"])
        assert said == f"{hers['sessionId']} is draining.\n"
        assert await says(server, "sessions", "stop", "unknown", status=1) == "There is no such session.\n"
        said = await says(server, "sessions", "stop-all", status=2)
        assert said == "Stop all sessions that run (1)? Say --yes to do it.\n"
        assert await says(server, "sessions", "stop-all", "--yes") == "Sessions stopped: 1.\n"
        assert await says(server, "sessions", "stop-all") == "Sessions stopped: 0.\n"
        async with server.person("bob") as bob:
            assert (await bob.sees(his))["reason"] == "Stopped by somebody who manages the replay buffers here"


async def test_clips_are_listed_and_deleted(server: Installation) -> None:
    async with shared(server, "carol") as session, server.person("carol") as carol:
        clip = await carol.captures(session, durationSeconds=1, title="Größe")
        assert [row["title"] for row in await lists(server, "clips", "list", "--user", "carol")] == ["Größe"]
        assert await lists(server, "clips", "list", "--user", "nobody") == []
        assert clip["clipId"] in await says(server, "clips", "list")
        assert "Say --yes" in await says(server, "clips", "delete", clip["clipId"], status=2)
        assert await says(server, "clips", "delete", clip["clipId"], "--yes") == f"{clip['clipId']} is deleted.\n"
        assert await carol.clips() == []
        assert await says(server, "clips", "list") == "There are no clips.\n"
        await carol.stops(session)


async def test_permissions_are_told_with_where_they_come_from(server: Installation) -> None:
    async with server.person("root", admin=True) as root:
        await root.answer("PUT", "admin/community/c1/members/dave", json={"roles": ["moderator"]})
    rows = await lists(server, "users", "permissions", "dave")
    assert {"community": "c1", "permission": "MANAGE_REPLAY_LIMITS", "from": "moderator"} in rows
    assert {row["community"] for row in rows} == {None, "c1"}
    assert "MANAGE_REPLAY_LIMITS" not in await says(server, "users", "permissions", "somebody")


async def test_the_console_has_it_all_at_hand(server: Installation, tmp_path: Path) -> None:
    async with shared(server, "erin"):
        script = tmp_path / "asked.ipy"
        script.write_text(ASKED)
        said = await says(server, "console", "--simple-prompt", "--colors=NoColor", str(script), status=1)
    assert "runs: ['erin']" in said
    assert "may: ['CAPTURE_REPLAY', 'CAPTURE_REPLAY:room', 'ENABLE_REPLAY_BUFFER']" in said
    assert "swept: 0" in said
    assert "stopped: 1" in said
    assert "NotFoundError: There is no such session" in said
    assert said.startswith("What is at hand")


async def test_where_no_server_runs_looking_works_and_changing_says_why_not(tmp_path: Path) -> None:
    home = Installation(tmp_path, {"LOOKBACK_PORT": "1"})
    (tmp_path / "serve.lock").touch()  # a server has run
    assert await says(home, "sessions", "list") == "Nobody is being buffered.\n"
    assert "No server answers" in await says(home, "clips", "delete", "x", "--yes", status=2)


# ---- the support bundle


SECRETS = {
    "LOOKBACK_JWT_SECRET": "jwt-very-secret-jwt-very-secret-jwt",
    "LIVEKIT_API_SECRET": "livekit-very-secret-livekit-very-secret",
    "LIVEKIT_API_KEY": "livekit-key-to-hide",
    "LIVEKIT_URL": "ws://127.0.0.1:1",
    "LOOKBACK_JWKS_URL": "http://user:url-very-secret@127.0.0.1:1/keys",
    "DATABASE_URL": "postgresql://lookback:database-very%20secret@127.0.0.1:1/lookback",
}
HIDDEN = [
    *(SECRETS[name] for name in ("LOOKBACK_JWT_SECRET", "LIVEKIT_API_SECRET", "LIVEKIT_API_KEY")),
    "url-very-secret",
    "database-very%20secret",
    "database-very secret",
]


def unpacked(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


async def test_a_support_bundle_has_no_secret_also_where_nothing_works(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    lines = [*HIDDEN, "GET /clips/x/video?signature=s1gned", "Bearer abc.def", "Open http://h/?token=t0ken"]
    log.write_text("\n".join(f"line {number}: {text}" for number, text in enumerate(lines)))
    home, path = Installation(tmp_path / "home", SECRETS), tmp_path / "bundle.zip"
    said = await says(home, "support-bundle", "--output", str(path), "--log", str(log))
    assert "6 files" in said, said
    assert path.stat().st_mode & 0o777 == 0o600
    files = unpacked(path)
    everything = "\n".join(files.values())
    for secret in (*HIDDEN, "s1gned", "abc.def", "t0ken"):
        assert secret not in everything
    assert files["logs/0-server.log"].count("line ") == len(lines)
    settings: dict[str, Any] = json.loads(files["settings.json"])
    assert (settings["LOOKBACK_JWT_SECRET"], settings["LIVEKIT_API_KEY"]) == ("[hidden]", "[hidden]")
    assert settings["REPLAY_BUFFER_DURATION_MINUTES"] == 10
    found = {finding["id"] for finding in json.loads(files["doctor.json"])["findings"]}
    assert {"settings"} < found
    assert "unreachable" in files["database.json"]
    assert await says(home, "support-bundle", "--output", str(path), status=2)


async def test_a_support_bundle_counts_what_there_is_without_names(tmp_path: Path) -> None:
    async with an_installation(tmp_path / "home") as server, shared(server, "secretive-person") as session:
        async with server.person("secretive-person") as person:
            clip = await person.captures(session, durationSeconds=1)
        path = tmp_path / "bundle.zip"
        await says(server, "support-bundle", "--output", str(path))
        files = unpacked(path)
    there = json.loads(files["files.json"])
    assert there["sessions"][safe_name(session["sessionId"])]["bytes"] > 0
    assert safe_name(clip["clipId"]) in there["clips"]
    database = json.loads(files["database.json"])
    assert (database["rows"]["clips"], database["sessions"][0]["session_id"]) == (1, session["sessionId"])
    assert "secretive" not in "".join(files.values())


async def test_where_the_settings_are_wrong_their_secrets_are_hidden_all_the_same(tmp_path: Path) -> None:
    wrong = {**SECRETS, "LOOKBACK_JWT_SECRET": "too-short", "LOOKBACK_PORT": "notaport"}
    home, path, log = Installation(tmp_path / "home", wrong), tmp_path / "bundle.zip", tmp_path / "log"
    log.write_text("\n".join(["too-short", *HIDDEN[1:]]))
    await says(home, "support-bundle", "--output", str(path), "--log", str(log))
    files = unpacked(path)
    assert "LOOKBACK_JWT_SECRET is wrong" in files["settings.json"]
    for secret in ("too-short", *HIDDEN[1:]):
        assert secret not in "".join(files.values())


async def test_secrets_within_addresses_are_hidden_wherever_they_stand(tmp_path: Path) -> None:
    addresses = {
        "DATABASE_URL": "postgresql://127.0.0.1:1/lookback?user=u&password=query-very-secret",
        "LOOKBACK_ALERT_WEBHOOK": "https://hook:hook-very-secret@127.0.0.1:1/services/path-very-secret",
    }
    home, path, log = Installation(tmp_path / "home", addresses), tmp_path / "bundle.zip", tmp_path / "log"
    secrets = ["query-very-secret", "hook-very-secret", "/services/path-very-secret"]
    log.write_text("\n".join(secrets))
    await says(home, "support-bundle", "--output", str(path), "--log", str(log))
    everything = "".join(unpacked(path).values())
    for secret in secrets:
        assert secret not in everything
    there = json.loads(unpacked(path)["files.json"])
    assert there["sessions"] == there["clips"] == {"wrong": "the folder is not there"}


def test_asking_is_left_to_people(tmp_path: Path) -> None:
    status, said = asyncio.run(Installation(tmp_path, {}).command("clips", "delete", "x"))
    assert (status, said) == (2, "Delete the clip x? Say --yes to do it.\n")
