"""A real recorder process under a real supervisor, as the API runs it."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookback.buffer.layout import BufferLayout
from lookback.recorder.config import RecorderConfig
from lookback.recorder.control import AcceptWhip, GetStatus, StartSynthetic, WhipAccepted, WorkerStatus
from lookback.recorder.process import WORKER_COMMAND
from lookback.recorder.supervisor import Patience, Supervisor
from tests.support.encoded_clip import encoded_clip
from tests.support.waiting import eventually
from tests.support.whip_sender import WhipSender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from lookback.recorder.control import Event, SessionSpec
    from tests.support.encoded_clip import EncodedClip

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
QUICK = Patience(hello=1.0, hung=1.0, ping_every=0.1, stop=2.0)


def now_us() -> int:
    return time.time_ns() // 1000


def a_config(folder: Path, **more: Any) -> RecorderConfig:
    """A recorder of its own below `folder`."""
    usual: dict[str, Any] = {
        "buffer_path": folder / "buffer",
        "socket_path": folder / "run" / "recorder.sock",
        "synthetic_width": 320,
        "synthetic_height": 180,
    }
    return RecorderConfig(**usual | more)


class Supervised:
    """An API's view of its recorder."""

    def __init__(self, supervisor: Supervisor, config: RecorderConfig, tasks: asyncio.TaskGroup) -> None:
        self.supervisor = supervisor
        self.config = config
        self.moves: list[Event] = []
        self._running = [tasks.create_task(supervisor.run()), tasks.create_task(self._listen())]

    async def crash(self) -> None:
        """End as a killed API does: without a word to the recorder."""
        for task in self._running:
            task.cancel()
        await asyncio.wait(self._running)

    async def status(self) -> WorkerStatus:
        status = await self.supervisor.request(GetStatus())
        assert isinstance(status, WorkerStatus)
        return status

    def moves_of(self, session: SessionSpec) -> list[str]:
        return [move.to for move in self.moves if move.session_id == session.session_id]

    async def sees(self, session: SessionSpec, *moves: str, within: float = 20.0) -> Event:
        """Wait until the session has made exactly these moves so far; return the last one."""
        await eventually(
            lambda: self.moves_of(session) == list(moves), within=within, what=f"{moves} of {session.session_id}"
        )
        return [move for move in self.moves if move.session_id == session.session_id][-1]

    async def synthesise(self, session: SessionSpec) -> None:
        await self.supervisor.request(StartSynthetic(session=session))

    async def accept(self, session: SessionSpec, offer: str) -> str:
        reply = await self.supervisor.request(AcceptWhip(session=session, offer=offer))
        assert isinstance(reply, WhipAccepted)
        return reply.answer

    async def publisher(self, session: SessionSpec, clip: EncodedClip | None = None, **more: Any) -> WhipSender:
        """A connected WHIP publisher of the session that has not sent anything yet."""
        sender = WhipSender(clip or encoded_clip(), **more)
        await sender.connect(lambda offer: self.accept(session, offer))
        return sender

    def directory(self, session: SessionSpec) -> Path:
        layout = BufferLayout(self.config.buffer_path)
        return layout.session_dir(session.room_name, session.user_id, session.session_id)

    async def _listen(self) -> None:
        async for move in self.supervisor.events():
            self.moves.append(move)


@asynccontextmanager
async def supervised(
    folder: Path,
    *,
    patience: Patience = QUICK,
    command: Sequence[str] = WORKER_COMMAND,
    environment: Mapping[str, str] | None = None,
    leave_running: bool = False,
    **more: Any,
) -> AsyncIterator[Supervised]:
    """A supervisor with its recorder; both are gone afterwards unless the recorder shall be left running."""
    config = a_config(folder, **more)
    variables = ENVIRONMENT | dict(environment or {})
    supervisor = Supervisor(config, now_us=now_us, command=command, environment=variables, patience=patience)
    try:
        async with asyncio.TaskGroup() as tasks:
            api = Supervised(supervisor, config, tasks)
            try:
                yield api
            finally:
                await api.crash()
    finally:
        if not leave_running:
            await supervisor.shut_down()
