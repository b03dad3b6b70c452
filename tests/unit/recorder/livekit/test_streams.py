"""Packets of several sessions over one transport."""

from __future__ import annotations

from lookback.media import rtcp
from lookback.media.receiver import Receiver
from lookback.media.samples import EncodedFrame, Track
from lookback.recorder.livekit.offer import PAYLOADS, RTX
from lookback.recorder.livekit.streams import Streams

OPUS_SILENCE = b"\xf8\xff\xfe"
NOW_US = 1_795_384_759_000_000


class Session:
    """A receiver and what came out of it."""

    def __init__(self) -> None:
        self.frames: list[EncodedFrame] = []
        self.receiver = Receiver(
            PAYLOADS,
            RTX,
            on_frame=self.frames.append,
            send_rtcp=lambda _packet: None,
            our_ssrc=1,
            nack_audio=False,
            sfu=True,
        )


def sound(ssrc: int, number: int) -> bytes:
    head = bytes((0x80, 111)) + number.to_bytes(2, "big") + (number * 960).to_bytes(4, "big")
    return head + ssrc.to_bytes(4, "big") + OPUS_SILENCE


def test_each_session_gets_its_own() -> None:
    streams, one, other = Streams(), Session(), Session()
    for session, ssrc in ((one, 10), (other, 20)):
        session.receiver.declare(Track.AUDIO, ssrc)
        streams.bind(session.receiver, ssrc)
    for number in range(5):
        streams.packet(sound(10, number), NOW_US + number)
        if number % 2:
            streams.packet(sound(20, number // 2), NOW_US + number)
    assert (len(one.frames), len(other.frames)) == (5, 2)


def test_packets_that_come_before_their_name_are_kept() -> None:
    streams, session = Streams(), Session()
    for number in range(3):
        streams.packet(sound(10, number), NOW_US + number)
        streams.packet(sound(99, number), NOW_US + number)
    session.receiver.declare(Track.AUDIO, 10)
    streams.bind(session.receiver, 10)
    assert [frame.arrival_us for frame in session.frames] == [NOW_US, NOW_US + 1, NOW_US + 2]
    later = Session()
    later.receiver.declare(Track.AUDIO, 99)
    streams.bind(later.receiver, 99)
    assert len(later.frames) == 3


def test_no_more_than_some_are_kept() -> None:
    streams, session = Streams(), Session()
    for number in range(2_000):
        streams.packet(sound(10, number), NOW_US)
    session.receiver.declare(Track.AUDIO, 10)
    streams.bind(session.receiver, 10)
    assert len(session.frames) == 500


def test_whoever_has_left_gets_nothing() -> None:
    streams, session = Streams(), Session()
    session.receiver.declare(Track.AUDIO, 10)
    streams.bind(session.receiver, 10)
    streams.packet(sound(10, 0), NOW_US)
    streams.unbind(session.receiver)
    streams.packet(sound(10, 1), NOW_US)
    assert len(session.frames) == 1


def test_a_report_is_a_sign_of_life_of_those_it_is_about() -> None:
    streams, one, other = Streams(), Session(), Session()
    for session, ssrc in ((one, 10), (other, 20)):
        session.receiver.declare(Track.AUDIO, ssrc)
        streams.bind(session.receiver, ssrc)
    streams.packet(rtcp.SenderReport(10, 1 << 32, 0).pack(), NOW_US)
    assert one.receiver.stats.last_packet_us == NOW_US
    assert other.receiver.stats.last_packet_us is None
    both = rtcp.SenderReport(10, 1 << 32, 0).pack() + rtcp.SenderReport(20, 1 << 32, 0).pack()
    streams.packet(both, NOW_US + 1)
    assert {s.receiver.stats.last_packet_us for s in (one, other)} == {NOW_US + 1}


def test_a_goodbye_reaches_its_track_and_nonsense_nobody() -> None:
    streams, session = Streams(), Session()
    session.receiver.declare(Track.AUDIO, 10)
    streams.bind(session.receiver, 10)
    streams.packet(b"\x81\xc8\xff\xff" + bytes(8), NOW_US)
    assert session.receiver.stats.last_packet_us is None
    streams.packet(rtcp.Goodbye((10,)).pack(), NOW_US)
    assert session.receiver.stats.last_packet_us == NOW_US
