"""Start, find and end the worker process, whoever its parent is."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lookback.recorder.config import RecorderConfig

WORKER_COMMAND = (sys.executable, "-m", "lookback.recorder")

_POLL_S = 0.02


@dataclass(slots=True)
class WorkerProcess:
    """A process known by its number.

    Not a subprocess object on purpose: those kill or complain about a child that outlives them, and a recorder is
    meant to outlive the process that started it. `exit_code` is known once gone, and only for our own children.
    """

    pid: int
    exit_code: int | None = field(default=None)
    _gone: bool = False

    @property
    def gone(self) -> bool:
        """Whether it has ended; a child of ours is reaped here."""
        if not self._gone:
            self._gone = self._ended()
        return self._gone

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if there is still somebody to get it."""
        if self.pid > 0 and not self.gone:  # 0 would be ourselves and everybody in our group
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def wait_gone(self, timeout_s: float) -> bool:
        """Wait for the end; False when it still lives after `timeout_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not self.gone:  # noqa: ASYNC110 - an adopted worker is not our child: nothing can be waited on
                    await asyncio.sleep(_POLL_S)
        return self.gone

    async def end(self, patience_s: float) -> None:
        """Ask it to stop; kill it when it has not after `patience_s`."""
        self.send(signal.SIGTERM)
        if not await self.wait_gone(patience_s):
            self.send(signal.SIGKILL)
            await self.wait_gone(patience_s)

    def _ended(self) -> bool:
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return not _exists(self.pid)
        if pid:
            self.exit_code = os.waitstatus_to_exitcode(status)
        return pid != 0


def start_worker(command: Sequence[str], config: RecorderConfig, environment: Mapping[str, str]) -> WorkerProcess:
    """Start a worker in a session of its own: neither Ctrl-C in the terminal nor our death reaches it.

    Its stdout and stderr are ours, its stdin is empty. Raises OSError.
    """
    pid = os.posix_spawn(
        command[0],
        list(command),
        {**environment, **config.to_environment()},
        file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
        setsid=True,
        setsigmask=(),
        setsigdef=(signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
    )
    return WorkerProcess(pid)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # Another user's process now has the number: ours is gone.
        return False
    return True
