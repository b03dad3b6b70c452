"""The API's side of the recorder: adopt or start the worker, talk to it, start it again when it dies."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from lookback.buffer.threads import ANYBODYS, DiskThreads
from lookback.errors import LookbackError, NoCapacityError
from lookback.recorder.backoff import Backoff
from lookback.recorder.control import Event, GetStatus, Reply, Request, WorkerStatus
from lookback.recorder.control_client import ControlClient
from lookback.recorder.process import WORKER_COMMAND, WorkerProcess, start_worker
from lookback.recorder.totals import Totals
from lookback.recorder.tracker import SessionTracker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from lookback.recorder.config import RecorderConfig

log = structlog.get_logger(__name__)

_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds to wait for what. A worker answers in milliseconds, a hung one never."""

    hello: float = 5.0
    start: float = 15.0  # importing everything and repairing torn segments, on a loaded machine
    restart: float = 10.0  # how long a request waits for a worker that is being restarted
    ping_every: float = 2.0
    hung: float = 15.0
    stop: float = 10.0
    farewell: float = 1.0  # a worker that hangs up is dying, or has dropped us and can be adopted again


class RecorderPort(Protocol):
    """What the rest of the application may ask of the recorder."""

    async def request(self, request: Request) -> Reply:
        """Ask and wait for the answer.

        Raises the error that the recorder raised, or NoCapacityError when there is no recorder: try again later.
        """

    def events(self) -> AsyncIterator[Event]:
        """Moves of sessions as they happen, for one consumer; ends by cancellation.

        After every (re)connection the last move of each session comes again: handling one twice must do no harm.
        """


class Supervisor:
    """Keeps exactly one worker running for a configuration. Implements RecorderPort.

    `run` leaves the worker alive when it is cancelled, so that the next start can adopt it; `shut_down` ends it.
    `disk`: who knows whether the buffer's disk answers. A worker that waits for it is left alone: another one would
    wait, too, and could not go on with what its publishers send meanwhile.
    """

    def __init__(
        self,
        config: RecorderConfig,
        *,
        now_us: Callable[[], int],
        command: Sequence[str] = WORKER_COMMAND,
        environment: Mapping[str, str] = os.environ,
        patience: Patience = Patience(),
        disk: DiskThreads = ANYBODYS,
    ) -> None:
        self._disk = disk
        self._config = config
        self._now_us = now_us
        self._command = command
        self._environment = environment
        self._patience = patience
        self._backoff = Backoff()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._tracker = SessionTracker()
        self._worker: WorkerProcess | None = None
        self._client: ControlClient | None = None
        self._connected = asyncio.Event()
        self.starts = 0
        self.totals = Totals()
        self.status: WorkerStatus | None = None

    @property
    def connected(self) -> bool:
        """Whether a worker answers right now."""
        return self._connected.is_set()

    async def request(self, request: Request) -> Reply:
        """See RecorderPort."""
        try:
            async with asyncio.timeout(self._patience.restart):
                await self._connected.wait()
        except TimeoutError as error:
            raise NoCapacityError("The recorder does not answer; try again in a moment", retryAfter=5) from error
        client = self._client
        if client is None:
            raise NoCapacityError("The recorder is being restarted", retryAfter=1)
        self._tracker.asked(request)
        try:
            return await self._disk.attend(client.request(request))
        except LookbackError:
            self._tracker.refused(request)
            raise

    async def events(self) -> AsyncIterator[Event]:
        """See RecorderPort."""
        while True:
            yield await self._events.get()

    async def run(self) -> None:
        """Adopt or start a worker, and again whenever it is gone, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            try:
                await self._live()
            except (OSError, TimeoutError, LookbackError) as error:
                # It does not start, hangs, or is of another version: the answer to all of them is a new worker.
                log.warning("recorder.unusable", error=str(error) or type(error).__name__)
                await self._replace()
            if self._worker is None or await self._worker.wait_gone(self._patience.farewell):
                await self._mourn(self._backoff.after(loop.time() - began_s))

    async def shut_down(self) -> None:
        """End the worker in good order: files closed, sessions ended. Call after `run` has been cancelled."""
        if self._worker is not None:
            await self._worker.end(self._patience.stop)

    # ---- one worker's life, seen from here

    async def _live(self) -> None:
        """Return when the worker has hung up.

        Raises TimeoutError when it hangs, OSError or LookbackError when it does not start or is not ours.
        """
        async with await self._adopted() or await self._started() as client:
            try:
                await self._greet(client)
                await self._watch(client)
            finally:
                self._connected.clear()
                self._client = self.status = None

    async def _adopted(self) -> ControlClient | None:
        """A connection to a worker that runs already, perhaps since before we were started."""
        try:
            client = await ControlClient.connect(self._config.socket_path, self._take)
        except OSError:
            return None
        if self._worker is None or self._worker.pid != client.peer_pid:
            self._worker = WorkerProcess(client.peer_pid)
            log.info("recorder.adopting", pid=self._worker.pid)
        return client

    async def _started(self) -> ControlClient:
        """A connection to a new worker."""
        self._worker = worker = start_worker(self._command, self._config, self._environment)
        self.starts += 1
        log.info("recorder.started", pid=worker.pid)
        async with asyncio.timeout(self._patience.start):
            while not worker.gone:
                client = await self._adopted()
                if client is not None:
                    return client
                await asyncio.sleep(_POLL_S)
        raise NoCapacityError(f"The recorder ended at its start with exit code {worker.exit_code}")

    async def _greet(self, client: ControlClient) -> None:
        async with asyncio.timeout(self._patience.hello):
            welcome = await client.hello()
            if welcome.config_digest != self._config.digest:
                raise NoCapacityError("The running recorder was started with other settings")
            self.status = await self._ask_status(client)
        self._reconcile(self.status)
        self._client = client
        self._connected.set()
        log.info("recorder.connected", pid=welcome.pid)

    async def _watch(self, client: ControlClient) -> None:
        """Return when the worker has hung up; raise TimeoutError when it has stopped answering."""
        with suppress(NoCapacityError):  # it hung up before it answered
            while not client.closed:
                try:
                    async with asyncio.timeout(self._patience.hung):
                        self.status = await self._ask_status(client)
                except TimeoutError:
                    if await self._disk.silent() is None:
                        raise
                    log.warning("recorder.waits_for_its_disk")
                await client.wait_closed(self._patience.ping_every)

    async def _ask_status(self, client: ControlClient) -> WorkerStatus:
        reply = await client.request(GetStatus())
        if not isinstance(reply, WorkerStatus):
            raise NoCapacityError("The recorder speaks another version of the control protocol")
        self.totals.saw(reply)
        return reply

    async def _replace(self) -> None:
        """End a worker that is of no use: it would keep the socket and the port."""
        if self._worker is not None:
            await self._worker.end(self._patience.stop)

    async def _mourn(self, delay_s: float) -> None:
        """Say what died with the worker, and wait before the next one."""
        worker = self._worker
        log.warning("recorder.gone", exit_code=worker and worker.exit_code, restart_in_s=delay_s)
        self._publish(self._tracker.lost(self._now_us()))
        await asyncio.sleep(delay_s)

    # ---- what its sessions do

    def _take(self, event: Event) -> None:
        self._tracker.saw(event)
        self._events.put_nowait(event)

    def _reconcile(self, status: WorkerStatus) -> None:
        """Sessions that the worker does not know died with another one while nobody was connected."""
        known = {session.session_id for session in status.sessions}
        self._publish(self._tracker.lost(self._now_us(), except_for=known))

    def _publish(self, moves: Sequence[Event]) -> None:
        for move in moves:
            self._events.put_nowait(move)
