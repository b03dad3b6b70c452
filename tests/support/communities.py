"""Communities, rooms and wishes that a test says, and sessions that are let in by them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from lookback.access.communities import CommunityConfig
from lookback.sessions.admission import Admission
from lookback.sessions.starting import Starts, SyntheticStarter
from tests.support.audit import a_trail
from tests.support.session_rows import START_US

if TYPE_CHECKING:
    from lookback.sessions.model import Source
    from lookback.sessions.ports import Recorder, SessionRepository, SourceStarter
    from lookback.sessions.rooms import LivekitServer

WITHOUT_COMMUNITY = CommunityConfig(max_concurrent=None, max_clip_minutes=None)


@dataclass(slots=True)
class SaidCommunities:
    """Implements access.ports.Communities."""

    configs: dict[str | None, CommunityConfig] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)

    async def config_of(self, community_id: str | None) -> CommunityConfig:
        """See Communities."""
        return self.configs.get(community_id, WITHOUT_COMMUNITY if community_id is None else CommunityConfig())

    async def community_of_room(self, room_name: str) -> str | None:
        """See Communities."""
        return self.rooms.get(room_name)


@dataclass(slots=True)
class SaidConsents:
    """Who forbids what. Implements access.ports.Consents."""

    forbidding: set[tuple[str, str]] = field(default_factory=set)

    async def forbidden(self, user_id: str, room_name: str) -> bool:
        """See Consents."""
        return (user_id, room_name) in self.forbidding


def an_admission(
    rows: SessionRepository,
    communities: SaidCommunities | None = None,
    consents: SaidConsents | None = None,
    livekit: LivekitServer | None = None,
) -> Admission:
    """Lets sessions in whose ids are new-1, new-2 and so on."""
    numbers = count(1)
    return Admission(
        rows,
        communities or SaidCommunities(),
        consents or SaidConsents(),
        a_trail(),
        clock=lambda: START_US,
        new_id=lambda: f"new-{next(numbers)}",
        livekit=livekit,
    )


def starts_of(admission: Admission, recorder: Recorder, starters: dict[Source, SourceStarter] | None = None) -> Starts:
    """Begins generated screens, and what else there are starters for."""
    return Starts(admission, admission.communities, {"synthetic": SyntheticStarter(recorder), **(starters or {})})
