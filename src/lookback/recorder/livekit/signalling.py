"""The websocket to a LiveKit server's `/rtc/v1`: protobuf messages in and out, one join or resume per socket."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from google.protobuf.message import DecodeError
from livekit.protocol import models, rtc

from lookback.errors import LivekitUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lookback.recorder.livekit.agent import NewAgent

_PROTOCOL = 16
_MOST_BYTES = 16 << 20  # a join names everybody in the room
_PATIENCE_S = 2.0
_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}

UNREACHABLE = "The LiveKit server cannot be reached"
SILENT = "The LiveKit server does not answer"
REFUSED = "LiveKit refuses the recorder's credentials: its API key or secret is not the server's"
UNKNOWN_ROOM = "LiveKit does not know the room, or is older than version 1.9.2"
NO_LIVEKIT = "What answers at the LiveKit server's address is not LiveKit"
FAULTY = "LiveKit answers with the error {status}"


class SignallingLostError(ConnectionError):
    """The socket is gone; the participant in the room is not, for a while."""


class WrongTokenError(LivekitUnavailableError):
    """The server does not accept the token: another one may do, the same one never."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How to get into a room, and to its media."""

    http: aiohttp.ClientSession
    url: str
    token: str = field(repr=False)
    new_agent: NewAgent

    async def connect(self, *, resume: str = "") -> Signalling:
        """See Signalling.connect."""
        return await Signalling.connect(self.http, self.url, self.token, resume=resume)


class Signalling:
    """One socket after its first message, which is `first`: `join`, `reconnect` or `leave`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, first: rtc.SignalResponse) -> None:
        self._socket = socket
        self.first = first

    @classmethod
    async def connect(cls, http: aiohttp.ClientSession, url: str, token: str, *, resume: str = "") -> Signalling:
        """Join with `token`, or come back as the participant with the id `resume`; the caller limits the time.

        Raises LivekitUnavailableError with the sentence that helps, WrongTokenError when it is the token.
        """
        try:
            socket = await http.ws_connect(
                join_url(url, resume=resume),
                headers={"Authorization": f"Bearer {token}"},  # an address is written to logs on the way
                max_msg_size=_MOST_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=_PATIENCE_S),
            )
        except aiohttp.WSServerHandshakeError as error:
            raise _refusal(error.status) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise LivekitUnavailableError(UNREACHABLE) from error
        try:
            return cls(socket, await _read(socket))
        except SignallingLostError as error:
            await socket.close()
            raise LivekitUnavailableError(SILENT) from error
        except BaseException:
            await socket.close()
            raise

    async def messages(self) -> AsyncIterator[rtc.SignalResponse]:
        """What the server says from the second message on; raises SignallingLostError in the end."""
        while True:
            yield await _read(self._socket)

    async def send(self, **message: Any) -> None:
        """Say one thing, named as in SignalRequest; raises SignallingLostError."""
        try:
            await self._socket.send_bytes(rtc.SignalRequest(**message).SerializeToString())
        except (aiohttp.ClientError, ConnectionError) as error:
            raise SignallingLostError from error

    async def leave(self) -> None:
        """Say goodbye, so that the server does not keep our place for 20 s, and close."""
        goodbye = rtc.LeaveRequest(reason=models.CLIENT_INITIATED, action=rtc.LeaveRequest.DISCONNECT)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self.send(leave=goodbye)
        except (SignallingLostError, TimeoutError):
            return  # the server finds out by itself
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the socket; the participant stays for a while."""
        await self._socket.close()


def join_url(url: str, *, resume: str = "") -> str:
    """Where to connect. Padded base64: the server reads it as Go's URLEncoding. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ValueError("not the address of a LiveKit server")
    request = rtc.JoinRequest(
        client_info=models.ClientInfo(sdk=models.ClientInfo.PYTHON, version="1.0.0", protocol=_PROTOCOL, os="linux"),
        connection_settings=rtc.ConnectionSettings(
            auto_subscribe=False, adaptive_stream=False, subscriber_allow_pause=False
        ),
    )
    if resume:
        request.reconnect = True
        request.participant_sid = resume
        request.reconnect_reason = models.RR_SIGNAL_DISCONNECTED
    wrapped = rtc.WrappedJoinRequest(compression=rtc.WrappedJoinRequest.NONE, join_request=request.SerializeToString())
    query = f"join_request={base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()}"
    return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, parts.path.rstrip("/") + "/rtc/v1", query, ""))


def _refusal(status: int) -> LivekitUnavailableError:
    if status in {401, 403}:
        return WrongTokenError(REFUSED)
    if status == 404:
        return LivekitUnavailableError(UNKNOWN_ROOM)
    if status < 400:
        return LivekitUnavailableError(NO_LIVEKIT)
    return LivekitUnavailableError(FAULTY.format(status=status))


async def _read(socket: aiohttp.ClientWebSocketResponse) -> rtc.SignalResponse:
    frame = await socket.receive()
    if frame.type is not aiohttp.WSMsgType.BINARY:
        raise SignallingLostError(frame.type.name)
    try:
        return rtc.SignalResponse.FromString(frame.data)
    except DecodeError as error:
        raise SignallingLostError("not a message of LiveKit") from error
