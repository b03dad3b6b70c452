"""What is known of a session that Egress records, and of the share that it shall record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lookback.errors import EncryptedError, NobodySharingError

if TYPE_CHECKING:
    from lookback.sessions.egresses import EgressFacts
    from lookback.sessions.model import Session
    from lookback.sessions.rooms import RoomFacts, TrackFacts

NOBODY_SHARES = "Nobody is sharing a screen in this room"
ENCRYPTED = "The share is end-to-end encrypted: LiveKit Egress cannot record it"


class Share(NamedTuple):
    """A shared screen, and the track of its sound; None when it has none."""

    screen: TrackFacts
    audio_sid: str | None


@dataclass(slots=True)
class Kept:
    """What is known about a session's newest egress; see Situation."""

    egress: EgressFacts | None = None
    begun_us: int = 0
    until_us: int | None = None
    heard_us: int | None = None
    gone_us: int | None = None
    stopping_us: int | None = None
    failures: int = 0
    ended_us: int = 0
    told_us: int = 0
    starting: bool = False


def share_of(room: RoomFacts | None, session: Session) -> Share:
    """The share of a session; raises NobodySharingError, EncryptedError."""
    share = screen_of(room, session)
    if share is None:
        raise NobodySharingError(NOBODY_SHARES)
    if share.screen.encrypted:
        raise EncryptedError(ENCRYPTED)
    return share


def screen_of(room: RoomFacts | None, session: Session) -> Share | None:
    """The same, encrypted or not; None without."""
    sharer = room.participant(session.participant_identity or session.user_id) if room is not None else None
    if sharer is None or sharer.screen is None:
        return None
    wanted = ("screen-audio", "microphone") if session.include_microphone else ("screen-audio",)
    sounds = {track.source: track.sid for track in reversed(sharer.tracks) if track.kind == "audio"}
    return Share(sharer.screen, next((sounds[source] for source in wanted if source in sounds), None))
