"""Where a session's samples come from: the one shape that every source has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lookback.recorder.run import Run

ALIVE_US = 2_500_000
"""A publisher that sent neither RTP nor RTCP for so long may be gone: its picture is not said to stand still.

Browsers send a sender report about every second."""

MEDIA_CLOSED = "The publisher stopped sharing"
SILENT = "The publisher stopped sending"


@dataclass(frozen=True, slots=True)
class SourceStats:
    """What a source knows of its transport; see control.SessionStats."""

    connected: bool
    packets: int = 0
    packets_lost: int = 0
    nacks_sent: int = 0
    retransmissions: int = 0
    key_frame_requests: int = 0


class Source(Protocol):
    """Feeds one run. `audio`: an audio track was agreed on."""

    @property
    def audio(self) -> bool:
        """Whether there is an audio track."""

    @property
    def last_packet_us(self) -> int | None:
        """When anything of the publisher arrived last: it says who is alive."""

    @property
    def patience_us(self) -> int:
        """How long the publisher is taken to be there after its last packet; ALIVE_US where nothing more is known."""

    async def run(self, run: Run) -> str:
        """Feed `run` until the source ends, and say why in a sentence; when cancelled, leave nothing behind."""

    def tick(self, now_us: int) -> None:
        """Do what is due; called about every 20 ms."""

    def repairing(self) -> bool:
        """Whether video packets are missing that may still come."""

    def request_key_frame(self, now_us: int) -> None:
        """Ask for a key frame; asking again and again does no harm."""

    def stats(self) -> SourceStats:
        """Counters so far."""
