"""Serve HTTP around a running App until a signal says stop."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
import uvicorn

from lookback.bootstrap.app import App
from lookback.bootstrap.parts import recorder_config
from lookback.cli.media_port import require_media_port
from lookback.cli.open_files import allow_many_open_files
from lookback.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lookback.settings import Settings

log = structlog.get_logger(__name__)

DEVELOPER = "dev"
_TOKEN_SECONDS = 30 * 24 * 3600
_RECORDER_SECONDS = 20
_GRACEFUL_SECONDS = 5


class _Server(uvicorn.Server):
    """uvicorn without its signal handling, which would end the process before the recorder has been stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Run everything; `say` gets the one line with the link. Returns after SIGTERM or SIGINT; raises SettingsError."""
    allow_many_open_files()
    with _listening(settings) as listener:
        require_media_port(recorder_config(settings))
        async with App(settings) as app:
            server = _Server(_uvicorn_config(app))
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, setattr, server, "should_exit", True)
            async with asyncio.TaskGroup() as tasks:
                watch = tasks.create_task(_watch(app))
                greet = tasks.create_task(_greet(app, server, listener, say))
                await server.serve(sockets=[listener])
                watch.cancel()
                greet.cancel()


def _uvicorn_config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app.http,
        log_config=None,
        access_log=False,
        # What uvicorn trusts by default is everybody on this machine.
        proxy_headers=bool(app.settings.lookback_trusted_proxies),
        forwarded_allow_ips=list(app.settings.lookback_trusted_proxies),
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=_GRACEFUL_SECONDS,
    )


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    host, port = settings.lookback_host, settings.lookback_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except OSError as error:
            raise SettingsError(
                f"LOOKBACK_PORT is wrong: {host}:{port} cannot be listened on ({error.strerror})."
            ) from error
        listener.setblocking(False)
        yield listener


async def _watch(app: App) -> None:
    """Bring down the server when the work behind it has failed."""
    await app.ended()


async def _greet(app: App, server: _Server, listener: socket.socket, say: Callable[[str], None]) -> None:
    """Print the link once everything behind it works."""
    for _ in range(_RECORDER_SECONDS * 20):
        if server.started and app.recorder.connected:
            break
        await asyncio.sleep(0.05)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    token = app.tokens.mint(DEVELOPER, name="Developer", admin=True, valid_seconds=_TOKEN_SECONDS)
    say(f"Open http://{shown}:{port}/?token={token}")
