"""The recorder process: one event loop, one UDP port, one control socket, many sessions."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import structlog
import uvloop

from lookback.buffer.layout import BufferLayout
from lookback.errors import LookbackError, NoCapacityError, NotFoundError, StorageUnavailableError, ungrouped
from lookback.media.samples import Codec
from lookback.recorder.config import RecorderConfig
from lookback.recorder.control import (
    AcceptWhip,
    Done,
    Event,
    FollowEgress,
    GetStatus,
    HoldSession,
    IceRestarted,
    RecordLivekit,
    Reply,
    Request,
    RestartIce,
    SessionSpec,
    StartSynthetic,
    StopSession,
    Welcome,
    WhipAccepted,
    WorkerStatus,
)
from lookback.recorder.control_server import ControlServer
from lookback.recorder.egress.desk import EgressDesk
from lookback.recorder.endpoint import Endpoint
from lookback.recorder.following import follow_shares, keep_generating
from lookback.recorder.livekit.agent import Agent
from lookback.recorder.livekit.rooms import Rooms
from lookback.recorder.logs import worker_logs
from lookback.recorder.moves import LastMoves
from lookback.recorder.recording import Recording, fault_sentence
from lookback.recorder.run import writers_over
from lookback.recorder.session_directory import SessionDirectory, prepare_buffer
from lookback.recorder.sync_pool import SyncPool
from lookback.recorder.synthetic_source import generator_command
from lookback.recorder.usage import rss_bytes
from lookback.recorder.whip_source import WhipSource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from lookback.recorder.livekit.place import Place
    from lookback.recorder.run import Run
    from lookback.recorder.sources import Source

log = structlog.get_logger(__name__)

TICK_S = 0.02
STOPPED = "The recorder was stopped"


def run(config: RecorderConfig, *, sync: Callable[[int], None] = os.fdatasync, agent: type[Agent] = Agent) -> None:
    """Record until SIGTERM, or until nobody has been connected for long; raises LookbackError or OSError.

    OSError: the UDP port or the buffer directory cannot be used. `sync` makes a descriptor's data durable,
    `agent` finds the paths to LiveKit servers.
    """
    with worker_logs(config), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Worker(config, _now_us, sync, agent).run())


def main() -> None:
    """Run as configured by the environment; exit with a sentence when that is not possible."""
    try:
        run(RecorderConfig.from_environment(os.environ))
    except (LookbackError, OSError) as error:
        sys.exit(f"recorder: {error}")


def _now_us() -> int:
    return time.time_ns() // 1000


class Worker:
    """Everything of one process. Implements ControlHandler."""

    def __init__(
        self, config: RecorderConfig, clock: Callable[[], int], sync: Callable[[int], None], agent: type[Agent]
    ) -> None:
        self._config = config
        self._clock = clock
        self._started_at_us = clock()
        self._layout = BufferLayout(config.buffer_path, config.buffer_root)
        self._server = ControlServer(config.socket_path, self, time.monotonic)
        self._endpoint = Endpoint(config.bind_addresses, config.advertise_addresses)
        self._pool = SyncPool(config.sync_threads, sync)
        self._writers = writers_over(self._pool, config)
        self._recordings: dict[str, Recording] = {}
        self._moves = LastMoves()
        self._starting = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._egress = EgressDesk(
            self._recordings, self._starting, self._tasks, clock, recording_of=self._recording, publish=self._publish
        )
        self._handlers: dict[type[Request], Callable[[Any], Awaitable[Reply]]] = {
            GetStatus: self._status,
            StartSynthetic: self._start_synthetic,
            RecordLivekit: self._record_livekit,
            FollowEgress: self._egress.follow,
            AcceptWhip: self._accept_whip,
            RestartIce: self._restart_ice,
            StopSession: self._stop,
            HoldSession: self._hold,
        }
        self._rooms = Rooms(clock, self._tasks, camera=config.livekit_camera, agent=agent)

    # ---- life of the process

    async def run(self) -> None:
        """Serve until told to stop, then close everything in good order."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        await asyncio.to_thread(prepare_buffer, self._layout)
        await self._endpoint.open(self._config.rtc_port)
        try:
            with ungrouped(LookbackError, OSError):
                await self._serve()
        finally:
            await self._rooms.close()
            await self._endpoint.close()
            await asyncio.to_thread(self._pool.close)
            log.info("recorder.stopped")

    async def _serve(self) -> None:
        async with self._tasks:
            background = [self._tasks.create_task(run()) for run in (self._server.run, self._tick_for_ever)]
            await self._stopping.wait()
            await self._close_recordings()
            for task in background:
                task.cancel()

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now_us = self._clock()
            for recording in tuple(self._recordings.values()):
                try:
                    recording.tick(now_us)
                except Exception:  # one broken session must not end the others
                    log.exception("session.tick_failed", session=recording.spec.session_id)
                    recording.abandon()
            if self._server.lonely_s > self._config.orphan_seconds:
                log.warning("recorder.orphaned", after_s=self._config.orphan_seconds)
                self._stopping.set()

    async def _close_recordings(self) -> None:
        async with self._starting, asyncio.TaskGroup() as closing:
            for recording in self._recordings.values():
                closing.create_task(recording.close("interrupted", STOPPED))

    # ---- what the control socket serves

    def welcome(self) -> Welcome:
        """See ControlHandler."""
        return Welcome(pid=os.getpid(), config_digest=self._config.digest)

    def moves(self) -> Iterable[Event]:
        """See ControlHandler."""
        faults = (recording.storage_move() for recording in self._recordings.values())
        return [*self._moves, *(move for move in faults if move is not None)]

    async def handle(self, request: Request) -> Reply:
        """See ControlHandler."""
        handle = self._handlers.get(type(request))
        return Done() if handle is None else await handle(request)

    async def _start_synthetic(self, request: StartSynthetic) -> Reply:
        async with self._starting:
            recording = await self._recording(request.session)
            if recording.following is None or recording.following.done():
                config = self._config
                command = generator_command(
                    Codec(request.codec), config.synthetic_width, config.synthetic_height, config.synthetic_fps
                )
                recording.following = self._tasks.create_task(keep_generating(recording, command))
        return Done()

    async def _accept_whip(self, request: AcceptWhip) -> Reply:
        source = WhipSource(self._endpoint, request.offer, self._clock)
        async with self._starting:
            try:
                recording = await self._recording(request.session)
            except LookbackError:
                await source.discard()
                raise
            run = recording.attach(source)
            if recording.following is not None:
                recording.following.cancel()
            recording.following = self._tasks.create_task(self._publish(recording, source, run))
        return WhipAccepted(answer=source.publisher.answer, etag=source.publisher.etag)

    async def _record_livekit(self, request: RecordLivekit) -> Reply:
        place = await self._rooms.enter(request)
        if place is None:
            return Done()
        async with self._starting:
            try:
                recording = await self._recording(request.session)
            except LookbackError:
                place.leave()
                raise
            if recording.following is not None:
                recording.following.cancel()
            recording.following = self._tasks.create_task(self._follow_shares(recording, place))
        return Done()

    async def _restart_ice(self, request: RestartIce) -> Reply:
        recording = self._recordings.get(request.session_id)
        source = recording.source if recording is not None else None
        if not isinstance(source, WhipSource):
            raise NotFoundError("Nobody publishes to this session")
        fragment = source.publisher.restart_ice(request.fragment)
        return Done() if fragment is None else IceRestarted(fragment=fragment, etag=source.publisher.etag)

    async def _stop(self, request: StopSession) -> Reply:
        async with self._starting:
            if self._egress.finishes(request):
                return Done()
            recording = self._recordings.pop(request.session_id, None)
            if recording is not None:
                await recording.close("stopped", request.cause)
        return Done()

    async def _hold(self, request: HoldSession) -> Reply:
        recording = self._recordings.get(request.session_id)
        if recording is None:
            raise NotFoundError("The recorder does not know this session")
        recording.hold(held=request.held)
        return Done()

    async def _status(self, _request: GetStatus) -> Reply:
        return WorkerStatus(
            pid=os.getpid(),
            started_at_us=self._started_at_us,
            cpu_seconds=time.process_time(),
            rss_bytes=rss_bytes(),
            udp_port=self._endpoint.port,
            sessions=[recording.stats() for recording in self._recordings.values()],
        )

    # ---- sessions

    async def _recording(self, spec: SessionSpec) -> Recording:
        """The session's recording, made when there is none; raises StorageUnavailableError, NoCapacityError."""
        if self._stopping.is_set():
            raise NoCapacityError("The recorder is being stopped", retryAfter=1)
        known = self._recordings.get(spec.session_id)
        if known is not None:
            return known
        recording = Recording(
            spec,
            SessionDirectory(self._layout, spec),
            make_writer=self._writers,
            clock=self._clock,
            emit=self._emit,
        )
        try:
            await recording.open()
        except OSError as error:
            log.warning("session.not_opened", session=spec.session_id, error=str(error))
            raise StorageUnavailableError(fault_sentence(error), retryAfter=5) from error
        self._recordings[spec.session_id] = recording
        return recording

    async def _publish(self, recording: Recording, source: Source, run: Run) -> None:
        """Follow a publisher; forget a session that never recorded anything."""
        if await recording.follow(source, run):
            await self._forget_unless_recorded(recording)

    async def _follow_shares(self, recording: Recording, place: Place) -> None:
        await follow_shares(recording, place)
        await self._forget_unless_recorded(recording)

    async def _forget_unless_recorded(self, recording: Recording) -> None:
        if recording.ever_recorded:
            return
        async with self._starting:
            # Not when the next publisher came first: its directory is this one.
            if recording.source is None:
                del self._recordings[recording.spec.session_id]
                await recording.leave("Nothing was recorded")

    def _emit(self, move: Event) -> None:
        log.info("session.moved", session=move.session_id, to=move.to, cause=move.cause)
        self._moves.add(move)
        self._server.publish(move)
