"""What has to do with LiveKit, put together from the settings."""

from __future__ import annotations

import hashlib
import socket
from typing import TYPE_CHECKING

from lookback.bootstrap.parts import clock_us
from lookback.livekit.client import a_livekit_client
from lookback.livekit.tokens import Credentials
from lookback.sessions.livekit_shares import LivekitStarter

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from lookback.livekit.client import LivekitClient
    from lookback.sessions.ports import Recorder
    from lookback.settings import Settings


def credentials_of(settings: Settings) -> Credentials | None:
    """Where the LiveKit server is; None when it is not configured."""
    url, key, secret = settings.livekit_url, settings.livekit_api_key, settings.livekit_api_secret
    return Credentials(url, key, secret.get_secret_value()) if url and key and secret else None


async def livekit_client(settings: Settings, stack: AsyncExitStack) -> LivekitClient | None:
    """A client until the stack is left; None when LiveKit is not configured."""
    credentials = credentials_of(settings)
    return await stack.enter_async_context(a_livekit_client(credentials)) if credentials else None


def recorder_identity(settings: Settings) -> str:
    """What the recorder of this installation is called in rooms: the same after every start, unlike any other's."""
    place = f"{socket.gethostname()}:{settings.home}"
    return f"lookback-{hashlib.sha256(place.encode()).hexdigest()[:16]}"


def livekit_starter(settings: Settings, recorder: Recorder, server: LivekitClient) -> LivekitStarter:
    """What records shares of rooms directly."""
    return LivekitStarter(recorder, server, recorder_identity(settings), clock_us)
