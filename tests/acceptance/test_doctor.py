"""Broken installations, and the real command: each is named, and nothing else is."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.installation import Installation, one_installation
from tests.support.livekit_server import LivekitServer, one_livekit_server
from tests.support.livekit_settings import livekit_settings
from tests.support.shaky_ground import on_a_small_disk

from lookback.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
STOPPED = "server.stopped"  # said of every installation here that does not run
NO_OPUS = "import av\nav.codecs_available.discard('libopus')\n"


@dataclass(slots=True)
class Broken:
    """An installation about to be looked at: break it, set something, or say on what ground the command runs."""

    home: Path
    folder: Path
    livekit: LivekitServer
    stack: ExitStack
    settings: dict[str, str] = field(default_factory=dict)
    ground: Sequence[str] = ()

    def on_a_disk(self, name: str, megabytes: int, options: str = "rw") -> None:
        self.ground = on_a_small_disk(self.home / name, megabytes, options)


def settings(**values: str) -> Callable[[Broken], None]:
    return lambda broken: broken.settings.update(values)


def beside_livekit(**values: str) -> Callable[[Broken], None]:
    return lambda broken: broken.settings.update(livekit_settings(broken.livekit, **values))


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


def disk(name: str, megabytes: int, options: str = "rw") -> Callable[[Broken], None]:
    return lambda broken: broken.on_a_disk(name, megabytes, options)


def secret(text: str, mode: int = 0o600) -> Callable[[Broken], None]:
    def write(broken: Broken) -> None:
        (broken.home / "secret").write_text(text)
        (broken.home / "secret").chmod(mode)

    return write


def without_opus(broken: Broken) -> None:
    (broken.folder / "sitecustomize.py").write_text(NO_OPUS)
    broken.settings["PYTHONPATH"] = f"{broken.folder}:{ROOT / 'src'}"


def few_files(broken: Broken) -> None:
    broken.ground = ["sh", "-c", 'ulimit -n 512 && exec "$0" "$@"']


def in_one_folder(broken: Broken) -> None:
    broken.settings |= {"REPLAY_STORAGE_PATH": str(broken.home / "buffer")}


RANDOM = "8f3ac51e07d24b96" * 4
TABLE: list[tuple[str, Callable[[Broken], None], set[str]]] = [
    ("nothing", settings(), set()),
    ("a setting is wrong", settings(LOOKBACK_PORT="70000"), {"settings.wrong"}),
    ("a setting is misspelt", settings(LOOKBACK_RTC_PROT="4000"), {"settings.unknown", STOPPED}),
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
    ("no buffer", without("buffer"), {"buffer.missing"}),
    ("no clips", without("clips"), {"clips.missing"}),
    ("the buffer is read-only", disk("buffer", 64, "ro"), {"buffer.read-only"}),
    ("the clips are read-only", disk("clips", 64, "ro"), {"clips.read-only"}),
    ("the buffer is full", disk("buffer", 8), {"buffer.full", "folders.apart"}),
    ("the clips are full", disk("clips", 8), {"clips.full", "folders.apart"}),
    ("two file systems", disk("clips", 64), {"folders.apart"}),
    ("no inodes", disk("buffer", 64, "nr_inodes=50"), {"buffer.no-inodes", "folders.apart"}),
    ("one folder for both", in_one_folder, {"folders.same"}),
    ("no room as promised", settings(LOOKBACK_MIN_FREE_GB="900000"), {"buffer.nearly-full", "clips.nearly-full"}),
    ("the port is taken", taken("LOOKBACK_PORT", socket.SOCK_STREAM), {"port.taken"}),
    ("the host is another's", settings(LOOKBACK_HOST="192.0.2.1"), {"port.address", "media-port.local"}),
    ("the media port is taken", taken("LOOKBACK_RTC_PORT", socket.SOCK_DGRAM), {"media-port.taken"}),
    ("the media address is another's", settings(LOOKBACK_RTC_ADDRESSES="192.0.2.1"), {"media-port.address"}),
    ("media from here only", settings(LOOKBACK_PUBLIC_URL="https://r.example.org"), {"media-port.local"}),
    ("FFmpeg without Opus", without_opus, {"codecs.missing"}),
    ("few open files", few_files, {"open-files.few"}),
    ("LiveKit works", beside_livekit(), set()),
    ("LiveKit is away", beside_livekit(LIVEKIT_URL="ws://127.0.0.1:1"), {"livekit.unreachable"}),
    ("LiveKit's secret is wrong", beside_livekit(LIVEKIT_API_SECRET=RANDOM), {"livekit.refused"}),
    ("LiveKit's key is wrong", beside_livekit(LIVEKIT_API_KEY="another"), {"livekit.refused"}),
    ("Egress without LiveKit", settings(LOOKBACK_EGRESS_PATH="/nowhere"), {"egress.without-livekit"}),
    ("no folder of Egress", beside_livekit(LOOKBACK_EGRESS_PATH="/nowhere"), {"egress.path-missing"}),
    ("no Egress", beside_livekit(LOOKBACK_EGRESS_PATH="/tmp"), {"egress.absent"}),
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


def environment(home: Path, more: dict[str, str]) -> dict[str, str]:
    ours = {"PYTHONPATH": str(ROOT / "src"), "LOOKBACK_HOME": str(home), "LOOKBACK_PORT": "0", "LOOKBACK_RTC_PORT": "0"}
    plain = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    return plain | ours | more


def examined(
    ground: Sequence[str], variables: dict[str, str], *arguments: str
) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit code, and what is not ok by its id."""
    done = subprocess.run(
        [*ground, sys.executable, "-m", "lookback", "doctor", "--json", *arguments],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    said = json.loads(done.stdout)
    assert all(finding["todo"] for finding in said["findings"] if finding["level"] != "ok")
    return done.returncode, {finding["id"]: finding for finding in said["findings"] if finding["level"] != "ok"}


@contextmanager
def an_installation(begun: Path, folder: Path, livekit: LivekitServer) -> Iterator[Broken]:
    home = folder / "home"
    shutil.copytree(begun, home, ignore=shutil.ignore_patterns("*.sock", "run"))
    with ExitStack() as stack:
        yield Broken(home, folder, livekit, stack)


@pytest.mark.parametrize(("how", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_broken_installation_is_named(
    how: Callable[[Broken], None], expected: set[str], begun: Path, tmp_path: Path, livekit: LivekitServer
) -> None:
    with an_installation(begun, tmp_path, livekit) as broken:
        how(broken)
        code, found = examined(broken.ground, environment(broken.home, broken.settings))
    assert found.keys() - {STOPPED} == expected - {STOPPED}
    assert code == any(finding["level"] == "broken" for finding in found.values())


def of(server: Installation, **more: str) -> dict[str, str]:
    return server._environment() | more


def test_a_running_server_misses_webhooks_that_do_not_come(running: Installation) -> None:
    code, found = examined((), of(running))
    assert (code, set(found)) == (0, {"webhooks.silent"})


def test_a_recorder_with_other_settings_is_named(running: Installation) -> None:
    _, found = examined((), of(running, REPLAY_SEGMENT_DURATION_SECONDS="7"))
    assert set(found) == {"recorder.other", "webhooks.silent"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (None, "share.no-room"),
        ('{"enabled": false}', "share.switched-off"),
    ],
)
def test_why_a_share_is_not_kept(running: Installation, rule: str | None, expected: str) -> None:
    async def ask() -> None:
        async with running.person("root", admin=True) as root:
            base = "/livekit-replay"
            (await root.http.put(f"{base}/rooms/office", json={"communityId": "c1"})).raise_for_status()
            if rule is not None:
                answer = await root.http.patch(f"{base}/admin/community/c1/config", json=json.loads(rule))
                answer.raise_for_status()

    asyncio.run(ask())
    _, found = examined((), of(running), "--room", "office", "--user", "alice")
    assert {"share.no-room", expected} <= set(found)
