"""Broken installations, and the function that `lookback doctor` calls: each is named, and nothing else is."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import pytest
from livekit.protocol import models
from tests.support.alert_receiver import an_alert_receiver
from tests.support.examining import Found, environment, examined, examined_together, not_ok
from tests.support.installation import Installation, one_installation
from tests.support.livekit_server import LivekitServer, one_livekit_server
from tests.support.livekit_settings import livekit_settings
from tests.support.postgres import GUARDED, PASSWORD, PostgresServer
from tests.support.pretended_livekit import PretendedLivekit, a_pretended_livekit, a_screen
from tests.support.shaky_ground import on_a_small_disk
from tests.support.waiting import now_us
from tests.support.webhooks import signed

from lookback.bootstrap.doctor import Wanted
from lookback.home import only_server
from lookback.recorder.config import control_socket_path
from lookback.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

STOPPED = "server.stopped"  # said of every installation here that does not run


@dataclass(slots=True)
class Broken:
    """An installation about to be looked at: break it, or set something."""

    home: Path
    livekit: LivekitServer
    postgres: PostgresServer
    stack: AsyncExitStack
    settings: dict[str, str] = field(default_factory=dict)


def settings(**values: str) -> Callable[[Broken], None]:
    return lambda broken: broken.settings.update(values)


def beside_livekit(**values: str) -> Callable[[Broken], None]:
    return lambda broken: broken.settings.update(livekit_settings(broken.livekit, **values))


def beside_a_livekit(secret: str = "", **said: Any) -> Callable[[Broken], Awaitable[None]]:
    async def pretend(broken: Broken) -> None:
        other = await broken.stack.enter_async_context(a_pretended_livekit(PretendedLivekit(**said)))
        broken.settings |= livekit_settings(broken.livekit, LIVEKIT_URL=other.url)
        broken.settings["LIVEKIT_API_SECRET"] = secret or broken.livekit.secret

    return pretend


async def beside_something_else(broken: Broken) -> None:
    receiver = await broken.stack.enter_async_context(an_alert_receiver())
    broken.settings |= livekit_settings(broken.livekit, LIVEKIT_URL=receiver.url)


def database(*statements: str) -> Callable[[Broken], None]:
    def change(broken: Broken) -> None:
        with sqlite3.connect(broken.home / "lookback.db") as rows:
            for statement in statements:
                rows.execute(statement)
        rows.close()

    return change


def locked(broken: Broken) -> None:
    holder = sqlite3.connect(broken.home / "lookback.db", isolation_level=None)
    broken.stack.callback(holder.close)
    holder.execute("BEGIN IMMEDIATE")


def damaged(broken: Broken) -> None:
    for path in broken.home.glob("lookback.db*"):
        path.unlink()
    (broken.home / "lookback.db").write_bytes(b"no database" * 1000)


def postgres_as(user: str) -> Callable[[Broken], Awaitable[None]]:
    async def connect(broken: Broken) -> None:
        await broken.postgres.guard()
        address = broken.postgres.url("postgres", user.replace(" ", "%20"))
        broken.settings["DATABASE_URL"] = address

    return connect


def no_such_database(broken: Broken) -> None:
    broken.settings["DATABASE_URL"] = broken.postgres.url("nothing")


async def a_read_only_database(broken: Broken) -> None:
    address = await broken.postgres.new_database()
    name = address.rpartition("/")[2]
    await broken.postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    broken.settings["DATABASE_URL"] = address


def taken(variable: str, kind: socket.SocketKind) -> Callable[[Broken], None]:
    def take(broken: Broken) -> None:
        holder = broken.stack.enter_context(socket.socket(socket.AF_INET, kind))
        holder.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            holder.listen(1)
        broken.settings[variable] = str(holder.getsockname()[1])

    return take


def without(name: str) -> Callable[[Broken], None]:
    return lambda broken: shutil.rmtree(broken.home / name)


def secret(text: str, mode: int = 0o600) -> Callable[[Broken], None]:
    def write(broken: Broken) -> None:
        (broken.home / "secret").write_text(text)
        (broken.home / "secret").chmod(mode)

    return write


def without_opus(broken: Broken) -> None:
    av.codecs_available.discard("libopus")
    broken.stack.callback(av.codecs_available.add, "libopus")


def in_one_folder(broken: Broken) -> None:
    broken.settings |= {"REPLAY_STORAGE_PATH": str(broken.home / "buffer")}


def a_server(broken: Broken) -> None:
    """Its lock is held; nothing else of it is there."""
    broken.stack.enter_context(only_server(broken.home))


def a_server_that_hangs(broken: Broken) -> None:
    a_server(broken)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        broken.settings["LOOKBACK_PORT"] = str(probe.getsockname()[1])


def a_recorder(*, hangs: bool) -> Callable[[Broken], Awaitable[None]]:
    """Something that listens where the recorder does, and never answers or hangs up."""

    async def listen(broken: Broken) -> None:
        a_server(broken)
        path = control_socket_path(broken.home, broken.home)
        path.parent.mkdir(exist_ok=True)

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            if hangs:
                await reader.read()
            writer.close()

        await broken.stack.enter_async_context(await asyncio.start_unix_server(take, path))

    return listen


def alerts_answered(status: int) -> Callable[[Broken], Awaitable[None]]:
    async def answer(broken: Broken) -> None:
        receiver = await broken.stack.enter_async_context(an_alert_receiver())
        receiver.answers = [status]
        broken.settings["LOOKBACK_ALERT_WEBHOOK"] = receiver.url
        broken.stack.callback(lambda: check_types(receiver.types))

    def check_types(types: list[str]) -> None:
        assert types == ["test"]

    return answer


RANDOM = "8f3ac51e07d24b96" * 4
TABLE: list[tuple[str, Callable[[Broken], Awaitable[None] | None], set[str]]] = [
    ("nothing", settings(), set()),
    ("a setting is wrong", settings(LOOKBACK_PORT="70000"), {"settings.wrong"}),
    ("a setting is misspelt", settings(LOOKBACK_RTC_PROT="4000"), {"settings.unknown"}),
    ("the secret is a word", settings(LOOKBACK_JWT_SECRET="change-me-" * 4), {"secret.weak"}),
    ("the secret is short", settings(LOOKBACK_JWT_SECRET="top"), {"settings.wrong"}),
    ("the secret is everybody's", secret(RANDOM, 0o644), {"secret.readable"}),
    ("the secret is cut off", secret("8f3ac51e"), {"secret.damaged"}),
    ("the home is a file", settings(LOOKBACK_HOME="/dev/null"), {"home.unusable"}),
    ("the database is locked", locked, {"database.locked"}),
    ("the database is newer", database("UPDATE alembic_version SET version_num = '9999'"), {"database.newer"}),
    ("the database is older", database("UPDATE alembic_version SET version_num = '0001'"), {"database.older"}),
    ("the database is garbage", damaged, {"database.damaged"}),
    ("no database server", settings(DATABASE_URL="postgresql://u:p@127.0.0.1:1/x"), {"database.unreachable"}),
    ("PostgreSQL works", postgres_as(f"{GUARDED}:{PASSWORD}"), set()),
    ("PostgreSQL's password is wrong", postgres_as(f"{GUARDED}:guess"), {"database.refused"}),
    ("PostgreSQL's user is unknown", postgres_as("nobody-there"), {"database.refused"}),
    ("PostgreSQL has no such database", no_such_database, {"database.missing"}),
    ("PostgreSQL may only be read", a_read_only_database, {"database.read-only"}),
    ("no buffer", without("buffer"), {"buffer.missing"}),
    ("no clips", without("clips"), {"clips.missing"}),
    ("one folder for both", in_one_folder, {"folders.same"}),
    ("no room as promised", settings(LOOKBACK_MIN_FREE_GB="900000"), {"buffer.nearly-full", "clips.nearly-full"}),
    ("the port is taken", taken("LOOKBACK_PORT", socket.SOCK_STREAM), {"port.taken"}),
    ("the host is another's", settings(LOOKBACK_HOST="192.0.2.1"), {"port.address", "media-port.local"}),
    ("the media port is taken", taken("LOOKBACK_RTC_PORT", socket.SOCK_DGRAM), {"media-port.taken"}),
    ("the media address is another's", settings(LOOKBACK_RTC_ADDRESSES="192.0.2.1"), {"media-port.address"}),
    ("media from here only", settings(LOOKBACK_PUBLIC_URL="https://r.example.org"), {"media-port.local"}),
    ("the server hangs", a_server_that_hangs, {"server.silent", "recorder.absent"}),
    ("no recorder", a_server, {"recorder.absent"}),
    ("the recorder hangs", a_recorder(hangs=True), {"recorder.silent"}),
    ("something else listens", a_recorder(hangs=False), {"recorder.other"}),
    ("FFmpeg without Opus", without_opus, {"codecs.missing"}),
    ("alerts arrive", alerts_answered(204), set()),
    ("alerts are refused", alerts_answered(403), {"alerts.refused"}),
    ("alerts are sent elsewhere", alerts_answered(307), {"alerts.refused"}),
    ("nobody takes alerts now", alerts_answered(503), {"alerts.unreachable"}),
    ("nobody is where alerts go", settings(LOOKBACK_ALERT_WEBHOOK="http://127.0.0.1:1/"), {"alerts.unreachable"}),
    ("LiveKit works", beside_livekit(), set()),
    ("LiveKit is away", beside_livekit(LIVEKIT_URL="ws://127.0.0.1:1"), {"livekit.unreachable"}),
    ("LiveKit's secret is wrong", beside_livekit(LIVEKIT_API_SECRET=RANDOM), {"livekit.refused"}),
    ("LiveKit's key is wrong", beside_livekit(LIVEKIT_API_KEY="another"), {"livekit.refused"}),
    ("LiveKit's secret is simple", beside_a_livekit(secret="ab" * 32), {"livekit.weak-secret"}),
    ("LiveKit is too old", beside_a_livekit(version="1.1.8"), {"livekit.too-old"}),
    ("LiveKit is old", beside_a_livekit(version="1.5.3"), {"livekit.old"}),
    ("LiveKit fails", beside_a_livekit(status=500), {"livekit.failing"}),
    ("no LiveKit there", beside_something_else, {"livekit.strange"}),
    ("LiveKit's clock is ahead", beside_a_livekit(ahead_s=60), {"clock.others"}),
    ("LiveKit's clock is behind", beside_a_livekit(ahead_s=-60), {"clock.others"}),
    ("Egress without LiveKit", settings(LOOKBACK_EGRESS_PATH="/nowhere"), {"egress.without-livekit"}),
    ("no folder of Egress", beside_livekit(LOOKBACK_EGRESS_PATH="/nowhere"), {"egress.path-missing"}),
    ("no Egress", beside_livekit(LOOKBACK_EGRESS_PATH="/tmp"), {"egress.absent"}),
]

# Which folder is a disk of its own, of how many megabytes, mounted how.
DISKS: list[tuple[str, tuple[str, int, str], set[str]]] = [
    ("the buffer is read-only", ("buffer", 64, "ro"), {"buffer.read-only"}),
    ("the clips are read-only", ("clips", 64, "ro"), {"clips.read-only"}),
    ("the buffer is full", ("buffer", 8, "rw"), {"buffer.full", "folders.apart"}),
    ("the clips are full", ("clips", 8, "rw"), {"clips.full", "folders.apart"}),
    ("two file systems", ("clips", 64, "rw"), {"folders.apart"}),
    ("no inodes", ("buffer", 64, "nr_inodes=50"), {"buffer.no-inodes", "folders.apart"}),
]


@pytest.fixture(scope="module")
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivekitServer]:
    with one_livekit_server(tmp_path_factory.mktemp("livekit")) as server:
        yield server


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a server has run."""
    home = tmp_path_factory.mktemp("begun") / "home"
    with one_installation(home, LOOKBACK_JWT_SECRET=""):
        pass
    return home


@pytest.fixture(scope="module")
def running(livekit: LivekitServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with one_installation(tmp_path_factory.mktemp("running"), **livekit_settings(livekit)) as server:
        yield server


@pytest.fixture(scope="module")
def on_disks(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    """What is found in a copy for each row of DISKS, by one process that sees all the disks."""
    homes = [copied(begun, tmp_path_factory.mktemp("disk")) for _ in DISKS]
    ground: list[str] = []
    for home, (_, (name, megabytes, options), _) in zip(homes, DISKS, strict=True):
        ground += on_a_small_disk(home / name, megabytes, options)
    found = examined_together(ground, [environment(home, {}) for home in homes])
    return {row[0]: seen for row, seen in zip(DISKS, found, strict=True)}


def copied(begun: Path, folder: Path) -> Path:
    return Path(shutil.copytree(begun, folder / "home", ignore=shutil.ignore_patterns("*.sock", "run")))


async def looked_at(
    variables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, wanted: Wanted | None = None
) -> Found:
    """What is not ok of the installation that these variables describe."""
    for name in list(os.environ):
        if name.lower() in Settings.model_fields:
            monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return not_ok(await examined(wanted))


@pytest.fixture
async def broken(
    begun: Path, tmp_path: Path, livekit: LivekitServer, postgres: PostgresServer
) -> AsyncIterator[Broken]:
    async with AsyncExitStack() as stack:
        yield Broken(copied(begun, tmp_path), livekit, postgres, stack)


@pytest.mark.parametrize(("how", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
async def test_a_broken_installation_is_named(
    how: Callable[[Broken], Awaitable[None] | None],
    expected: set[str],
    broken: Broken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = how(broken)
    if done is not None:
        await done
    found = await looked_at(environment(broken.home, broken.settings), monkeypatch)
    assert found.keys() - {STOPPED} == expected


@pytest.mark.parametrize(("name", "expected"), [(row[0], row[2]) for row in DISKS])
def test_a_disk_that_is_not_as_it_should_be_is_named(name: str, expected: set[str], on_disks: dict[str, Found]) -> None:
    assert on_disks[name].keys() - {STOPPED} == expected


# ---- the real command


def printed(variables: Mapping[str, str], *arguments: str, ground: tuple[str, ...] = ()) -> tuple[int, str]:
    """Exit code and output; nothing is ever said beside it."""
    done = subprocess.run(
        [*ground, sys.executable, "-m", "lookback", "doctor", *arguments],
        env=dict(variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_the_command_ends_with_0_when_there_are_only_warnings(begun: Path) -> None:
    few_files = ("sh", "-c", 'ulimit -n 512 && exec "$0" "$@"')
    code, said = printed(environment(begun, {}), "--json", ground=few_files)
    document = json.loads(said)
    assert (code, document["level"]) == (0, "warning")
    assert not_ok(document["findings"]).keys() == {STOPPED, "open-files.few"}


def test_the_command_ends_with_1_when_something_is_broken(begun: Path) -> None:
    code, said = printed(environment(begun, {"LOOKBACK_JWT_SECRET": "change-me-" * 4}))
    assert code == 1
    assert "broken  LOOKBACK_JWT_SECRET can be guessed" in said
    assert said.endswith("1 broken, 1 to mind.\n")


# ---- beside a running server


def of(server: Installation, **more: str) -> dict[str, str]:
    return server._environment() | more


async def test_webhooks_that_are_signed_by_another_key_are_named(running: Installation) -> None:
    async def tell() -> None:
        async with running.person("nobody") as livekit:
            while True:
                told = signed({"event": "room_started", "id": "EV_1"}, now_us(), key="another")
                headers = {"Authorization": told.token, "Content-Type": told.content_type}
                refused = await livekit.http.post("/webhooks/livekit", content=told.body, headers=headers)
                assert refused.status_code == 401

    telling = asyncio.create_task(tell())
    async with running.person("root", admin=True) as root:
        answer = await root.http.get("/livekit-replay/admin/health", params={"room": "office", "user": "alice"})
    telling.cancel()
    assert not_ok(answer.json()["findings"]).keys() == {"share.no-room", "webhooks.refused"}


async def test_a_running_server_misses_webhooks_that_do_not_come(
    running: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await looked_at(of(running), monkeypatch)).keys() == {"webhooks.silent"}


async def test_a_recorder_with_other_settings_is_named(running: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await looked_at(of(running, REPLAY_SEGMENT_DURATION_SECONDS="7"), monkeypatch)
    assert found.keys() == {"recorder.other", "webhooks.silent"}


SCREEN = {"tracks": [a_screen()]}
SHARES: list[tuple[str, dict[str, Any] | None, dict[str, Any], set[str]]] = [
    ("it can be kept", SCREEN, {}, set()),
    ("nobody is in the room", None, {}, {"share.not-in-room"}),
    ("nobody shares", {}, {}, {"share.nobody-sharing"}),
    ("AV1", {"tracks": [a_screen("video/AV1")]}, {}, {"share.codec"}),
    ("encrypted", {"tracks": [a_screen(encryption=models.Encryption.GCM)]}, {}, {"share.encrypted"}),
    ("switched off", SCREEN, {"config": {"enabled": False}}, {"share.switched-off"}),
    ("no right", SCREEN, {"roles/everybody": {"permissions": []}}, {"share.denied"}),
    ("no consent", SCREEN, {"consent": {"buffering": "forbid"}}, {"share.consent"}),
    ("as many as may", SCREEN, {"config": {"maxConcurrent": 1}, "demo": {}}, {"share.limit"}),
]


@pytest.mark.parametrize("row", SHARES, ids=[row[0] for row in SHARES])
async def test_why_a_share_is_not_kept(
    row: tuple[str, dict[str, Any] | None, dict[str, Any], set[str]],
    running: Installation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, person, rules, expected = row
    room = community = name.replace(" ", "-")
    await set_up(running, room, community, rules)
    people = [models.ParticipantInfo(identity="alice", **person)] if person is not None else []
    async with a_pretended_livekit(PretendedLivekit(rooms={room: people})) as livekit:
        found = await looked_at(of(running, LIVEKIT_URL=livekit.url), monkeypatch, Wanted(room, "alice"))
    assert found.keys() - {"webhooks.silent"} == expected


async def set_up(server: Installation, room: str, community: str, rules: Mapping[str, Any]) -> None:
    """Give the room to a community of its own with these rules."""
    base = "/livekit-replay"
    async with server.person("root", admin=True) as root, server.person("alice") as alice, server.person("bob") as bob:
        said = [(root, "PUT", f"/rooms/{room}", {"communityId": community})]
        ways = {"config": "PATCH", "roles/everybody": "PUT"}
        said += [(root, ways[at], f"/admin/community/{community}/{at}", v) for at, v in rules.items() if at in ways]
        if "consent" in rules:
            said.append((alice, "PUT", "/me/consent", {**rules["consent"], "roomName": room}))
        if "demo" in rules:
            said.append((bob, "POST", "/start", {"roomName": room, "source": "synthetic"}))
        for who, method, path, body in said:
            (await who.http.request(method, base + path, json=body)).raise_for_status()
