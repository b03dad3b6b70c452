"""Which frames come out of payloads, whole or damaged."""

from __future__ import annotations

import pytest
from tests.support.publisher import PPS, SPS, Listener, Publisher

from lookback.media import frames, h264
from lookback.media.samples import Codec

VIDEO_CODECS = pytest.mark.parametrize("codec", [Codec.H264, Codec.VP8])


@VIDEO_CODECS
def test_a_frame_without_a_marker_ends_where_the_next_begins(codec: Codec) -> None:
    video = Publisher(codec)
    listener = Listener(video=video)
    listener.hear(video.picture(key=True, marker=False), video.picture(marker=False))
    assert listener.numbers() == [0]
    listener.hear(video.picture())
    assert listener.numbers() == [0, 1, 2]
    assert not any(frame.reference_lost for frame in listener.frames)


def test_a_vp8_picture_that_comes_after_newer_ones_is_dropped_and_harms_none() -> None:
    video = Publisher(Codec.VP8)
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    late_us = video.timestamp + 6000
    video.timestamp += 12_000
    listener.hear(video.picture(key=True), video.picture())
    newest_us, video.timestamp = video.timestamp, late_us
    listener.hear(video.picture())
    video.timestamp = newest_us
    listener.hear(video.picture())
    times = [frame.rtp_time for frame in listener.frames]
    assert listener.numbers() == [0, 1, 2, 4]
    assert times == sorted(times)
    assert not any(frame.reference_lost for frame in listener.frames)


def test_a_frame_arrives_with_its_first_packet() -> None:
    video = Publisher()
    listener = Listener(video=video)
    first_us = listener.now_us
    for packet in video.picture(key=True):
        listener.hear(packet)
        listener.wait(10_000)
    assert listener.frames[0].arrival_us == first_us


def test_h264_frames_keep_their_parameter_sets_and_lengths() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True), video.picture())
    assert h264.parameter_sets(listener.frames[0].data) == (SPS, PPS)
    assert h264.parameter_sets(listener.frames[1].data) == (None, None)


def test_parameter_sets_with_a_marker_of_their_own_join_the_picture_after_them() -> None:
    video = Publisher()
    listener = Listener(video=video)
    sets, *picture = video.picture(key=True)
    listener.hear(bytes((sets[0], sets[1] | 0x80)) + sets[2:], picture)
    assert len(listener.frames) == 1
    assert h264.parameter_sets(listener.frames[0].data) == (SPS, PPS)
    assert listener.frames[0].key


def test_parameter_sets_without_pictures_do_not_pile_up() -> None:
    video = Publisher()
    listener = Listener(video=video)
    for _ in range(1000):
        video.timestamp += 3000
        listener.hear(video.pack(SPS), video.pack(PPS, marker=True))
    listener.hear(video.picture(key=True))
    assert len(listener.frames[0].data) < 6000


def test_a_window_resize_is_only_another_key_frame() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True), video.picture())
    smaller = bytes.fromhex("6742c00dda7e222210000003001000000303c8f142aa")
    sets, *picture = video.picture(key=True)
    listener.hear(sets.replace(len(SPS).to_bytes(2, "big") + SPS, len(smaller).to_bytes(2, "big") + smaller), picture)
    assert [h264.parse_sps(h264.parameter_sets(f.data)[0] or b"").width for f in listener.frames if f.key] == [640, 2]
    assert not any(frame.discontinuity for frame in listener.frames)


def test_another_codec_on_the_same_source_needs_a_key_frame() -> None:
    video = Publisher(Codec.H264)
    listener = Listener(video=video)
    listener.hear(video.picture(key=True), video.picture())
    video.codec = Codec.VP8
    listener.hear(video.picture(), video.picture(key=True), video.picture())
    assert [frame.codec for frame in listener.frames] == [Codec.H264] * 2 + [Codec.VP8] * 3
    assert [frame.reference_lost for frame in listener.frames] == [False, False, True, False, False]
    assert [frame.discontinuity for frame in listener.frames] == [False, False, True, False, False]


def test_a_frame_that_never_ends_is_dropped_with_its_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_LARGEST_FRAME", 5000)
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    video.timestamp += 3000
    listener.hear(*(video.pack(b"\x41" + bytes(1000)) for _ in range(50)), video.picture(), video.picture(key=True))
    assert listener.numbers() == [0, 1, 2]
    assert [frame.reference_lost for frame in listener.frames] == [False, True, False]
    assert listener.stats.video.dropped_frames == 1


@VIDEO_CODECS
def test_a_hole_over_a_frame_border_takes_both_frames(codec: Codec) -> None:
    video = Publisher(codec)
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    listener.hear(video.picture()[:2], video.picture()[1:], video.picture())
    listener.wait(1_100_000)
    assert listener.numbers() == [0, 3]
    assert listener.stats.video.dropped_frames == 2


@VIDEO_CODECS
def test_a_key_frame_right_after_the_hole_is_used(codec: Codec) -> None:
    video = Publisher(codec)
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    listener.hear(video.picture()[:1], video.picture(key=True))
    listener.wait(1_100_000)
    assert listener.numbers() == [0, 2]
    assert not listener.frames[1].reference_lost


def test_an_idr_whose_parameter_sets_may_be_lost_is_not_used() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    video.picture()
    listener.hear(video.picture(key=True)[1:], video.picture(key=True))
    listener.wait(1_100_000)
    assert listener.numbers() == [0, 3]


@pytest.mark.parametrize("payload", [b"\x1f", b"\x00", b"\x78\x00\x05", b"\x5c\x41x"])
def test_a_malformed_payload_counts_as_loss(payload: bytes) -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True), video.pack(payload, marker=True), video.picture(), video.picture(key=True))
    assert listener.numbers() == [0, 1, 2]
    assert [frame.reference_lost for frame in listener.frames] == [False, True, False]
    assert listener.stats.video.malformed == 1


def test_a_malformed_header_counts_as_loss() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    first, second, third = video.picture()
    listener.hear(first, b"\x9f" + second[1:12], third, video.picture())
    assert listener.numbers() == [0, 2]
    assert listener.frames[1].reference_lost
    assert listener.stats.video.malformed == 1
