"""Begin the sessions whose source does not come to us by itself, as a WHIP publisher does."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from lookback.errors import LivekitUnavailableError, LookbackError, NobodySharingError
from lookback.recorder.control import StartSynthetic
from lookback.sessions.admission import Ask
from lookback.sessions.spec import spec_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lookback.access.ports import Communities
    from lookback.access.principal import Principal
    from lookback.sessions.admission import Admission
    from lookback.sessions.model import Session, Source
    from lookback.sessions.ports import Recorder, SourceStarter
    from lookback.sessions.views import StartRequest

log = structlog.get_logger(__name__)

# LiveKit shows a track when its first packet has come, a moment after its publisher was told that it is published:
# who shares and starts at once must not be told that nobody shares.
_LOOKS, _BETWEEN_LOOKS_S = 4, 0.4

_ABSENT = {
    "livekit": "LiveKit is not configured here. Share a screen over WHIP, or start with the source synthetic",
    "egress": "LiveKit's Egress is not configured here. Start with the recorder direct",
}


@dataclass(frozen=True, slots=True)
class Starts:
    """Lets sessions in and sets their sources going; `starters` has one for each source that is configured."""

    admission: Admission
    communities: Communities
    starters: Mapping[Source, SourceStarter] = field(default_factory=dict)
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    async def start(self, who: Principal, wish: StartRequest) -> Session:
        """Keep what is wished for; raises what Admission.admit raises, and the source's starter."""
        source: Source = "synthetic" if wish.source == "synthetic" else await self._from_room(wish)
        ask = Ask(
            wish.room_name,
            source,
            wish.community_id,
            wish.participant_identity,
            include_microphone=wish.include_microphone,
        )
        for _ in range(_LOOKS - 1):
            with suppress(NobodySharingError):
                return await self._begin(who, ask)
            await self.sleep(_BETWEEN_LOOKS_S)
        return await self._begin(who, ask)

    async def start_by_itself(self, who: Principal, room_name: str, identity: str) -> Session:
        """Keep a share of `who`, which nobody asked for in so many words; raises as `start` does."""
        source = await self._by_rules(room_name)
        return await self._begin(who, Ask(room_name, source, participant_identity=identity, by_itself=True))

    async def resume(self, session: Session) -> None:
        """Set the source going again; nothing happens where it comes by itself."""
        starter = self.starters.get(session.source)
        if starter is not None:
            await starter.resume(session)

    async def _begin(self, who: Principal, ask: Ask) -> Session:
        starter = self.starters.get(ask.source)
        if starter is None:
            raise LivekitUnavailableError(_ABSENT[ask.source])
        session = await self.admission.admit(who, ask)
        try:
            await starter.begin(session)
        except LookbackError as error:
            await self.admission.take_back(session, error.detail)
            raise
        return session

    async def _from_room(self, wish: StartRequest) -> Source:
        if wish.recorder is None:
            return await self._by_rules(wish.room_name)
        return "egress" if wish.recorder == "egress" else "livekit"

    async def _by_rules(self, room_name: str) -> Source:
        """As the room's community wants to be recorded."""
        if "livekit" not in self.starters:
            return "livekit"  # whose absence is what there is to say
        config = await self.communities.config_of(await self.communities.community_of_room(room_name))
        return "egress" if config.recorder == "egress" else "livekit"


@dataclass(frozen=True, slots=True)
class SyntheticStarter:
    """Starts the generated screen. Implements SourceStarter."""

    recorder: Recorder

    async def begin(self, session: Session) -> None:
        """See SourceStarter."""
        await self.recorder.request(StartSynthetic(session=spec_of(session)))

    async def resume(self, session: Session) -> None:
        """See SourceStarter."""
        try:
            await self.begin(session)
        except LookbackError as error:
            log.warning("session.not_resumed", session=session.session_id, error=error.detail)
