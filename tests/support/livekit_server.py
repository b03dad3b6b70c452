"""A LiveKit server of a test's own: on loopback only, without Redis, that can be killed and restarted."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import subprocess
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from livekit import api

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

H264_ONLY = ("audio/opus", "video/h264", "video/rtx")  # for `codecs`: what operators are told to allow
_LOOPBACK_ONLY = {
    "node_ip": "127.0.0.1",
    "interfaces": {"includes": ["lo"]},
    "ips": {"includes": ["127.0.0.0/8"]},
}
_UP_SECONDS = 20


class LivekitServer:
    """One server process with ports, key and secret of its own.

    `room` is LiveKit's configuration of that name, `codecs` its enabled codecs (all when empty), and `webhooks` the
    addresses that hear of everything. `for_browsers` lets media come from this machine's other addresses, too: the
    WebRTC of browsers has none on loopback. Files are below `home`: livekit.yaml and a livekit-*.log per start.
    """

    def __init__(
        self,
        home: Path,
        *,
        webhooks: Sequence[str] = (),
        codecs: Sequence[str] = (),
        room: Mapping[str, Any] | None = None,
        for_browsers: bool = False,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.key, self.secret = "test-key", secrets.token_hex(32)
        self._port, self._udp_port = _free_port(socket.SOCK_STREAM), _free_port(socket.SOCK_DGRAM)
        self._webhooks, self._codecs, self._room = list(webhooks), list(codecs), dict(room or {})
        self._for_browsers = for_browsers
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    @property
    def url(self) -> str:
        """Address of its API; clients that want a WebSocket write ws for http."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def log(self) -> str:
        """Everything that was printed by all starts."""
        return "".join(path.read_text() for path in sorted(self.home.glob("livekit-*.log")))

    def tells(self, *webhooks: str) -> None:
        """Send webhooks there, from the next start on."""
        self._webhooks = list(webhooks)

    async def start(self) -> None:
        """Run the server and wait until it answers; it keeps its ports and keys over restarts."""
        config = self.home / "livekit.yaml"
        config.write_text(json.dumps(self._configuration()))  # JSON is YAML
        self._process = self._spawn(config)
        await eventually(self._answers, within=_UP_SECONDS, what="LiveKit's answer")

    def kill(self) -> None:
        """`kill -9`, as by a power cut: nobody is told. Nothing happens to a server that is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def restart(self) -> None:
        """Kill it and start it again; no room is remembered."""
        self.kill()
        await self.start()

    def token(self, identity: str, room: str, *, name: str = "", **grants: Any) -> str:
        """A token to join a room; `grants` are fields of LiveKit's video grant, such as can_publish=False."""
        return (
            api.AccessToken(self.key, self.secret)
            .with_identity(identity)
            .with_name(name or identity.title())
            .with_grants(api.VideoGrants(room_join=True, room=room, **grants))
            .with_ttl(timedelta(hours=1))
            .to_jwt()
        )

    @asynccontextmanager
    async def client(self) -> AsyncIterator[api.LiveKitAPI]:
        """LiveKit's own client of the server API."""
        async with api.LiveKitAPI(self.url, self.key, self.secret) as client:
            yield client

    def _spawn(self, config: Path) -> subprocess.Popen[bytes]:
        self._starts += 1
        with (self.home / f"livekit-{self._starts:03d}.log").open("wb") as log:
            command = (_binary(), "--config", str(config))
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _configuration(self) -> dict[str, Any]:
        """Loopback in every place where the server would listen, gather candidates or ask a STUN server."""
        room = self._room | ({"enabled_codecs": [{"mime": mime} for mime in self._codecs]} if self._codecs else {})
        return {
            "port": self._port,
            "bind_addresses": ["127.0.0.1"],
            "keys": {self.key: self.secret},
            "rtc": {
                "udp_port": self._udp_port,
                "tcp_port": 0,
                "use_external_ip": False,
                "enable_loopback_candidate": True,
                **({} if self._for_browsers else _LOOPBACK_ONLY),
                "stun_servers": ["127.0.0.1:9"],  # else clients are told to ask public ones
            },
            "room": room,
            "webhook": {"api_key": self.key, "urls": self._webhooks} if self._webhooks else {},
            "logging": {"level": "info"},
        }

    async def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"LiveKit ended:\n{self.log}"
        async with httpx.AsyncClient() as client:
            try:
                return (await client.get(self.url)).is_success
            except httpx.TransportError:
                return False


@asynccontextmanager
async def a_livekit_server(home: Path, **options: Any) -> AsyncIterator[LivekitServer]:
    """A running server with these options of LivekitServer, gone afterwards."""
    server = LivekitServer(home, **options)
    try:
        await server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def one_livekit_server(home: Path, **options: Any) -> Iterator[LivekitServer]:
    """The same for tests that share one: it outlives their event loops."""
    server = LivekitServer(home, **options)
    try:
        asyncio.run(server.start())
        yield server
    finally:
        server.kill()


def _binary() -> str:
    path = os.environ.get("LOOKBACK_LIVEKIT_SERVER", "")
    assert Path(path).is_file(), f"there is no LiveKit server at {path!r}; script/bootstrap test builds it"
    return path


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
