"""Whatever a network does to packets, no frame is handed on as decodable that is not."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.publisher import Listener, Publisher, number_of

from lookback.media.rtcp import Nack, PictureLoss
from lookback.media.samples import Codec, EncodedFrame, Track

STEP_US = 5_000


@dataclass(frozen=True)
class Network:
    """Chances per packet; delays in steps of 5 ms. `outage` starts at a step and takes everything for its length."""

    loss: float
    repeated: float
    delay: int
    jitter: int
    outage: tuple[int, int]
    answers: bool
    markers: bool
    seed: int


networks = st.builds(
    Network,
    loss=st.sampled_from([0.0, 0.01, 0.1, 0.4]),
    repeated=st.sampled_from([0.0, 0.1]),
    delay=st.integers(0, 20),
    jitter=st.sampled_from([0, 1, 10]),
    outage=st.tuples(st.integers(0, 500), st.sampled_from([0, 0, 40, 300])),
    answers=st.booleans(),
    markers=st.booleans(),
    seed=st.integers(0, 2**32),
)


class Wire:
    """Carries packets both ways, a step of time at a go, between a publisher that answers and a listener."""

    def __init__(self, network: Network, codec: Codec) -> None:
        self.network = network
        self.dice = random.Random(network.seed)
        self.video = Publisher(codec)
        self.listener = Listener(video=self.video)
        self.arrivals: dict[int, list[bytes]] = {}
        self.history: dict[int, bytes] = {}
        self.keys: set[int] = set()
        self.answered = 0
        self.step = 0

    def carry(self, packet: bytes) -> None:
        start, length = self.network.outage
        if self.dice.random() < self.network.loss or start <= self.step < start + length:
            return
        for _ in range(1 + (self.dice.random() < self.network.repeated)):
            at = self.step + 1 + self.network.delay + self.dice.randint(0, self.network.jitter)
            self.arrivals.setdefault(at, []).append(packet)

    def publish(self, *, key: bool) -> None:
        if key:
            self.keys.add(self.video.count)
        for packet in self.video.picture(key=key, packets=self.dice.randint(1, 6), marker=self.network.markers):
            self.history[int.from_bytes(packet[2:4], "big")] = packet
            self.carry(packet)

    def advance(self) -> None:
        self.step += 1
        self.listener.now_us += STEP_US
        self.listener.hear(*self.arrivals.pop(self.step, []))
        if self.step % 4 == 0:
            self.listener.receiver.tick(self.listener.now_us)
        for nack in self.listener.requests(Nack):
            for sequence in nack.sequences if self.network.answers else ():
                self.carry(self.video.again(self.history[sequence]))
        self.answered += len(self.listener.requests(PictureLoss))
        self.listener.sent.clear()


def run(network: Network, codec: Codec) -> Wire:
    """Publish 4 s, with key frames when asked for, then let what is under way arrive."""
    wire = Wire(network, codec)
    answered = 0
    for step in range(800):
        if step % 7 == 0:
            wire.publish(key=step == 0 or wire.answered > answered)
            answered = wire.answered
        wire.advance()
    for _ in range(260):
        wire.advance()
    wire.listener.receiver.flush(wire.listener.now_us)
    return wire


def decodable(frames: list[EncodedFrame], keys: set[int]) -> set[int]:
    """Return the numbers of the frames that a decoder can show, given what came out."""
    shown: set[int] = set()
    for frame in frames:
        number = number_of(frame)
        if number in keys or number - 1 in shown:
            shown.add(number)
    return shown


@settings(deadline=None, max_examples=60)
@given(networks, st.sampled_from([Codec.H264, Codec.VP8]))
def test_flags_tell_exactly_what_can_be_decoded(network: Network, codec: Codec) -> None:
    wire = run(network, codec)
    frames = wire.listener.frames
    shown = decodable(frames, wire.keys)
    numbers = [number_of(frame) for frame in frames]
    assert numbers == sorted(set(numbers))
    assert {number_of(frame) for frame in frames if frame.key} <= wire.keys
    assert {number_of(frame) for frame in frames if not frame.reference_lost} == shown
    assert all(frame.rtp_time < later.rtp_time for frame, later in pairwise(frames))
    for before, after in pairwise(frames):
        assert after.discontinuity == (number_of(after) != number_of(before) + 1)


@settings(deadline=None, max_examples=60)
@given(networks, st.sampled_from([Codec.H264, Codec.VP8]))
def test_nothing_is_held_back_for_ever_and_requests_stay_rare(network: Network, codec: Codec) -> None:
    wire = run(network, codec)
    assert not wire.listener.receiver.repairing(Track.VIDEO)
    stats = wire.listener.stats.video
    assert wire.answered <= 12
    assert stats.nacks_sent <= 9 * (wire.video.sequence - 65_000)
    if network.loss == 0 and network.outage[1] == 0 and network.jitter <= 1:
        assert len(wire.listener.frames) >= wire.video.count - 2
        assert stats.lost == 0
