"""The roll call: every session that claims to run is asked after, now and then.

Whatever ends a session is told at once, by the recorder, the publisher or a room. This is for what was not told: a
worker that forgot a session, a publisher who vanished unseen, a recording that nobody asked for. Three rules keep it
from ever touching a share that only lasts long:

1. Nothing follows from one look. Two in a row must have found the very same, with not one packet between them.
2. A recorder that does not answer has said nothing about its sessions.
3. Sessions are read before the recorder is asked: one that begins in between is never missed in either.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from lookback.errors import LookbackError
from lookback.sessions.model import Session, SessionState
from lookback.sessions.recorded import recorded
from lookback.sessions.service import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lookback.recorder.control import SessionStats
    from lookback.sessions.moves import Moves
    from lookback.sessions.ports import Recorder, SessionRepository
    from lookback.sessions.service import SessionService

log = structlog.get_logger(__name__)

FORGOTTEN = "The recorder has lost the session"
SILENT = "Nothing has come from the publisher any more"
UNASKED = "Nobody has asked for it"
_SEGMENTS = 3
_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Forgotten:
    """It claims to be recorded, and the recorder does not know it."""

    session: Session


@dataclass(frozen=True, slots=True)
class Silent:
    """It is recorded, and for several segments not even a word came that its publisher is there."""

    session: Session
    last_packet_us: int


@dataclass(frozen=True, slots=True)
class Unasked:
    """It is recorded, and nothing says that it should be."""

    session_id: str


Finding = Forgotten | Silent | Unasked


def call(
    active: Sequence[Session], known: Mapping[str, SessionStats], *, now_us: int, silent_us: int
) -> Iterator[Finding]:
    """Compare the active sessions with those that the recorder knows. `silent_us`: longer is too long."""
    for session in active:
        stats = known.get(session.session_id)
        if session.state is not SessionState.RECORDING:
            continue  # what starts or waits for its publisher has a clock of its own
        if stats is None:
            yield Forgotten(session)
        elif stats.last_packet_us is not None and now_us - stats.last_packet_us > silent_us:
            yield Silent(session, stats.last_packet_us)
    asked = {session.session_id for session in active}
    yield from (Unasked(session_id) for session_id in known if session_id not in asked)


class RollCall:
    """Asks after sessions; `look` is one look. `segment_us`: how long a segment is."""

    def __init__(
        self,
        repository: SessionRepository,
        recorder: Recorder,
        moves: Moves,
        service: SessionService,
        *,
        clock: Callable[[], int],
        segment_us: int,
    ) -> None:
        self._repository, self._recorder = repository, recorder
        self._moves, self._service, self._clock = moves, service, clock
        self._silent_us = _SEGMENTS * segment_us
        self._before: frozenset[Finding] = frozenset()

    async def run(self) -> None:
        """Until cancelled: look every minute."""
        while True:
            await asyncio.sleep(_EVERY_S)
            try:
                await self.look()
            except Exception:  # a database that is away for a while must not end it
                log.exception("sessions.not_asked_after")

    async def look(self) -> None:
        """Repair or end what was found by this look and by the one before it."""
        active = await self._repository.in_states(ACTIVE)
        try:
            known = await recorded(self._recorder)
        except LookbackError:
            self._before = frozenset()
            return
        found = frozenset(call(active, known, now_us=self._clock(), silent_us=self._silent_us))
        for finding in found & self._before:
            await self._repair(finding)
        self._before = found

    async def _repair(self, finding: Finding) -> None:
        if isinstance(finding, Unasked):
            _tell(finding.session_id, UNASKED)
            await self._service.release(finding.session_id, UNASKED)
        elif isinstance(finding, Silent):
            _tell(finding.session.session_id, SILENT)
            await self._service.end_as_seen(finding.session, SILENT, finding.last_packet_us)
        else:
            _tell(finding.session.session_id, FORGOTTEN)
            # Whoever can set it going again does so now; otherwise it ends when its publisher has stayed away.
            await self._moves.move(finding.session, SessionState.INTERRUPTED, FORGOTTEN)


def _tell(session_id: str, cause: str) -> None:
    log.warning("session.out_of_step", session=session_id, cause=cause)
