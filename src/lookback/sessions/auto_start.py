"""Buffers that begin by themselves, where the community's rules and the sharer's own wish say so."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

import structlog

from lookback.errors import EncryptedError, LookbackError, NobodySharingError, UnsupportedCodecError
from lookback.sessions.rooms import user_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.access.communities import AutoStart as Mode
    from lookback.access.ports import Communities, Grants
    from lookback.sessions.rooms import ParticipantFacts
    from lookback.sessions.starting import Starts

log = structlog.get_logger(__name__)

# What is wrong with the share itself stays wrong; the rest (capacity, limits, LiveKit) may pass at any time.
_LASTING = (EncryptedError, UnsupportedCodecError)
_LASTING_US, _PASSING_US = 3_600_000_000, 25_000_000
_MOST_REMEMBERED = 10_000


class Preferences(Protocol):
    """What people have said about buffers that begin by themselves."""

    async def auto_start(self, user_id: str, room_name: str) -> bool | None:
        """Whether the user wants them in the room; None when they have said nothing."""


def begins_by_itself(mode: Mode, wanted: bool | None) -> bool:
    """Whether a share is kept without being asked for.

    off: never. optIn: when the sharer has said that they want it. on: unless they have said that they do not.
    """
    return mode != "off" and (wanted is True if mode == "optIn" else wanted is not False)


class AutoStart:
    """Begins buffers of shares that nobody keeps. `clock` gives UTC microseconds."""

    def __init__(
        self,
        starts: Starts,
        communities: Communities,
        preferences: Preferences,
        grants: Grants,
        clock: Callable[[], int],
    ) -> None:
        self._starts, self._communities = starts, communities
        self._preferences, self._grants, self._clock = preferences, grants, clock
        self._not_before_us: OrderedDict[str, int] = OrderedDict()

    async def consider(self, room_name: str, participant: ParticipantFacts) -> None:
        """Begin to keep the participant's share if it begins by itself; what cannot be kept is logged."""
        screen = participant.screen
        if screen is None or self._clock() < self._not_before_us.get(screen.sid, 0):
            return
        try:
            if await self._wanted(room_name, user_of(participant)):
                await self._begin(room_name, participant)
        except NobodySharingError:
            return  # it was a short one
        except LookbackError as error:
            self._leave_alone(screen.sid, _LASTING_US if isinstance(error, _LASTING) else _PASSING_US)
            log.warning("session.not_auto_started", room=room_name, code=error.code, error=error.detail)

    async def _wanted(self, room_name: str, user_id: str) -> bool:
        community_id = await self._communities.community_of_room(room_name)
        mode = (await self._communities.config_of(community_id)).auto_start
        return mode != "off" and begins_by_itself(mode, await self._preferences.auto_start(user_id, room_name))

    async def _begin(self, room_name: str, participant: ParticipantFacts) -> None:
        who = await self._grants.of(user_of(participant))
        session = await self._starts.start_by_itself(who, room_name, participant.identity)
        log.info("session.auto_started", session=session.session_id, room=room_name, user=session.user_id)

    def _leave_alone(self, track_sid: str, for_us: int) -> None:
        self._not_before_us[track_sid] = self._clock() + for_us
        while len(self._not_before_us) > _MOST_REMEMBERED:
            self._not_before_us.popitem(last=False)
