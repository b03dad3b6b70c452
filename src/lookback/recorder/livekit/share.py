"""Which tracks of which participant a session wants, and what stands against recording them. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from livekit.protocol import models

from lookback.errors import EncryptedError, NobodySharingError, UnsupportedCodecError
from lookback.recorder.answer import SUPPORTED_VIDEO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lookback.errors import LookbackError

    Participant = models.ParticipantInfo
    Track = models.TrackInfo

_SCREEN = (models.SCREEN_SHARE, (models.SCREEN_SHARE_AUDIO,))
_CAMERA = (models.CAMERA, (models.MICROPHONE,))
_GONE = models.ParticipantInfo.DISCONNECTED
# What LiveKit says of those who took no leave: by then it has not heard of them for 15 to 20 s (measured).
_UNHEARD = frozenset(
    {
        models.UNKNOWN_REASON,
        models.DUPLICATE_IDENTITY,
        models.STATE_MISMATCH,
        models.SIGNAL_CLOSE,
        models.CONNECTION_TIMEOUT,
        models.MEDIA_FAILURE,
    }
)

ENCRYPTED = "The screen share is end-to-end encrypted, so it cannot be recorded"
NOBODY = "Nobody is sharing a screen in this room"
NOT_SHARING = "This participant is not sharing a screen"
REFUSED_CODEC = "LiveKit cannot send the screen share in a codec that can be recorded"


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose share to record. Audio is not mixed: the share's own if there is any, else the microphone if wanted.

    `camera`: take camera and microphone for a screen share; what WHIP publishes into a room arrives as these.
    """

    identity: str
    include_microphone: bool = False
    camera: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """The tracks to record, by their ids (SID). Another video id is another share, and another run."""

    participant_sid: str
    video_sid: str
    audio_sid: str | None

    @property
    def track_sids(self) -> tuple[str, ...]:
        """All tracks to subscribe to."""
        return (self.video_sid,) if self.audio_sid is None else (self.video_sid, self.audio_sid)


class Roster:
    """Everybody in the room but ourselves, by the participants' ids (SID).

    What LiveKit says of one participant comes in order; what it says of two does not. An identity is in a room once:
    whoever comes again takes their own place, and of the participant before nothing more is said (measured).
    """

    def __init__(self) -> None:
        self._participants: dict[str, Participant] = {}
        self._refused: dict[str, LookbackError] = {}
        self._vanished: set[str] = set()

    def replace(self, participants: Iterable[Participant]) -> None:
        """Take a complete list."""
        self._participants = {}
        self._vanished.clear()
        self.update(participants)

    def update(self, participants: Iterable[Participant]) -> None:
        """Take the news of some participants."""
        for participant in participants:
            if participant.state == _GONE:
                self._participants.pop(participant.sid, None)
                if participant.disconnect_reason in _UNHEARD:
                    self._vanished.add(participant.sid)
            elif not self._superseded(participant):
                self._participants[participant.sid] = participant

    def _superseded(self, participant: Participant) -> bool:
        """Whether the same person has come again since; those who came before are gone without a word."""
        for known in [p for p in self._participants.values() if p.identity == participant.identity]:
            if known.sid != participant.sid and _came(known) > _came(participant):
                return True
            if known.sid != participant.sid:
                del self._participants[known.sid]
                self._vanished.add(known.sid)
        return False

    def refuse(self, track_sid: str, error: LookbackError) -> None:
        """Note that the server does not let us have a track."""
        self._refused[track_sid] = error

    def allow(self, track_sid: str) -> None:
        """Note that it does after all."""
        self._refused.pop(track_sid, None)

    def here(self, identity: str) -> bool:
        """Whether such a participant is in the room."""
        return any(participant.identity == identity for participant in self._participants.values())

    def vanished(self, participant_sid: str) -> bool:
        """Whether somebody is gone who did not say so."""
        return participant_sid in self._vanished

    def share(self, wish: Wish, current: Share | None = None) -> Share | None:
        """Return what to record of a participant; None when nothing is shared.

        A share that is `current` stays while it is there, whatever else is published. Raises EncryptedError and
        UnsupportedCodecError, or what the server said, when nothing that is shared can be recorded.
        """
        found = list(self._videos(wish))
        if current is not None:
            found.sort(key=lambda pair: pair[1].sid != current.video_sid)
        faults = [self._refused.get(track.sid) or _fault(track) for _, track in found]
        for (participant, track), fault in zip(found, faults, strict=True):
            if fault is None:
                return Share(participant.sid, track.sid, _audio_sid(participant, wish))
        if faults and faults[0] is not None:
            raise faults[0]
        return None

    def refusal(self, wish: Wish) -> NobodySharingError:
        """Why there is nothing to record."""
        shared = any(track.source == _SCREEN[0] for p in self._participants.values() for track in p.tracks)
        return NobodySharingError(NOT_SHARING if shared and self.here(wish.identity) else NOBODY)

    def _videos(self, wish: Wish) -> Iterator[tuple[Participant, Track]]:
        """Video tracks of the person, those of the newest connection first."""
        wanted, _ = _sources(wish)
        people = [p for p in self._participants.values() if p.identity == wish.identity]
        for participant in sorted(people, key=_came, reverse=True):
            for track in participant.tracks:
                if track.type == models.VIDEO and track.source == wanted:
                    yield participant, track


def _came(participant: Participant) -> tuple[int, int]:
    """When somebody came: in milliseconds, or from an older server in seconds."""
    return participant.joined_at_ms, participant.joined_at


def codec_refusal(offered: Iterable[str]) -> UnsupportedCodecError:
    """Say which codecs are published, as MIME types, and which can be recorded."""
    names = [mime.partition("/")[2].upper() or mime for mime in dict.fromkeys(offered)]
    detail = f"The screen is shared as {' and '.join(names)}, but only {' and '.join(SUPPORTED_VIDEO)} can be recorded"
    return UnsupportedCodecError(detail, offered=names, supported=list(SUPPORTED_VIDEO))


def _fault(track: Track) -> LookbackError | None:
    if track.encryption != models.Encryption.NONE:
        return EncryptedError(ENCRYPTED)
    mimes = list(dict.fromkeys(filter(None, [track.mime_type, *(codec.mime_type for codec in track.codecs)])))
    # Before the first packet LiveKit may not know the codec; then it says no when we subscribe.
    if mimes and not any(mime.partition("/")[2].upper() in SUPPORTED_VIDEO for mime in mimes):
        return codec_refusal(mimes)
    return None


def _audio_sid(participant: Participant, wish: Wish) -> str | None:
    _, wanted = _sources(wish)
    audios = [t for t in participant.tracks if t.type == models.AUDIO and t.encryption == models.Encryption.NONE]
    return next((track.sid for source in wanted for track in audios if track.source == source), None)


def _sources(wish: Wish) -> tuple[int, tuple[int, ...]]:
    """The source of the video, and those of the audio, best first."""
    if wish.camera:
        return _CAMERA
    video, audios = _SCREEN
    return video, (*audios, models.MICROPHONE) if wish.include_microphone else audios
