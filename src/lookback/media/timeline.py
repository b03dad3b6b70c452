"""RTP time of both tracks as one wall clock: when was this picture taken, this sound recorded.

Arrival comes first: a frame cannot be younger than its arrival, and the least delayed frames of the last half minute
tell how old the others are. That follows the drift between the sender's clocks and ours. Sender reports (RFC 3550
section 6.4.1) come after some seconds; once both tracks have one, the distance between the tracks is the sender's
own, and the mean of the two arrival clocks stays.

What is already written cannot be moved, so nothing here ever steps: corrections are spread over media time, at most
2 % of it. A clock that somebody sets (ours or the sender's) is not followed by more than a few seconds. Nor is it taken
for one when we stood still and then read what had come meanwhile: its delay shrinks with every frame, that of a clock
which was set stays.
"""

from __future__ import annotations

from collections import deque
from statistics import median_low
from typing import TYPE_CHECKING

from lookback.media.samples import Codec, Track

if TYPE_CHECKING:
    from lookback.media.samples import EncodedFrame

_FASTEST_SLEW = 0.02
_SETTLE_US = 2_000_000.0  # a small error shrinks to a third in this time, so that noise in arrival times is smoothed
_LARGEST_ERROR_US = 5_000_000  # beyond it a clock was set: not followed
_STEP_LASTS_US, _SAME_US = 2_000_000, 1_000_000  # if the delay stays the same for so long, as it does then
_WINDOW_US, _BUCKET_US = 30_000_000, 5_000_000
_LARGEST_SKEW_US = 1_000_000  # reports and arrival disagree by more: the reports are wrong
_PAIRS = 3  # the median of three forgives the pair that a step of the sender's clock falls into
_PAIR_LASTS_US = 60_000_000


class SlidingMinimum:
    """The smallest value of the last 30 s, forgotten in steps of 5 s. Time is media time in microseconds."""

    __slots__ = ("_buckets", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self._buckets: deque[tuple[float, float]] = deque()  # begin and minimum, oldest first

    def add(self, value: float, at_us: float) -> None:
        """Take a value; times grow."""
        buckets = self._buckets
        if not buckets or at_us - buckets[-1][0] >= _BUCKET_US:
            while buckets and at_us - buckets[0][0] >= _WINDOW_US:
                buckets.popleft()
            buckets.append((at_us, value))
            self.value = min(least for _, least in buckets)
        elif value < buckets[-1][1]:
            buckets[-1] = (buckets[-1][0], value)
            self.value = min(self.value, value)

    def clear(self) -> None:
        """Forget all values but the result, which stands until the next one."""
        self._buckets.clear()


class TrackClock:
    """One track: wall clock = anchor + media time since the anchor + correction. Microseconds throughout.

    `stepped_us` sums up the steps of the host's clock that were too large to follow.
    """

    __slots__ = (
        "_anchor_rtp",
        "_anchor_us",
        "_latest_media_us",
        "_latest_us",
        "_rate",
        "_strange",
        "correction_us",
        "delay",
        "report",
        "stepped_us",
    )

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._anchor_rtp = 0
        self._anchor_us: int | None = None
        self._latest_media_us = 0.0
        self._latest_us = 0
        self._strange: tuple[int, float] | None = None  # arrival and delay of the first frame that was so far off
        self.correction_us = 0.0
        self.delay = SlidingMinimum()  # arrival behind the anchored clock
        self.stepped_us = 0.0
        self.report: tuple[int, int] | None = None  # RTP time and sender's clock, until it has been paired

    @property
    def anchored(self) -> bool:
        """Whether a frame has come."""
        return self._anchor_us is not None

    def sender_offset_us(self, rtp_time: int, ntp_us: int) -> float:
        """Return how far the sender's clock is ahead of the anchored clock."""
        return ntp_us - (self._anchor_us or 0) - self._media_us(rtp_time)

    def observe(self, rtp_time: int, arrival_us: int) -> None:
        """Note when a frame arrived; the first one anchors the clock."""
        if self._anchor_us is None:
            self._anchor_rtp, self._anchor_us = rtp_time, arrival_us
        media_us = max(self._latest_media_us, self._media_us(rtp_time))
        delay_us = arrival_us - self._anchor_us - media_us - self.stepped_us
        self.delay.add(delay_us, media_us)
        error_us = self.delay.value - self.correction_us
        if abs(error_us) <= _LARGEST_ERROR_US:
            self._strange = None
        elif self._strange is None or abs(delay_us - self._strange[1]) > _SAME_US:
            self._strange = arrival_us, delay_us
        elif arrival_us - self._strange[0] >= _STEP_LASTS_US:
            self._strange = None
            self.stepped_us += error_us
            self.delay.clear()
            self.delay.add(self.correction_us, media_us)

    def wall_clock_us(self, rtp_time: int, target_us: float) -> int:
        """Return the wall clock at `rtp_time`, having moved the correction toward `target_us`."""
        media_us = self._media_us(rtp_time)
        passed_us = media_us - self._latest_media_us
        if self._strange is not None:
            target_us = self.correction_us
        if passed_us > 0:
            self._latest_media_us = media_us
            wanted_us = (target_us - self.correction_us) * min(1.0, passed_us / _SETTLE_US)
            most_us = _FASTEST_SLEW * passed_us
            self.correction_us += max(-most_us, min(most_us, wanted_us))
        self._latest_us = max(self._latest_us, (self._anchor_us or 0) + round(media_us + self.correction_us))
        return self._latest_us

    def restart(self) -> None:
        """Forget what related RTP time to other clocks; the correction stays, so that nothing steps."""
        self.delay.clear()
        self.report = None

    def _media_us(self, rtp_time: int) -> float:
        return (rtp_time - self._anchor_rtp) * 1_000_000 / self._rate


class Timeline:
    """The clock of one run. Feed it every frame in order; it answers with UTC microseconds that never go back."""

    def __init__(self) -> None:
        self._video = TrackClock(Codec.H264.clock_rate)
        self._audio = TrackClock(Codec.OPUS.clock_rate)
        self._skews: deque[float] = deque(maxlen=_PAIRS)  # how far audio's correction shall be ahead of video's
        self._paired_us = 0

    @property
    def stepped_us(self) -> int:
        """How far the host's clock has moved away in steps too large to follow; a new run starts without them."""
        video_us, audio_us = self._video.stepped_us, self._audio.stepped_us
        return round(video_us if abs(video_us) >= abs(audio_us) else audio_us)

    def to_utc_us(self, frame: EncodedFrame) -> int:
        """Return when the frame was captured, as far as can be known."""
        clock = self._clock(frame.codec.track)
        clock.observe(frame.rtp_time, frame.arrival_us)
        return clock.wall_clock_us(frame.rtp_time, self._target_us(clock, frame.arrival_us))

    def sender_report(self, track: Track, rtp_time: int, ntp_us: int, arrival_us: int) -> None:
        """Note that the sender's clock said `ntp_us` at `rtp_time`."""
        self._clock(track).report = rtp_time, ntp_us
        self._pair(arrival_us)

    def restarted(self, track: Track) -> None:
        """Note that the track's `rtp_time` is related to the time before by arrival only."""
        self._clock(track).restart()
        self._skews.clear()

    def _clock(self, track: Track) -> TrackClock:
        return self._video if track is Track.VIDEO else self._audio

    def _pair(self, arrival_us: int) -> None:
        """Measure the distance of the tracks on the sender's clock, once both have reported anew."""
        video, audio = self._video, self._audio
        if video.report is None or audio.report is None or not (video.anchored and audio.anchored):
            return
        self._skews.append(audio.sender_offset_us(*audio.report) - video.sender_offset_us(*video.report))
        self._paired_us = arrival_us
        video.report = audio.report = None

    def _target_us(self, clock: TrackClock, now_us: int) -> float:
        """Return where the correction shall go: the track's own arrival clock, or with the other track in step."""
        if not self._skews or abs(now_us - self._paired_us) > _PAIR_LASTS_US:
            return clock.delay.value
        skew_us = median_low(self._skews)
        video_us, audio_us = self._video.delay.value, self._audio.delay.value
        if abs(audio_us - video_us - skew_us) > _LARGEST_SKEW_US:
            return clock.delay.value
        mean_us = (video_us + audio_us) / 2
        return mean_us + skew_us / 2 if clock is self._audio else mean_us - skew_us / 2
