"""What stands against recording a room is said at once, in a sentence that helps."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from tests.support.livekit_publisher import livekit_participant, livekit_sharing
from tests.support.livekit_recorder import share_of
from tests.support.waiting import eventually

from lookback.errors import EncryptedError, LivekitUnavailableError, LookbackError, NobodySharingError
from lookback.livekit.tokens import Credentials, recorder_token
from lookback.recorder.livekit import signalling
from lookback.recorder.livekit.share import ENCRYPTED, NOBODY, NOT_SHARING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.livekit_recorder import RoomRecorder
    from tests.support.livekit_server import LivekitServer

    from lookback.recorder.control import SessionSpec


async def refused(recorder: RoomRecorder, session: SessionSpec, **request: str) -> LookbackError:
    """What the recorder says, within 5 s; nothing stays behind."""
    begun = time.monotonic()
    with pytest.raises(LookbackError) as caught:
        await recorder.record(session, **request)
    assert time.monotonic() - begun < 5
    assert (await recorder.worker.status()).sessions == []
    assert not recorder.worker.directory(session).exists()
    assert recorder.worker.moves_of(session) == []
    return caught.value


async def test_a_server_that_cannot_be_reached(recorder: RoomRecorder) -> None:
    async with a_listener() as port:
        pass
    error = await refused(recorder, share_of("alice", "r"), url=f"ws://127.0.0.1:{port}")
    assert isinstance(error, LivekitUnavailableError)
    assert error.detail == signalling.UNREACHABLE


async def test_a_server_that_does_not_answer(recorder: RoomRecorder) -> None:
    async with a_listener() as port:
        error = await refused(recorder, share_of("alice", "r"), url=f"ws://127.0.0.1:{port}")
    assert isinstance(error, LivekitUnavailableError)
    assert error.detail == signalling.SILENT


async def test_an_address_that_is_none(recorder: RoomRecorder) -> None:
    error = await refused(recorder, share_of("alice", "r"), url="livekit.example.org")
    assert error.detail == signalling.UNREACHABLE


async def test_credentials_of_another_server(livekit: LivekitServer, recorder: RoomRecorder) -> None:
    other = recorder_token(Credentials(livekit.url, livekit.key, "0" * 40), "r", "recorder")
    error = await refused(recorder, share_of("alice", "r"), token=other)
    assert isinstance(error, LivekitUnavailableError)
    assert error.detail == signalling.REFUSED


async def test_an_empty_room(recorder: RoomRecorder) -> None:
    error = await refused(recorder, share_of("alice", "empty"))
    assert isinstance(error, NobodySharingError)
    assert error.detail == NOBODY

    async def nobody_is_left() -> bool:
        return await recorder.recorders("empty") == []

    await eventually(nobody_is_left, within=3.0, what="the recorder's departure")


async def test_somebody_who_only_watches(livekit: LivekitServer, recorder: RoomRecorder) -> None:
    async with livekit_participant(livekit, "watch", "bob"), livekit_sharing(livekit, "watch", "alice"):
        error = await refused(recorder, share_of("bob", "watch"))
    assert isinstance(error, NobodySharingError)
    assert error.detail == NOT_SHARING


async def test_a_camera_is_no_screen(livekit: LivekitServer, recorder: RoomRecorder) -> None:
    async with livekit_sharing(livekit, "camera", "alice", what="camera"):
        error = await refused(recorder, share_of("alice", "camera"))
    assert isinstance(error, NobodySharingError)


async def test_an_encrypted_share(livekit: LivekitServer, recorder: RoomRecorder) -> None:
    async with livekit_participant(livekit, "secret", "alice", passphrase="open sesame") as alice:
        await alice.publish()
        error = await refused(recorder, share_of("alice", "secret"))
    assert isinstance(error, EncryptedError)
    assert error.detail == ENCRYPTED


@asynccontextmanager
async def a_listener() -> AsyncIterator[int]:
    """A port where connections are taken and nothing is ever said."""
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _reader, writer: held.append(writer), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in held:
            writer.close()
        await server.wait_closed()
