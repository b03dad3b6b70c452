"""Both ends of the control socket, over a real one."""

from __future__ import annotations

import asyncio
import socket
import stat
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from tests.support.waiting import eventually

from lookback.errors import NoCapacityError, NotFoundError, SettingsError, ValidationError
from lookback.recorder import control_server
from lookback.recorder.control import (
    PROTOCOL_VERSION,
    Done,
    Envelope,
    Event,
    GetStatus,
    Hello,
    Reply,
    Request,
    SessionMoved,
    StopSession,
    Welcome,
    from_line,
    to_line,
)
from lookback.recorder.control_client import ControlClient
from lookback.recorder.control_server import ControlServer
from lookback.recorder.socket_lock import owned_socket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path


def moved(session_id: str, cause: str = "") -> SessionMoved:
    return SessionMoved(session_id=session_id, to="recording", cause=cause, at_us=1)


class Desk:
    """Serves requests: a stop waits until it is let go, everything else is done or fails at once."""

    def __init__(self) -> None:
        self.may_stop = asyncio.Event()
        self.known: list[Event] = []

    def welcome(self) -> Welcome:
        return Welcome(pid=1, config_digest="digest")

    def moves(self) -> Iterable[Event]:
        return self.known

    async def handle(self, request: Request) -> Reply:
        if isinstance(request, StopSession):
            await self.may_stop.wait()
            if request.session_id == "unknown":
                raise NotFoundError("Nobody records this session", sessionId="unknown")
            if request.session_id == "broken":
                raise ZeroDivisionError
        return Done()


class Service:
    """A running server."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now_s = 0.0
        self.desk = Desk()
        self.server = ControlServer(path, self.desk, lambda: self.now_s)
        self.events: list[Event] = []

    @asynccontextmanager
    async def client(self) -> AsyncIterator[ControlClient]:
        async with await ControlClient.connect(self.path, self.events.append) as client:
            await client.hello()
            yield client

    async def raw(self, *lines: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(self.path)
        writer.write(b"".join(lines))
        return reader, writer


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[Service]:
    service = Service(path)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(service.server.run())
        await service.server.ready.wait()
        try:
            yield service
        finally:
            task.cancel()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with serving(tmp_path / "run" / "recorder.sock") as running:
        yield running


async def test_requests_get_their_own_answers_whatever_the_order(service: Service) -> None:
    async with service.client() as client, asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(client.request(StopSession(session_id="s", cause="")))
        assert await client.request(GetStatus()) == Done()
        assert not slow.done()
        service.desk.may_stop.set()
        assert await slow == Done()


async def test_an_error_is_raised_again_by_the_client(service: Service) -> None:
    service.desk.may_stop.set()
    async with service.client() as client:
        with pytest.raises(NotFoundError, match="Nobody records") as caught:
            await client.request(StopSession(session_id="unknown", cause=""))
        assert caught.value.facts == {"sessionId": "unknown"}


async def test_a_broken_request_says_nothing_of_the_inside_and_ends_nobody_else(service: Service) -> None:
    service.desk.may_stop.set()
    async with service.client() as client:
        with pytest.raises(Exception, match="Something went wrong"):
            await client.request(StopSession(session_id="broken", cause=""))
        assert await client.request(GetStatus()) == Done()


async def test_everybody_connected_hears_every_event(service: Service) -> None:
    async with service.client(), service.client():
        await eventually(lambda: len(service.server._connections) == 2)
        service.server.publish(moved("a"))
        await eventually(lambda: service.events == [moved("a"), moved("a")])


async def test_whoever_comes_late_hears_the_last_move_of_each_session(service: Service) -> None:
    service.desk.known = [moved("a"), moved("b")]
    async with service.client():
        await eventually(lambda: service.events == [moved("a"), moved("b")])


async def test_another_version_is_refused_in_words(service: Service) -> None:
    reader, writer = await service.raw(to_line(Envelope(id=1, request=Hello(version=PROTOCOL_VERSION + 1))))
    reply = from_line(await reader.readline()).reply
    assert reply is not None
    assert reply.kind == "refused"
    assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize("line", [b"{}\n", b"hello\n", b"x" * (2 << 20) + b"\n", b"\xff\n", b"[" * 100_000 + b"\n"])
async def test_a_stranger_is_hung_up_on(service: Service, line: bytes) -> None:
    reader, writer = await service.raw(line)
    with suppress(ConnectionResetError):  # it hung up before it had read everything
        await reader.read()
    writer.close()
    async with service.client() as client:
        assert await client.request(GetStatus()) == Done()


async def test_a_request_without_a_greeting_is_not_served(service: Service) -> None:
    reader, writer = await service.raw(to_line(Envelope(id=1, request=GetStatus())))
    assert await reader.read() == b""
    writer.close()


async def test_a_request_in_flight_fails_when_the_server_goes(tmp_path: Path) -> None:
    async with serving(tmp_path / "recorder.sock") as service:
        client = await ControlClient.connect(service.path, service.events.append)
        async with client:
            await client.hello()
            waiting = asyncio.ensure_future(client.request(StopSession(session_id="s", cause="")))
            await eventually(lambda: client._waiting)
            for connection in service.server._connections:
                connection.close()
            with pytest.raises(NoCapacityError):
                await waiting
            with pytest.raises(NoCapacityError):
                await client.request(GetStatus())


async def test_a_client_that_does_not_read_is_dropped_and_nobody_waits_for_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_server, "MAX_UNREAD_BYTES", 100_000)
    reader, writer = await service.raw(to_line(Envelope(id=1, request=Hello())))
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    await eventually(lambda: service.server._connections)
    async with service.client() as client:
        for _ in range(2000):
            service.server.publish(moved("s", "x" * 1000))
            await asyncio.sleep(0)
        await eventually(lambda: len(service.server._connections) == 1)
        assert await client.request(GetStatus()) == Done()
        assert len(service.events) == 2000
    writer.close()
    del reader


async def test_the_server_knows_for_how_long_it_has_been_alone(service: Service) -> None:
    service.now_s = 5.0
    assert service.server.lonely_s == 5.0
    async with service.client():
        await eventually(lambda: service.server._connections)
        service.now_s = 100.0
        assert service.server.lonely_s == 0.0
    await eventually(lambda: not service.server._connections)
    service.now_s = 107.0
    assert service.server.lonely_s == 7.0


async def test_the_socket_is_for_its_owner_only(service: Service) -> None:
    assert stat.S_IMODE(service.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(service.path.parent.stat().st_mode) == 0o700


async def test_one_socket_has_one_server(service: Service) -> None:
    second = ControlServer(service.path, service.desk, lambda: 0.0)
    with pytest.raises(NoCapacityError):
        await second.run()
    async with service.client() as client:
        assert await client.request(GetStatus()) == Done()


async def test_a_socket_left_by_a_crash_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "recorder.sock"
    with socket.socket(socket.AF_UNIX) as crashed:
        crashed.bind(str(path))
    async with serving(path) as service, service.client() as client:
        assert await client.request(GetStatus()) == Done()
    assert not path.exists()


def test_a_path_too_long_for_a_socket_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError), owned_socket(tmp_path / ("x" * 100)):
        pass


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(tmp_path)
    with pytest.raises(SettingsError), owned_socket(tmp_path / "run" / "recorder.sock"):
        pass


async def test_a_greeting_that_is_answered_by_something_else_is_no_recorder(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(to_line(Envelope(id=1, reply=Done())))
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(answer, tmp_path / "s")
    async with await ControlClient.connect(tmp_path / "s", lambda _: None) as client:
        with pytest.raises(ValidationError):
            await client.hello()
    server.close()
