"""One shared screen of a LiveKit room as a source: from when LiveKit names its packets until it is taken away."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import structlog

from lookback.media.blank import is_blank
from lookback.media.index import LossCause
from lookback.media.receiver import Receiver
from lookback.media.samples import Track
from lookback.recorder.livekit.offer import PAYLOADS, RTX
from lookback.recorder.recording import BROKEN
from lookback.recorder.wall_clock import WallClockFeed, stats_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.media.samples import EncodedFrame
    from lookback.recorder.livekit.media import RoomMedia
    from lookback.recorder.livekit.offer import Kind, Stream
    from lookback.recorder.run import Run
    from lookback.recorder.sources import SourceStats

log = structlog.get_logger(__name__)

_ATTENDED_US, _UNATTENDED_US = 6_000_000, 300_000
_PACKET_US = 20_000  # by which a run's silence may reach beyond its end
_TRACKS: dict[Kind, Track] = {"video": Track.VIDEO, "audio": Track.AUDIO}


class LivekitSource:
    """Implements Source over the media of a room. `clock` gives UTC microseconds.

    Sound may come, change its track and go while the picture is the same, so there always is an audio track, silent
    where nobody sends any. No packet is asked for again that LiveKit would not resend: it resends no audio.

    `vanished`, to be set before `end`: the sharer was gone since the last media that came. LiveKit goes on reporting
    meanwhile as for a screen that stands still, so that is known only in the end.
    """

    audio = True

    def __init__(self, media: RoomMedia, clock: Callable[[], int]) -> None:
        self._media = media
        self._clock = clock
        self._feed = WallClockFeed()
        self._streams: dict[Track, Stream] = {}
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._receiver = Receiver(
            PAYLOADS,
            RTX,
            on_frame=self._frame,
            send_rtcp=media.send_rtcp,
            our_ssrc=secrets.randbits(32),
            nack_audio=False,
            sfu=True,
            on_sender_report=self._feed.sender_report,
            on_restart=self._feed.restarted,
        )
        self.blank_frames = 0
        self.vanished = False
        self._heard_us: int | None = None  # by then the sharer was there: reports and placeholders say nothing of that

    @property
    def last_packet_us(self) -> int | None:
        """See Source."""
        return self._receiver.stats.last_packet_us

    @property
    def patience_us(self) -> int:
        """See Source. Of a screen that stands still without a sound LiveKit only reports, every 3 s (measured).

        While the server cannot be heard, nobody would tell that the sharer has gone.
        """
        return _ATTENDED_US if self._media.attended else _UNATTENDED_US

    def use(self, stream: Stream) -> None:
        """Receive a track by these packets from now on."""
        track = _TRACKS[stream.kind]
        if self._streams.get(track) != stream:
            self._streams[track] = stream
            if self._feed.run is not None:
                self._receive(track, stream)

    def end(self, cause: str) -> None:
        """Make `run` end with this sentence; the first one stays."""
        if not self._over.done():
            self._over.set_result(cause)

    async def run(self, run: Run) -> str:
        """See Source."""
        self._feed.run = run
        try:
            for track, stream in self._streams.items():
                self._receive(track, stream)
            return await self._over
        finally:
            self._media.streams.unbind(self._receiver)
            self._receiver.flush(self._clock())
            if self.vanished and self._heard_us is not None:
                run.lack(self._heard_us, self._clock() + _PACKET_US, LossCause.ABSENCE)

    def tick(self, now_us: int) -> None:
        """See Source."""
        self._receiver.tick(now_us)

    def repairing(self) -> bool:
        """See Source."""
        return self._receiver.repairing(Track.VIDEO)

    def request_key_frame(self, now_us: int) -> None:
        """See Source."""
        self._receiver.request_key_frame(now_us)

    def stats(self) -> SourceStats:
        """See Source."""
        return stats_of(self._receiver, connected=self._media.connected)

    def _receive(self, track: Track, stream: Stream) -> None:
        self._receiver.declare(track, stream.ssrc, stream.rtx_ssrc)
        repairs = () if stream.rtx_ssrc is None else (stream.rtx_ssrc,)
        self._media.streams.bind(self._receiver, stream.ssrc, *repairs)

    def _frame(self, frame: EncodedFrame) -> None:
        if is_blank(frame):
            self.blank_frames += 1
            return
        self._heard_us = frame.arrival_us
        try:
            self._feed.frame(frame)
        except Exception:  # the other sessions of the room share this connection
            if not self._over.done():
                log.exception("livekit.frame_failed")
            self.end(BROKEN)
