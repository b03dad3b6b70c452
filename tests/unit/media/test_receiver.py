"""Two tracks on one transport: who is who, and what is said to the other end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.publisher import START_US, Listener, Publisher

from lookback.media.rtcp import Goodbye, PictureLoss, ReceiverReport
from lookback.media.samples import Codec, Track


def test_both_tracks_are_told_apart_by_their_sources() -> None:
    video, audio = Publisher(), Publisher(Codec.OPUS, ssrc=2000)
    listener = Listener(video=video, audio=audio)
    for _ in range(5):
        listener.hear(video.picture(key=True), audio.sound())
    assert listener.stats.video.frames == listener.stats.audio.frames == 5
    assert listener.stats.last_packet_us == START_US


def test_sources_that_nobody_declared_are_learnt_by_payload_type() -> None:
    video, audio = Publisher(Codec.VP8), Publisher(Codec.OPUS, ssrc=2000)
    listener = Listener()
    lost, *rest = video.picture(key=True)
    listener.hear(rest[0], audio.sound())
    listener.hear(rest[1:], video.picture(key=True))
    assert listener.numbers() == [1]
    missing = video.picture()
    listener.hear(missing[0], missing[2], video.again(missing[1]), lost)
    assert listener.numbers() == [1, 2]
    assert listener.stats.audio.frames == 1


def test_what_belongs_to_nobody_is_ignored() -> None:
    listener = Listener()
    video = Publisher(ssrc=3000)
    listener.hear(video.pack(b"x", payload_type=13), video.again(video.pack(b"x")))
    assert listener.stats.ignored == 1
    assert listener.frames == []


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\x60", b"\x80\x60" + bytes(9), b"\x00\x60" + bytes(20)])
def test_what_is_no_packet_counts_as_malformed(data: bytes) -> None:
    listener = Listener(video=Publisher())
    listener.hear(data)
    assert listener.stats.malformed == 1


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_no_bytes_make_it_raise(packets: list[bytes]) -> None:
    listener = Listener(video=Publisher())
    listener.hear(*packets)
    listener.wait(1_200_000)


@settings(deadline=None)
@given(st.data())
def test_no_changed_packet_makes_it_raise(data: st.DataObject) -> None:
    codec = data.draw(st.sampled_from([Codec.H264, Codec.VP8]))
    video, audio = Publisher(codec), Publisher(Codec.OPUS, ssrc=2000)
    listener = Listener(video=video, audio=audio)
    for number in range(6):
        packets = [*video.picture(key=number % 3 == 0), audio.sound(), video.report(START_US)]
        packets.append(video.again(packets[1]))
        for packet in packets:
            changed = bytearray(packet)
            if data.draw(st.integers(0, 2)) == 0:
                changed[data.draw(st.integers(0, 30)) % len(changed)] = data.draw(st.integers(0, 255))
            listener.hear(bytes(changed[: data.draw(st.sampled_from([len(changed), 5, 13, 20]))]))
        listener.wait(33_000)
    listener.wait(1_200_000)
    for track in (Track.VIDEO, Track.AUDIO):
        times = [frame.rtp_time for frame in listener.frames if frame.codec.track is track]
        assert len(times) <= 20


def test_a_new_source_takes_the_track_over() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True), video.picture())
    listener.wait(1_500_000)
    other = Publisher(ssrc=5000, sequence=3, timestamp=999)
    listener.hear(other.picture(key=True), video.picture(), other.picture())
    assert listener.numbers() == [0, 1, 0, 1]
    assert [frame.discontinuity for frame in listener.frames] == [False, False, True, False]
    assert listener.restarts == [Track.VIDEO]
    passed = listener.frames[2].rtp_time - listener.frames[1].rtp_time
    assert passed == 1_500_000 * 9 // 100
    assert listener.stats.video.ignored == 3


def test_a_new_source_needs_a_key_frame_and_asks_for_it() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    listener.wait(1_000_000)
    other = Publisher(ssrc=5000)
    listener.hear(other.picture())
    listener.wait(240_000)
    assert [frame.reference_lost for frame in listener.frames] == [False, True]
    assert [request.media_ssrc for request in listener.requests(PictureLoss)] == [5000]


def test_two_sources_at_once_do_not_take_turns() -> None:
    first, second = Publisher(), Publisher(ssrc=5000)
    listener = Listener()
    for _ in range(100):
        listener.hear(first.picture(key=True), second.picture(key=True))
        listener.wait(33_333)
    assert len(listener.restarts) == 1
    listener.wait(2_000_000)
    listener.hear(first.picture(key=True))
    assert len(listener.restarts) == 2


def test_after_a_goodbye_the_next_source_is_taken_at_once() -> None:
    video, other = Publisher(), Publisher(ssrc=5000)
    listener = Listener()
    listener.hear(video.picture(key=True), other.picture(key=True))
    assert len(listener.frames) == 1
    listener.hear(Goodbye((video.ssrc, 12_345)).pack())
    assert listener.goodbyes == [video.ssrc]
    listener.hear(other.picture(key=True))
    assert len(listener.frames) == 2


def test_declaring_another_source_switches_at_once() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    held, missing = video.picture(), video.picture()
    listener.hear(missing, held[:1])
    other = Publisher(ssrc=5000)
    listener.receiver.declare(Track.VIDEO, other.ssrc, other.rtx_ssrc)
    listener.receiver.declare(Track.VIDEO, other.ssrc, other.rtx_ssrc)
    listener.hear(other.picture(key=True), video.picture(), video.again(missing[0]))
    assert listener.numbers() == [0, 2, 0]
    assert listener.frames[1].arrival_us == START_US


def test_many_sources_are_not_remembered_for_ever() -> None:
    listener = Listener()
    for ssrc in range(10, 2000, 10):
        video = Publisher(ssrc=ssrc)
        listener.receiver.declare(Track.VIDEO, ssrc, ssrc + 1)
        listener.hear(video.picture(key=True))
    assert len(listener.receiver._video._left) <= 32
    assert len(listener.receiver._routes) == 2


def test_behind_an_sfu_packets_wait_until_their_source_is_declared() -> None:
    video, stranger = Publisher(), Publisher(ssrc=9000)
    listener = Listener(sfu=True)
    listener.hear(stranger.picture(key=True), video.picture(key=True), video.picture())
    assert listener.frames == []
    listener.wait(100_000)
    listener.receiver.declare(Track.VIDEO, video.ssrc, video.rtx_ssrc)
    assert listener.numbers() == [0, 1]
    assert listener.frames[0].arrival_us == START_US
    packets = listener.stats.video.packets
    listener.receiver.declare(Track.VIDEO, stranger.ssrc)
    assert listener.stats.video.packets == packets + 4
    assert len(listener.frames) == 3


def test_packets_of_sources_that_nobody_declares_are_not_kept_for_ever() -> None:
    stranger = Publisher(ssrc=9000)
    listener = Listener(sfu=True)
    for _ in range(1000):
        listener.hear(stranger.picture())
    listener.receiver.declare(Track.VIDEO, stranger.ssrc)
    assert listener.stats.video.packets == 500


def test_sender_reports_relate_the_senders_clock_to_unwrapped_time() -> None:
    video = Publisher(timestamp=2**32 - 3000)
    listener = Listener(video=video)
    listener.hear(video.report(5_000_000))
    assert listener.reports == []
    listener.hear(video.picture(key=True), video.picture(), video.report(1_234_567_890))
    track, rtp_time, ntp_us, arrival_us = listener.reports[0]
    assert (track, rtp_time, arrival_us) == (Track.VIDEO, listener.frames[1].rtp_time, START_US)
    assert abs(ntp_us - 1_234_567_890) <= 1
    listener.hear(Publisher(ssrc=4).report(1), video.report(-2_208_988_800_000_000))
    assert len(listener.reports) == 1


def test_a_broken_compound_packet_is_used_as_far_as_it_goes() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True), video.report(1_000_000) + b"\x81\xc8\x00\x01")
    assert len(listener.reports) == 1
    assert listener.stats.malformed == 1


def test_reports_tell_loss_jitter_and_the_last_sender_report() -> None:
    video, audio = Publisher(sequence=65_530), Publisher(Codec.OPUS, ssrc=2000)
    listener = Listener(video=video, audio=audio)
    for number in range(30):
        packets = video.picture(key=number == 0)
        listener.hear(packets[1:] if number in {3, 6, 9} else packets, audio.sound(after_us=33_000))
        listener.wait(33_333)
        if number == 15:
            listener.hear(video.report(START_US))
    listener.wait(100_000)
    report = listener.requests(ReceiverReport)[0]
    first, second = report.blocks
    assert (first.ssrc, second.ssrc) == (video.ssrc, audio.ssrc)
    assert first.packets_lost == 3
    assert first.fraction_lost == 256 * 3 // 91
    assert first.highest_sequence == 65_530 + 90
    assert first.jitter < 60
    assert 0.4 < first.delay / 65_536 < 0.6
    assert second.last_report == 0


def test_nothing_is_reported_before_anything_came() -> None:
    listener = Listener(video=Publisher())
    listener.wait(3_000_000)
    assert listener.sent == []


def test_a_key_frame_can_be_asked_for() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    listener.wait(300_000)
    listener.receiver.request_key_frame(listener.now_us)
    assert listener.stats.video.key_frame_requests == 1
    assert listener.requests(PictureLoss) == [PictureLoss(77, video.ssrc)]


@pytest.mark.parametrize("step_us", [3_600_000_000, -3_600_000_000, 10_000_000, -50_000])
def test_steps_of_the_hosts_clock_change_nothing(step_us: int) -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True), video.picture())
    listener.wait(33_333)
    listener.now_us += step_us
    first, missing, last = video.picture()
    listener.hear(first, last)
    listener.wait(40_000)
    assert listener.stats.video.nacks_sent == 1
    listener.hear(video.again(missing), video.picture())
    assert listener.numbers() == [0, 1, 2, 3]
    assert listener.restarts == []
    listener.wait(1_000_000)
    assert len(listener.requests(ReceiverReport)) == 1


def test_a_senders_clock_that_jumps_is_a_restart() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True), video.picture())
    listener.wait(33_333)
    video.timestamp += 90_000 * 600
    listener.hear(video.picture(), video.picture(key=True))
    assert [frame.reference_lost for frame in listener.frames] == [False, False, True, False]
    assert listener.restarts == [Track.VIDEO]
    assert listener.frames[2].rtp_time - listener.frames[1].rtp_time == 33_333 * 9 // 100
