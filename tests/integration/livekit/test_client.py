"""The client against a real server, against none, and against something else."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from tests.support.livekit_publisher import livekit_participant, livekit_sharing
from tests.support.waiting import eventually

from lookback.errors import LivekitUnavailableError
from lookback.livekit.client import FAILED, REFUSED, SILENT, STRANGE, a_livekit_client
from lookback.livekit.tokens import Credentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from tests.support.livekit_server import LivekitServer
    from tests.support.people import Json

    from lookback.livekit.client import LivekitClient
    from lookback.sessions.rooms import RoomFacts


def connected_to(server: LivekitServer, secret: str = "") -> AbstractAsyncContextManager[LivekitClient]:
    return a_livekit_client(Credentials(server.url, server.key, secret or server.secret))


async def test_a_room_is_seen_with_its_people_and_what_they_share(livekit: LivekitServer) -> None:
    async with connected_to(livekit) as client, livekit_sharing(livekit, "seen", "alice", size=(320, 180)):
        room = await eventually(lambda: shared_with_sound(client, "seen"))
        assert not room.active_recording
        (alice,) = room.participants
        assert (alice.identity, alice.name, alice.kind, alice.hidden) == ("alice", "Alice", "standard", False)
        assert alice.joined_at_us > 1_700_000_000_000_000
        assert alice.screen is not None
        assert (alice.screen.codec, alice.screen.width, alice.screen.height) == ("video/h264", 320, 180)
        assert not alice.screen.encrypted
        assert {track.source for track in alice.tracks} == {"screen", "screen-audio"}
        assert await client.room("elsewhere") is None
        assert [r.participants for r in await eventually(lambda: rooms_named(client, "seen"))] == [room.participants]


async def shared_with_sound(client: LivekitClient, name: str) -> RoomFacts | None:
    room = await client.room(name)
    return room if room is not None and any(len(p.tracks) == 2 for p in room.participants) else None


async def rooms_named(client: LivekitClient, name: str) -> list[RoomFacts] | None:
    return [room for room in await client.rooms() if room.name == name and room.participants] or None


async def recording(client: LivekitClient, name: str) -> bool:
    room = await client.room(name)
    return room is not None and room.active_recording


async def not_recording(client: LivekitClient, name: str) -> bool:
    return not await recording(client, name)


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """Something that answers every request with these bytes, and with nothing at all when there are none."""

    handled = asyncio.Queue[None]()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(answer)
        if not answer:
            await reader.read()  # until the client gives up
        writer.close()
        await writer.wait_closed()
        handled.put_nowait(None)

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await handled.get()


async def test_a_recorder_is_hidden_and_says_that_it_records(livekit: LivekitServer) -> None:
    async with connected_to(livekit) as client, livekit_participant(livekit, "kept", "alice") as alice:
        assert not (await alice.sees())["recording"]
        token = client.recorder_token("kept", "lookback-x")
        async with livekit_participant(livekit, "kept", "lookback-x", token=token):
            assert await eventually(lambda: recording(client, "kept"))
            seen = await alice.sees()
            assert seen == {"others": [], "recording": True}
            room = await client.room("kept")
            assert room is not None
            recorder = room.participant("lookback-x")
            assert recorder is not None
            assert (recorder.kind, recorder.hidden) == ("egress", True)
            await client.remove("kept", "lookback-x")
            await client.remove("kept", "lookback-x")
        await eventually(lambda: not_recording(client, "kept"))


async def test_a_room_hears_data(livekit: LivekitServer) -> None:
    async with connected_to(livekit) as client, livekit_participant(livekit, "told", "alice") as alice:

        async def told() -> Json | None:
            await client.send_data("told", "lookback", b'{"type":"started"}')  # lost until alice's data channel is open
            return alice.heard("data")

        heard = await eventually(told)
        assert (heard["topic"], heard["data"]) == ("lookback", '{"type":"started"}')


async def test_who_joins_by_our_token_can_share(livekit: LivekitServer) -> None:
    async with connected_to(livekit) as client:
        token = client.join_token("open", "carol", "Carol")
        async with livekit_participant(livekit, "open", "carol", token=token) as carol:
            await carol.publish()
            assert await eventually(lambda: sharers(client, "open")) == ["Carol"]


async def sharers(client: LivekitClient, name: str) -> list[str]:
    room = await client.room(name)
    return [sharer.name for sharer in room.sharers()] if room else []


async def test_nothing_of_a_key_is_shown() -> None:
    assert "very-secret" not in repr(Credentials("ws://127.0.0.1:1", "key", "very-secret"))


CALLS: list[Callable[[LivekitClient], Awaitable[object]]] = [
    lambda client: client.room("seen"),
    lambda client: client.rooms(),
    lambda client: client.send_data("seen", "lookback", b"x"),
    lambda client: client.remove("seen", "alice"),
]


@pytest.mark.parametrize("call", CALLS)
async def test_wrong_credentials_have_a_sentence_of_their_own(
    livekit: LivekitServer, call: Callable[[LivekitClient], Awaitable[object]]
) -> None:
    async with connected_to(livekit, secret="wrong" * 10) as client:
        with pytest.raises(LivekitUnavailableError, match=REFUSED):
            await call(client)


@pytest.mark.parametrize("call", CALLS)
async def test_a_server_that_is_not_there_is_said_soon(call: Callable[[LivekitClient], Awaitable[object]]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{nobody.getsockname()[1]}"
        async with a_livekit_client(Credentials(url, "key", "s" * 32)) as client:
            with pytest.raises(LivekitUnavailableError, match=SILENT):
                await call(client)


async def test_a_server_that_accepts_and_says_nothing_is_given_up_within_five_seconds() -> None:
    async with answering(b"") as url, a_livekit_client(Credentials(url, "key", "s" * 32)) as client:
        began = time.monotonic()
        with pytest.raises(LivekitUnavailableError, match=SILENT):
            await client.room("seen")
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", STRANGE),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", STRANGE),
        (
            b'HTTP/1.1 503 X\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n{"code":"unavailable"}',
            FAILED,
        ),
        (b"garbage\r\n\r\n", SILENT),
    ],
)
async def test_what_is_no_livekit_server_is_said(answer: bytes, sentence: str) -> None:
    async with answering(answer) as url, a_livekit_client(Credentials(url, "key", "s" * 32)) as client:
        with pytest.raises(LivekitUnavailableError, match=sentence):
            await client.rooms()
