"""RTP time as wall clock: honest, in step, and never a step."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookback.media.samples import Codec, EncodedFrame, Track
from lookback.media.timeline import SlidingMinimum, Timeline

START = 1_790_000_000_000_000
SECOND, HOUR = 1_000_000, 3_600_000_000
CODEC = {Track.VIDEO: Codec.VP8, Track.AUDIO: Codec.OPUS}


@dataclass
class Sent:
    """One frame: when it really was, and what the timeline said."""

    truth_us: int
    said_us: int
    media_us: float


@dataclass
class Sharer:
    """A publisher with clocks of its own, seen through a network and the host's clock.

    `drift` maps a track to its RTP clock's error in ppm, `transit_us` to its delay on the way; the sender's wall
    clock is `ntp_ahead_us` ahead. `host_ahead_us` is how far somebody has set the host's clock.
    """

    drift: dict[Track, float] = field(default_factory=dict)
    transit_us: dict[Track, int] = field(default_factory=dict)
    jitter_us: int = 0
    ntp_ahead_us: int = 123_456_789
    host_ahead_us: int = 0
    seed: int = 1
    timeline: Timeline = field(default_factory=Timeline)
    now_us: int = START
    sent: dict[Track, list[Sent]] = field(default_factory=lambda: {Track.VIDEO: [], Track.AUDIO: []})

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.origin = {Track.VIDEO: 4_000_000_000, Track.AUDIO: 77}

    def ticks(self, track: Track) -> int:
        passed_us = (self.now_us - START) * (1 + self.drift.get(track, 0.0) / 1e6)
        return self.origin[track] + math.floor(passed_us * CODEC[track].clock_rate / 1e6)

    def arrival_us(self, track: Track) -> int:
        delay = self.transit_us.get(track, 0) + int(self.dice.expovariate(1) * self.jitter_us)
        return self.now_us + delay + self.host_ahead_us

    def frame(self, track: Track) -> None:
        frame = EncodedFrame(CODEC[track], self.ticks(track), b"x", key=True, arrival_us=self.arrival_us(track))
        said_us = self.timeline.to_utc_us(frame)
        media_us = (frame.rtp_time - self.origin[track]) * 1e6 / CODEC[track].clock_rate
        self.sent[track].append(Sent(self.now_us, said_us, media_us))

    def report(self, track: Track) -> None:
        ntp_us = self.now_us + self.ntp_ahead_us
        self.timeline.sender_report(track, self.ticks(track), ntp_us, self.arrival_us(track))

    def share(self, seconds: float, *, every_us: int = 40_000, reports: bool = True) -> None:
        """Send both tracks; audio reports every 5 s, video every second."""
        end_us = self.now_us + int(seconds * SECOND)
        while self.now_us < end_us:
            for track in (Track.VIDEO, Track.AUDIO):
                self.frame(track)
                period_us = SECOND if track is Track.VIDEO else 5 * SECOND
                if reports and (self.now_us - START) % period_us < every_us:
                    self.report(track)
            self.now_us += every_us

    def error_us(self, track: Track) -> int:
        """Return how far the timeline is behind the truth at the last frame."""
        return self.sent[track][-1].said_us - self.sent[track][-1].truth_us

    def apart_us(self) -> int:
        """Return how far audio is behind video."""
        return self.error_us(Track.AUDIO) - self.error_us(Track.VIDEO)


def nothing_steps(sharer: Sharer) -> None:
    for frames in sharer.sent.values():
        for before, after in pairwise(frames):
            media_us = after.media_us - before.media_us
            assert after.said_us >= before.said_us
            assert abs(after.said_us - before.said_us - media_us) <= 0.02 * media_us + 2


def test_the_first_frame_is_as_old_as_its_arrival() -> None:
    sharer = Sharer(transit_us={Track.VIDEO: 30_000})
    sharer.frame(Track.VIDEO)
    assert sharer.sent[Track.VIDEO][0].said_us == START + 30_000


def test_without_reports_arrival_rules() -> None:
    sharer = Sharer(transit_us={Track.VIDEO: 60_000, Track.AUDIO: 20_000})
    sharer.share(30, reports=False)
    assert abs(sharer.error_us(Track.VIDEO) - 60_000) < 1_000
    assert abs(sharer.error_us(Track.AUDIO) - 20_000) < 1_000
    nothing_steps(sharer)


def test_a_first_frame_that_was_late_is_corrected_slowly() -> None:
    sharer = Sharer(transit_us={Track.VIDEO: 300_000})
    sharer.frame(Track.VIDEO)
    sharer.transit_us = {}
    sharer.now_us += 40_000
    sharer.share(40)
    assert abs(sharer.error_us(Track.VIDEO)) < 2_000
    nothing_steps(sharer)


def test_reports_of_both_tracks_bring_them_in_step_and_keep_their_mean() -> None:
    sharer = Sharer(transit_us={Track.VIDEO: 90_000, Track.AUDIO: 10_000})
    sharer.share(40)
    assert abs(sharer.apart_us()) < 1_000
    assert abs(sharer.error_us(Track.VIDEO) - 50_000) < 2_000
    nothing_steps(sharer)


def test_reports_of_one_track_change_nothing() -> None:
    sharer = Sharer(transit_us={Track.VIDEO: 90_000, Track.AUDIO: 10_000})
    for _ in range(30):
        sharer.report(Track.VIDEO)
        sharer.share(1, reports=False)
    assert abs(sharer.apart_us() + 80_000) < 1_000


def test_reports_may_come_before_the_frames() -> None:
    sharer = Sharer(transit_us={Track.VIDEO: 90_000})
    sharer.report(Track.VIDEO)
    sharer.report(Track.AUDIO)
    sharer.share(30, reports=False)
    sharer.report(Track.AUDIO)
    sharer.report(Track.VIDEO)
    sharer.share(20, reports=False)
    assert abs(sharer.apart_us()) < 1_000


@pytest.mark.parametrize("skew_us", [9 * SECOND, 1_300_000, -1_300_000])
def test_reports_that_cannot_be_are_ignored(skew_us: int) -> None:
    sharer = Sharer()
    sharer.share(5, reports=False)
    sharer.timeline.sender_report(Track.VIDEO, sharer.ticks(Track.VIDEO), 0, sharer.now_us)
    sharer.timeline.sender_report(Track.AUDIO, sharer.ticks(Track.AUDIO), skew_us, sharer.now_us)
    sharer.share(20, reports=False)
    assert abs(sharer.apart_us()) < 1_000


def test_old_reports_lose_their_say() -> None:
    sharer = Sharer(transit_us={Track.VIDEO: 90_000})
    sharer.share(30)
    assert abs(sharer.apart_us()) < 1_000
    sharer.share(90, reports=False)
    assert abs(sharer.apart_us() + 90_000) < 1_000
    nothing_steps(sharer)


@pytest.mark.parametrize("ppm", [(200, -200), (-200, 200), (200, 200), (-200, -200), (0, 150)])
def test_drift_is_followed_for_hours(ppm: tuple[int, int]) -> None:
    sharer = Sharer(drift={Track.VIDEO: ppm[0], Track.AUDIO: ppm[1]}, jitter_us=3_000)
    sharer.share(3 * 3600, every_us=500_000)
    assert abs(sharer.error_us(Track.VIDEO)) < 15_000
    assert abs(sharer.apart_us()) < 5_000
    nothing_steps(sharer)


sharers = st.builds(
    Sharer,
    drift=st.fixed_dictionaries(dict.fromkeys(Track, st.floats(-200, 200))),
    transit_us=st.fixed_dictionaries(dict.fromkeys(Track, st.integers(0, 200_000))),
    jitter_us=st.integers(0, 40_000),
    seed=st.integers(0, 2**32),
)


@settings(deadline=None, max_examples=40)
@given(sharers)
def test_audio_and_video_end_up_in_step_whatever_the_network(sharer: Sharer) -> None:
    sharer.share(75, every_us=100_000)
    assert abs(sharer.apart_us()) < 6_000
    mean_us = sum(sharer.transit_us.values()) // 2
    assert -15_000 < sharer.error_us(Track.VIDEO) - mean_us < 15_000 + sharer.jitter_us
    nothing_steps(sharer)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(Track),
            st.integers(0, 5 * SECOND),
            st.integers(-2 * HOUR, 2 * HOUR) | st.integers(-50_000, 50_000),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_nothing_steps_whatever_the_clocks_do(events: list[tuple[Track, int, int, bool]]) -> None:
    sharer = Sharer()
    for track, passed_us, set_us, senders in events:
        sharer.now_us += passed_us
        sharer.frame(track)
        sharer.report(track)
        if senders:
            sharer.ntp_ahead_us += set_us
        else:
            sharer.host_ahead_us += set_us
    nothing_steps(sharer)


@pytest.mark.parametrize("step_us", [HOUR, -HOUR, 8 * SECOND, -8 * SECOND])
def test_a_host_clock_that_is_set_far_is_not_followed(step_us: int) -> None:
    sharer = Sharer(transit_us={Track.VIDEO: 40_000})
    sharer.share(40)
    sharer.host_ahead_us = step_us
    sharer.share(120)
    assert abs(sharer.timeline.stepped_us - step_us) < 50_000
    assert abs(sharer.error_us(Track.VIDEO) - 20_000) < 60_000
    assert abs(sharer.apart_us()) < 1_000
    nothing_steps(sharer)


@pytest.mark.parametrize("seconds", [20, 60, 300])
def test_what_waited_while_we_stood_still_keeps_its_time(seconds: int) -> None:
    sharer = Sharer(transit_us={Track.VIDEO: 40_000})
    sharer.share(40)
    read_us = sharer.now_us + seconds * SECOND
    for _ in range(seconds * 25):  # all of it is read at once, within a second
        sharer.host_ahead_us = read_us - sharer.now_us
        sharer.share(0.04)
        read_us += SECOND // (seconds * 25)
    sharer.host_ahead_us = 0
    sharer.share(60)
    assert sharer.timeline.stepped_us == 0
    for frames in sharer.sent.values():
        assert max(abs(frame.said_us - frame.truth_us) for frame in frames) < 300_000
    nothing_steps(sharer)


@pytest.mark.parametrize("step_us", [2 * SECOND, -2 * SECOND])
def test_a_host_clock_that_is_set_a_little_is_followed_slowly(step_us: int) -> None:
    sharer = Sharer()
    sharer.share(40)
    sharer.host_ahead_us = step_us
    sharer.share(180)
    assert abs(sharer.error_us(Track.VIDEO) - step_us) < 2_000
    assert abs(sharer.apart_us()) < 1_000
    nothing_steps(sharer)


@pytest.mark.parametrize("step_us", [HOUR, -HOUR, 300_000, -300_000])
def test_a_senders_clock_that_is_set_changes_nothing(step_us: int) -> None:
    sharer = Sharer(transit_us={Track.VIDEO: 40_000})
    sharer.share(42)
    sharer.ntp_ahead_us += step_us
    for _ in range(30):
        sharer.share(2)
        assert abs(sharer.apart_us()) < 2_000
    assert abs(sharer.error_us(Track.VIDEO) - 20_000) < 2_000


def test_a_restarted_track_keeps_its_time_and_finds_its_step_again() -> None:
    sharer = Sharer(transit_us={Track.VIDEO: 40_000})
    sharer.share(40)
    sharer.timeline.restarted(Track.AUDIO)
    sharer.origin[Track.AUDIO] += 48 * 25  # rebased by an arrival that was 25 ms late
    sharer.sent[Track.AUDIO].clear()
    sharer.share(0.2)
    assert abs(sharer.apart_us()) < 30_000
    sharer.share(30)
    assert abs(sharer.apart_us()) < 1_000
    nothing_steps(sharer)


def test_time_that_goes_back_is_held() -> None:
    timeline = Timeline()
    frames = [EncodedFrame(Codec.VP8, ticks, b"", key=True, arrival_us=START) for ticks in (9000, 3000, 9090)]
    assert [timeline.to_utc_us(frame) for frame in frames] == [START, START, START + 1000]


def test_the_minimum_slides() -> None:
    least = SlidingMinimum()
    for second in range(100):
        least.add(float(second), second * 1e6)
        assert max(0, second - 34) <= least.value <= max(0, second - 25)
    least.add(-5.0, 100e6)
    assert least.value == -5.0
    least.add(7.0, 1000e6)
    assert least.value == 7.0


@given(st.lists(st.tuples(st.integers(0, 20_000_000), st.floats(-1e9, 1e9)), min_size=1, max_size=80))
def test_the_minimum_is_of_something_recent(values: list[tuple[int, float]]) -> None:
    least = SlidingMinimum()
    seen: list[tuple[int, float]] = []
    at_us = 0
    for passed_us, value in values:
        at_us += passed_us
        seen.append((at_us, value))
        least.add(value, float(at_us))
        assert least.value <= min(v for t, v in seen if at_us - t < 25_000_000)
        assert least.value >= min(v for t, v in seen if at_us - t <= 35_000_000)
