"""What happens to packets that come late, twice, changed or never."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from tests.support.publisher import OPUS, Listener, Publisher

from lookback.media.rtcp import Nack, PictureLoss, ReceiverReport
from lookback.media.samples import Codec

VIDEO_CODECS = pytest.mark.parametrize("codec", [Codec.H264, Codec.VP8])


@VIDEO_CODECS
def test_frames_come_out_as_they_were_sent(codec: Codec) -> None:
    video = Publisher(codec)
    listener = Listener(video=video)
    for number in range(400):
        listener.hear(video.picture(key=number % 60 == 0))
    assert listener.numbers() == list(range(400))
    assert [frame.key for frame in listener.frames] == [number % 60 == 0 for number in range(400)]
    assert not any(frame.reference_lost or frame.discontinuity for frame in listener.frames)
    assert listener.stats.video.packets == 3 * 400 + (7 if codec is Codec.H264 else 0)


def test_times_grow_over_the_wrap_of_the_timestamp() -> None:
    video = Publisher(timestamp=2**32 - 50_000)
    listener = Listener(video=video)
    listener.hear(*(video.picture(key=True) for _ in range(40)))
    times = [frame.rtp_time for frame in listener.frames]
    assert {later - earlier for earlier, later in pairwise(times)} == {2999}
    assert times[-1] > 2**32


@VIDEO_CODECS
def test_reordered_and_repeated_packets_are_put_right(codec: Codec) -> None:
    video = Publisher(codec)
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    first, second, third = video.picture()
    listener.hear(third, first, first, third, second, second)
    assert listener.numbers() == [0, 1]
    assert listener.stats.video.late == 3
    assert listener.stats.video.lost == 0


def test_a_missing_packet_is_asked_for_and_its_frame_waits() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    first, missing, last = video.picture()
    listener.hear(first, last, video.picture())
    assert listener.receiver.repairing(video.codec.track)
    listener.wait(40_000)
    assert [nack.sequences for nack in listener.requests(Nack)] == [(int.from_bytes(missing[2:4], "big"),)]
    assert listener.numbers() == [0]
    listener.hear(video.again(missing))
    assert listener.numbers() == [0, 1, 2]
    assert not any(frame.discontinuity or frame.reference_lost for frame in listener.frames)
    assert listener.stats.video.retransmissions == 1
    assert not listener.receiver.repairing(video.codec.track)


def test_a_packet_sent_again_on_the_media_stream_repairs_too() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    first, missing, last = video.picture()
    listener.hear(first, last, missing)
    assert listener.numbers() == [0, 1]


def test_a_packet_is_asked_for_every_105_ms_until_it_is_given_up() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    listener.hear(video.picture()[1:])
    asked_us = []
    for _ in range(50):
        before = len(listener.requests(Nack))
        listener.wait(20_000)
        if len(listener.requests(Nack)) > before:
            asked_us.append(listener.now_us)
    assert len(asked_us) in {8, 9}
    assert all(later - earlier >= 105_000 for earlier, later in pairwise(asked_us))


@VIDEO_CODECS
def test_what_stays_lost_flags_the_frames_until_the_next_key_frame(codec: Codec) -> None:
    video = Publisher(codec)
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    listener.hear(video.picture()[::2], video.picture(), video.picture())
    listener.wait(900_000)
    assert listener.numbers() == [0]
    listener.wait(200_000)
    listener.hear(video.picture(key=True), video.picture())
    assert listener.numbers() == [0, 2, 3, 4, 5]
    assert [frame.reference_lost for frame in listener.frames] == [False, True, True, False, False]
    assert [frame.discontinuity for frame in listener.frames] == [False, True, False, False, False]
    stats = listener.stats.video
    assert (stats.lost, stats.dropped_frames, stats.reference_lost) == (1, 1, 2)


def test_nothing_comes_before_the_first_key_frame() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture()[1:], video.picture(), video.picture(key=True), video.picture())
    assert listener.numbers() == [2, 3]
    assert not any(frame.discontinuity or frame.reference_lost for frame in listener.frames)
    assert listener.stats.video.dropped_frames == 2


def test_audio_is_given_up_after_200_ms() -> None:
    audio = Publisher(Codec.OPUS)
    listener = Listener(audio=audio)
    listener.hear(audio.sound())
    audio.sound()
    late = audio.sound()
    listener.hear(audio.sound(), audio.sound())
    listener.wait(180_000)
    assert len(listener.frames) == 1
    listener.wait(40_000)
    assert [frame.data[-1] for frame in listener.frames] == [0, 3, 4]
    assert [frame.discontinuity for frame in listener.frames] == [False, True, False]
    assert len(listener.requests(Nack)) == 2
    assert listener.requests(PictureLoss) == []
    listener.hear(late)
    assert (listener.stats.audio.lost, listener.stats.audio.late) == (2, 1)


def test_audio_is_not_asked_for_where_nobody_answers() -> None:
    audio = Publisher(Codec.OPUS)
    listener = Listener(audio=audio, nack_audio=False)
    listener.hear(audio.sound())
    audio.sound()
    listener.hear(audio.sound())
    listener.wait(300_000)
    assert listener.requests(Nack) == []
    assert len(listener.frames) == 2


def test_padding_and_foreign_payload_types_only_count() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True), video.pack(b"", padding=200))
    listener.hear(video.pack(b"comfort", payload_type=13), video.pack(OPUS, payload_type=111), video.picture())
    assert listener.numbers() == [0, 1]
    assert not listener.frames[1].reference_lost
    assert (listener.stats.video.padding, listener.stats.video.ignored) == (1, 2)


def test_malformed_audio_is_dropped() -> None:
    audio = Publisher(Codec.OPUS)
    listener = Listener(audio=audio)
    listener.hear(audio.sound(), audio.pack(b"\xff"), audio.sound())
    assert [frame.data[-1] for frame in listener.frames] == [0, 1]
    assert listener.frames[1].discontinuity
    assert (listener.stats.audio.malformed, listener.stats.audio.dropped_frames) == (1, 1)


def test_retransmissions_nobody_needs_are_ignored() -> None:
    video = Publisher()
    listener = Listener(video=video)
    packets = video.picture(key=True)
    listener.hear(video.again(packets[0]), packets)
    short = video.again(packets[0])[:13]
    probe = b"\xa0" + video.again(packets[0])[1:12] + b"\x04" * 4
    foreign = bytes((0x80, 101)) + video.again(packets[0])[2:]
    listener.hear(video.again(packets[1]), short, probe, foreign)
    assert listener.numbers() == [0]
    stats = listener.stats.video
    assert (stats.late, stats.malformed, stats.padding, stats.ignored, stats.retransmissions) == (2, 1, 1, 1, 0)


@pytest.mark.parametrize("to", [40_000, 65_500, 32_000, 0])
def test_a_sender_that_numbers_anew_is_followed(to: int) -> None:
    video = Publisher(sequence=10_000)
    listener = Listener(video=video)
    listener.hear(video.picture(key=True), video.picture())
    listener.wait(33_000)
    video.sequence, video.timestamp = to, 123
    listener.hear(video.picture(key=True), video.picture())
    assert listener.numbers() == [0, 1, 2, 3]
    assert [frame.discontinuity for frame in listener.frames] == [False, False, True, False]
    assert 0 < listener.frames[2].rtp_time - listener.frames[1].rtp_time < 9000
    assert listener.restarts == [video.codec.track]
    assert listener.stats.video.restarts == 1
    listener.wait(1_100_000)
    block = listener.requests(ReceiverReport)[-1].blocks[0]
    assert (block.packets_lost, block.fraction_lost, block.highest_sequence) == (0, 0, to + 6)


def test_a_single_stray_packet_is_no_restart() -> None:
    video = Publisher(sequence=10_000)
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    stray = Publisher(sequence=50_000).pack(b"stray")
    listener.hear(stray, video.picture(), stray, video.picture())
    assert listener.numbers() == [0, 1, 2]
    assert listener.restarts == []


def test_a_hole_too_wide_to_repair_is_given_up_at_once() -> None:
    video = Publisher(sequence=1000)
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    video.sequence += 5000
    listener.hear(video.picture(), video.picture(key=True))
    assert listener.numbers() == [0, 1, 2]
    assert listener.frames[1].reference_lost
    assert listener.stats.video.lost == 5000
    listener.wait(300_000)
    assert listener.requests(Nack) == []


def test_what_was_missed_during_a_silence_is_not_asked_for() -> None:
    """A server that keeps it would send it late, and the clock would seem to have stood still until then."""
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    for _ in range(150):
        video.picture()  # 5 s that nobody hears
    listener.wait(5_000_000)
    listener.hear(video.picture())
    listener.wait(100_000)
    assert listener.requests(Nack) == []
    assert len(listener.requests(PictureLoss)) >= 1
    listener.hear(video.picture(key=True))
    behind_us = [frame.arrival_us - frame.rtp_time * 1_000_000 // 90_000 for frame in listener.frames]
    assert max(behind_us) - min(behind_us) < 200_000
    assert not listener.frames[-1].reference_lost


def test_packets_that_change_places_after_a_silence_are_put_right() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    listener.wait(5_000_000)
    first, second, last = video.picture()
    listener.hear(second, last)
    listener.wait(20_000)
    listener.hear(first)
    assert listener.numbers() == [0, 1]
    assert listener.stats.video.lost == 0


def test_memory_stays_bounded_when_one_packet_never_comes() -> None:
    video = Publisher(sequence=1000)
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    video.picture(packets=1)
    for _ in range(9000):
        listener.hear(video.picture(packets=1))
    assert len(listener.frames) > 8000


def test_flush_hands_on_what_waits() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    video.picture()
    listener.hear(video.picture(), video.picture())
    listener.receiver.flush(listener.now_us)
    assert listener.numbers() == [0, 2, 3]


@VIDEO_CODECS
@pytest.mark.parametrize("loss", [0.02, 0.1])
def test_loss_is_repaired_by_asking(codec: Codec, loss: float) -> None:
    """Every frame comes out in order."""
    dice = random.Random(codec + str(loss))
    video = Publisher(codec)
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    history: dict[int, bytes] = {}
    for number in range(1, 340):
        for packet in video.picture(key=number % 60 == 0, packets=8) if number < 300 else []:
            history[int.from_bytes(packet[2:4], "big")] = packet
            if dice.random() >= loss:
                listener.hear(packet)
        listener.sent.clear()
        listener.wait(33_333)
        for nack in listener.requests(Nack):
            listener.hear(video.again(history[n]) for n in nack.sequences if dice.random() >= loss)
    assert listener.stats.video.lost == 0
    assert listener.stats.video.retransmissions > 300 * 8 * loss / 2
    assert listener.numbers() == list(range(300))
    assert not any(frame.reference_lost for frame in listener.frames)


@VIDEO_CODECS
def test_the_first_packets_may_have_changed_places(codec: Codec) -> None:
    video = Publisher(codec, sequence=65_534)
    listener = Listener(video=video)
    first, second, *rest = video.picture(key=True)
    listener.hear(second, first, rest, video.picture())
    assert listener.numbers() == [0, 1]
    assert listener.stats.video.late == 0


def test_a_stream_joined_inside_a_frame_begins_with_the_next_tick() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture()[:0:-1])
    assert listener.stats.video.dropped_frames == 0
    listener.wait(20_000)
    assert listener.stats.video.dropped_frames == 1
    listener.hear(video.picture(key=True))
    assert listener.numbers() == [1]
    assert listener.stats.video.lost == 0
