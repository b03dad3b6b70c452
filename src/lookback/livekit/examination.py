"""Look at the LiveKit server for the doctor: whether it answers, which version it is, and what time it has."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from google.protobuf.message import DecodeError
from livekit import api
from livekit.protocol import rtc

from lookback.errors import LivekitUnavailableError, LookbackError
from lookback.livekit.client import FAILED, REFUSED, SILENT, STRANGE, a_livekit_client
from lookback.livekit.egress import EgressClient
from lookback.livekit.tokens import recorder_token
from lookback.operations.doctor.livekit import LivekitFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.livekit.client import LivekitClient
    from lookback.livekit.tokens import Credentials
    from lookback.operations.doctor.livekit import Fault

_PATIENCE_S = 3.0
_FAULTS: dict[str, Fault] = {SILENT: "unreachable", REFUSED: "refused", STRANGE: "strange", FAILED: "failing"}
_IDENTITY = "lookback-doctor"
# What every LiveKit understands; /rtc/v1 is younger than what we want to recognise.
_PATH = "/rtc?protocol=9&auto_subscribe=0"


async def look_at_livekit(credentials: Credentials, clock: Callable[[], int], *, egress: bool = False) -> LivekitFacts:
    """Ask the server for its rooms, and enter one of our own for a moment: that tells its version.

    Entering makes the server send webhooks. `egress`: whether to ask after Egress, too.
    """
    async with a_livekit_client(credentials) as client:
        began_ns = time.monotonic_ns()
        try:
            await client.room(_IDENTITY)
        except LivekitUnavailableError as error:
            return LivekitFacts(_FAULTS.get(error.detail, "failing"))
        facts = LivekitFacts(answered_us=(time.monotonic_ns() - began_ns) // 1000)
        version, ahead_us = await asyncio.gather(_version(credentials, client), _ahead_us(credentials, clock))
        return replace(facts, version=version, clock_us=ahead_us, egress=await _has_egress(client) if egress else None)


async def _version(credentials: Credentials, client: LivekitClient) -> str | None:
    """The version that the server greets those with who enter a room; None when it does not say."""
    room_name = f"{_IDENTITY}-{secrets.token_hex(4)}"
    token = recorder_token(credentials, room_name, _IDENTITY)
    parts = urlsplit(credentials.websocket_url)
    url = urlunsplit((parts.scheme, parts.netloc, "", "", "")) + parts.path.rstrip("/") + _PATH
    try:
        async with asyncio.timeout(_PATIENCE_S), aiohttp.ClientSession() as http:
            async with http.ws_connect(url, headers={"Authorization": f"Bearer {token}"}) as socket:
                greeting = await socket.receive_bytes()
            with suppress(api.ServerError):
                await client.api.room.delete_room(api.DeleteRoomRequest(room=room_name))
        joined = rtc.SignalResponse.FromString(greeting).join
    except (aiohttp.ClientError, OSError, TimeoutError, TypeError, DecodeError):
        return None
    return joined.server_info.version or joined.server_version or None


async def _ahead_us(credentials: Credentials, clock: Callable[[], int]) -> int | None:
    """How far the server's clock is ahead of ours, to a second (RFC 9110 section 6.6.1); None when it does not say."""
    try:
        async with (
            asyncio.timeout(_PATIENCE_S),
            aiohttp.ClientSession() as http,
            http.get(credentials.http_url) as answer,
        ):
            date = parsedate_to_datetime(answer.headers["Date"])
    except (aiohttp.ClientError, OSError, TimeoutError, KeyError, ValueError):
        return None
    return round(date.timestamp() * 1e6) + 500_000 - clock()  # it is cut off, so half a second later on average


async def _has_egress(client: LivekitClient) -> bool:
    try:
        await EgressClient(client.api).running()
    except LookbackError:
        return False
    return True
