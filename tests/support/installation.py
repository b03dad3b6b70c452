"""A real installation: `python -m lookback serve` in a process of its own, that can be killed and restarted."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jwt

from lookback.buffer.layout import BufferLayout
from lookback.recorder.config import control_socket_path
from lookback.recorder.control import GetStatus, WorkerStatus
from lookback.recorder.control_client import ControlClient
from tests.support.people import Person
from tests.support.shaky_ground import inside
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from tests.support.people import Json

ROOT = Path(__file__).resolve().parents[2]
_LINK = re.compile(r"^Open (http://\S+:(\d+))/\?token=", re.MULTILINE)
_UP_SECONDS = 60


class Installation:
    """One `LOOKBACK_HOME` and the processes that serve it. Settings are environment variables by their names."""

    def __init__(self, home: Path, settings: Mapping[str, str], ground: Sequence[str] = ()) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.url = ""
        self._secret = secrets.token_hex(32)
        self._settings = dict(settings)
        self._ground = tuple(ground)
        self._port = "0"
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    @property
    def buffer(self) -> Path:
        """Root of the rolling buffer."""
        return Path(self._settings.get("REPLAY_BUFFER_PATH", self.home / "buffer"))

    @property
    def log(self) -> str:
        """Everything that was printed by all processes of all starts."""
        return "".join(path.read_text() for path in sorted(self.home.glob("serve-*.log")))

    async def start(self) -> None:
        """Run the server and wait until it can be used; it keeps its port over restarts."""
        self._starts += 1
        log = self.home / f"serve-{self._starts:03d}.log"
        self._process = self._spawn(log)
        link = await eventually(lambda: self._link(log), within=_UP_SECONDS, what="the link to open")
        self.url, self._port = link[1], link[2]
        await eventually(self._ready, within=_UP_SECONDS, what="/readyz")

    @property
    def api_pid(self) -> int:
        """Process id of the API."""
        assert self._process is not None
        return self._process.pid

    def session_dir(self, session: Json) -> Path:
        """Where a session's segments are."""
        layout = BufferLayout(self.buffer)
        return layout.session_dir(session["roomName"], session["userId"], session["sessionId"])

    async def stop(self) -> None:
        """Ask everything to end, and wait for it."""
        recorder = await self.recorder_pid(within=0.0)
        if self._process is not None:
            self._process.terminate()
        await self._api_is_gone()
        if recorder:
            await eventually(lambda: not _lives(recorder), what="the recorder's end")

    async def restart(self) -> None:
        """End in good order and come back."""
        await self.stop()
        await self.start()

    async def kill_api(self) -> None:
        """`kill -9` the API process; the recorder lives on."""
        assert self._process is not None
        self._process.kill()
        await self._api_is_gone()

    async def kill_recorder(self, pid: int = 0) -> None:
        """`kill -9` the recorder, which is found when `pid` does not say which process it is."""
        pid = pid or await self.recorder_pid()
        assert pid, "there is no recorder to kill"
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: not _lives(pid), what="the recorder's end")

    async def recorder_pid(self, *, within: float = 20.0) -> int:
        """Process id of the recorder, said by the kernel; 0 when there is none in that time."""
        deadline = time.monotonic() + within
        while True:
            with suppress(OSError):
                async with await ControlClient.connect(self._socket, lambda _: None) as client:
                    return client.peer_pid
            if time.monotonic() >= deadline:
                return 0
            await asyncio.sleep(0.02)

    async def recorder_status(self) -> WorkerStatus:
        """What the recorder says about itself and its sessions."""
        async with await ControlClient.connect(self._socket, lambda _: None) as client:
            await client.hello()
            status = await client.request(GetStatus())
        assert isinstance(status, WorkerStatus)
        return status

    async def check(self) -> tuple[int, str]:
        """Run `lookback check`; return its exit status and what it printed."""
        return await self.command("check")

    async def is_consistent(self) -> None:
        """Wait until `lookback check` finds nothing: what a disk did not let be written down is written soon after."""
        said = (1, "")

        async def found_nothing() -> bool:
            nonlocal said
            said = await self.check()
            return said[0] == 0

        with suppress(AssertionError):
            await eventually(found_nothing, within=60, what="check")
        assert not said[0], said[1]

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Run a command of the program beside the server; return its exit status and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *(inside(self.api_pid) if self._ground else ()),
            *(sys.executable, "-m", "lookback", *arguments),
            env=self._environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await process.communicate()
        return process.returncode or 0, printed.decode()

    def token(self, user_id: str, *, admin: bool = False, **more: Any) -> str:
        """A token as an app's backend would make it; `more` are further claims."""
        now = int(time.time())
        claims = {"sub": user_id, "name": user_id.title(), "iat": now, "exp": now + 3600, "admin": admin, **more}
        return jwt.encode(claims, self._secret, "HS256")

    @asynccontextmanager
    async def person(self, user_id: str, *, admin: bool = False, **claims: Any) -> AsyncIterator[Person]:
        """Somebody who is signed in."""
        token = self.token(user_id, admin=admin, **claims)
        async with httpx.AsyncClient(
            base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=30.0
        ) as http:
            yield Person(http, token)

    def _spawn(self, log: Path) -> subprocess.Popen[bytes]:
        """Start the API process; everything it and the recorder print goes to `log`."""
        with log.open("wb") as output:
            return subprocess.Popen(
                [*self._ground, sys.executable, "-m", "lookback", "serve"],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def _api_is_gone(self) -> None:
        if self._process is not None:
            ended = self._process.poll
            await eventually(lambda: ended() is not None, within=30, what="the server's end")

    @property
    def _socket(self) -> Path:
        return control_socket_path(self.home, Path(tempfile.gettempdir()))

    def _environment(self) -> dict[str, str]:
        ours = {
            "PYTHONPATH": str(ROOT / "src"),
            "LOOKBACK_HOME": str(self.home),
            "LOOKBACK_PORT": self._port,
            "LOOKBACK_RTC_PORT": "0",
            "LOOKBACK_JWT_SECRET": self._secret,
        }
        return os.environ | ours | self._settings

    def _link(self, log: Path) -> re.Match[str] | None:
        assert self._process is not None
        printed = log.read_text()
        assert self._process.poll() is None, f"the server ended:\n{printed}"
        return _LINK.search(printed)

    async def _ready(self) -> bool:
        async with httpx.AsyncClient(base_url=self.url) as client:
            try:
                return (await client.get("/readyz")).is_success
            except httpx.TransportError:
                return False


@asynccontextmanager
async def an_installation(home: Path, *, ground: Sequence[str] = (), **settings: str) -> AsyncIterator[Installation]:
    """A running server with these settings, gone afterwards. `ground` is a command that runs the server's command."""
    installation = Installation(home, settings, ground)
    await installation.start()
    try:
        yield installation
    finally:
        await installation.stop()


@contextmanager
def one_installation(home: Path, **settings: str) -> Iterator[Installation]:
    """The same for tests that share one: it outlives their event loops."""
    installation = Installation(home, settings)
    asyncio.run(installation.start())
    try:
        yield installation
    finally:
        asyncio.run(installation.stop())


def _lives(pid: int) -> bool:
    """Whether it runs; a process nobody has reaped yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
