"""A WHIP publisher as a source: its frames on the wall clock, its end in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.media.samples import Track
from lookback.recorder import whip
from lookback.recorder.sources import ALIVE_US, MEDIA_CLOSED, SILENT
from lookback.recorder.wall_clock import WallClockFeed, stats_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.recorder.endpoint import Endpoint
    from lookback.recorder.run import Run
    from lookback.recorder.sources import SourceStats

_FAILED = "failed: "


class WhipSource:
    """Made from an offer (raises what WhipPublisher raises); `answer` and `etag` are what to reply."""

    patience_us = ALIVE_US

    def __init__(self, endpoint: Endpoint, offer: str, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._feed = WallClockFeed()
        self.publisher = whip.WhipPublisher(
            endpoint,
            offer,
            clock=clock,
            on_frame=self._feed.frame,
            on_sender_report=self._feed.sender_report,
            on_restart=self._feed.restarted,
        )

    @property
    def audio(self) -> bool:
        """See Source."""
        return self.publisher.audio_codec is not None

    @property
    def last_packet_us(self) -> int | None:
        """See Source."""
        return self.publisher.receiver.stats.last_packet_us

    async def run(self, run: Run) -> str:
        """See Source."""
        self._feed.run = run
        cause = await self.publisher.run()
        self.publisher.receiver.flush(self._clock())
        return _sentence(cause)

    async def discard(self) -> None:
        """Give back what the constructor took, without ever having received anything."""
        self.publisher.close()
        await self.publisher.run()

    def tick(self, now_us: int) -> None:
        """See Source."""
        self.publisher.tick(now_us)

    def repairing(self) -> bool:
        """See Source."""
        return self.publisher.receiver.repairing(Track.VIDEO)

    def request_key_frame(self, now_us: int) -> None:
        """See Source."""
        self.publisher.receiver.request_key_frame(now_us)

    def stats(self) -> SourceStats:
        """See Source."""
        return stats_of(self.publisher.receiver, connected=self.publisher.connected)


def _sentence(cause: str) -> str:
    """What people read of the causes that WhipPublisher.run returns."""
    if cause == whip.SILENT:
        return SILENT
    if cause == whip.ENDED_BY_PUBLISHER:
        return MEDIA_CLOSED
    text = cause.removeprefix(_FAILED)
    return text[:1].upper() + text[1:]
