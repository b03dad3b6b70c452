"""Tell a LiveKit room when a buffer begins and ends in it, so that everybody there can know."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import structlog

from lookback.errors import LivekitUnavailableError
from lookback.sessions.comparison import IN_ROOMS
from lookback.sessions.model import Session, SessionState
from lookback.sessions.rooms import DATA_TOPIC

if TYPE_CHECKING:
    from lookback.sessions.rooms import LivekitServer

log = structlog.get_logger(__name__)

_MOST_WAITING = 1000
_MS_US = 1000


class Announcements:
    """Sends what `moved` is told, one after the other. It is a courtesy: what cannot be sent is dropped.

    The room's own recording flag and `GET status/{roomName}` say the same to whoever comes later.
    """

    def __init__(self, server: LivekitServer) -> None:
        self._server = server
        self._waiting: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(_MOST_WAITING)

    def moved(self, was: SessionState, session: Session) -> None:
        """Note a move of a session; returns at once."""
        kind = _kind(was, session)
        if kind is None or session.source not in IN_ROOMS:
            return
        try:
            self._waiting.put_nowait((session.room_name, _message(kind, session)))
        except asyncio.QueueFull:
            log.warning("announcement.dropped", session=session.session_id)

    async def run(self) -> None:
        """Until cancelled: send."""
        while True:
            room_name, payload = await self._waiting.get()
            try:
                await self._server.send_data(room_name, DATA_TOPIC, payload)
            except LivekitUnavailableError as error:
                # Often the room is gone, and the share with it: then nobody is there to be told.
                log.info("announcement.not_sent", room=room_name, error=error.detail)


def _kind(was: SessionState, session: Session) -> str | None:
    """What the room is told of a move. Interruptions are no news: the buffer is still there."""
    if was is SessionState.STARTING and session.state is SessionState.RECORDING:
        return "started"
    return "ended" if session.state is SessionState.DRAINING else None


def _message(kind: str, session: Session) -> bytes:
    """Who is kept and since when: no more than everybody in the room may know. Instants in epoch milliseconds."""
    ended_us = session.ended_at_us
    message = {
        "type": kind,
        "sessionId": session.session_id,
        "participantIdentity": session.participant_identity,
        "startedAt": session.started_at_us // _MS_US,
        "endedAt": None if ended_us is None else ended_us // _MS_US,
    }
    return json.dumps(message).encode()
