"""What we know of a LiveKit Egress, and what we ask of LiveKit about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from lookback.sessions.rooms import TrackFacts

EgressStatus = Literal["starting", "active", "ending", "complete", "failed", "aborted", "limit-reached"]

RUNNING: frozenset[EgressStatus] = frozenset({"starting", "active", "ending"})

_BITS_PER_PIXEL = 0.0725  # 1080p30 at 4500 kbit/s: measured 47 dB
_USUAL_FPS = 30
_LEAST_KBPS, _MOST_KBPS = 300, 20_000
_USUAL_SIZE = (1920, 1080)
_LARGEST_SIDE = 3840


@dataclass(frozen=True, slots=True)
class EgressFacts:
    """One egress.

    `folder` is where it writes, as Egress itself sees it; empty when it writes no segments. `audio`: it records sound.
    `error` and `end_reason` are LiveKit's own words: they name paths and are for rules, not for people.
    """

    egress_id: str
    room_name: str = ""
    status: EgressStatus = "starting"
    video_sid: str = ""
    folder: str = ""
    audio: bool = True
    error: str = ""
    error_code: int = 0
    end_reason: str = ""

    @property
    def running(self) -> bool:
        """Whether LiveKit believes that it goes on."""
        return self.status in RUNNING


@dataclass(frozen=True, slots=True)
class EgressWish:
    """What to record of whom, and where to. Bit rates are in kilobits per second, as LiveKit counts them."""

    room_name: str
    video_sid: str
    audio_sid: str | None
    folder: str
    width: int
    height: int
    video_kbps: int
    audio_kbps: int
    segment_seconds: int

    @classmethod
    def of(
        cls,
        room_name: str,
        screen: TrackFacts,
        audio_sid: str | None,
        *,
        folder: str,
        segment_seconds: int,
        audio_kbps: int,
    ) -> EgressWish:
        """A wish that keeps the source's size and bit rate."""
        width, height = _size(screen)
        return cls(
            room_name,
            screen.sid,
            audio_sid,
            folder,
            width,
            height,
            video_kbps(width, height, screen.bitrate_bps),
            audio_kbps,
            segment_seconds,
        )


def video_kbps(width: int, height: int, source_bps: int = 0) -> int:
    """The bit rate to encode with: the source's own when LiveKit knows it, else what its size needs."""
    wanted = source_bps / 1000 if source_bps > 0 else width * height * _USUAL_FPS * _BITS_PER_PIXEL / 1000
    return max(_LEAST_KBPS, min(round(wanted), _MOST_KBPS))


def _size(screen: TrackFacts) -> tuple[int, int]:
    """The track's size, even and bounded; as most screens are while LiveKit does not know it."""
    if screen.width <= 0 or screen.height <= 0:
        return _USUAL_SIZE
    scale = min(1.0, _LARGEST_SIDE / max(screen.width, screen.height))
    width, height = (max(16, round(side * scale) // 2 * 2) for side in (screen.width, screen.height))
    return width, height


class EgressServer(Protocol):
    """LiveKit's Egress. Every method raises LivekitUnavailableError when LiveKit does not answer."""

    async def start(self, wish: EgressWish) -> EgressFacts:
        """Start one. LiveKit takes 23 s to find that no Egress service answers: then NoCapacityError.

        Raises NotFoundError when the room is gone. A track that is not there is found 30 s later, by the egress.
        """

    async def stop(self, egress_id: str) -> None:
        """Tell one to end; one that has ended, or that LiveKit does not know, is no error. Takes up to 5 s."""

    async def known(self, room_name: str) -> list[EgressFacts]:
        """Return the egresses of a room, those that ended a while ago included."""

    async def running(self) -> list[EgressFacts]:
        """Return all egresses that LiveKit believes to go on."""
