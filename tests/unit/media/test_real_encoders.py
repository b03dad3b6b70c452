"""What real encoders make comes through, and no wrong picture comes out unflagged."""

from __future__ import annotations

import random

import pytest
from tests.support.encoded import HEIGHT, WIDTH, decoded_pictures, encoded_frames, payloads
from tests.support.publisher import Listener, Publisher

from lookback.media import h264, vp8
from lookback.media.samples import Codec

VIDEO_CODECS = pytest.mark.parametrize("codec", [Codec.H264, Codec.VP8])


def send(codec: Codec, *, loss: float, seed: int = 0) -> Listener:
    """Send the clip without retransmission."""
    dice = random.Random(seed)
    video = Publisher(codec)
    listener = Listener(video=video)
    for frame in encoded_frames(codec):
        video.timestamp += 3000
        parts = payloads(codec, frame)
        for number, payload in enumerate(parts):
            packet = video.pack(payload, marker=number == len(parts) - 1)
            if dice.random() >= loss:
                listener.hear(packet)
        listener.wait(33_333)
    listener.wait(1_100_000)
    return listener


@VIDEO_CODECS
def test_the_bytes_come_out_as_they_were_encoded(codec: Codec) -> None:
    listener = send(codec, loss=0.0)
    assert [frame.data for frame in listener.frames] == list(encoded_frames(codec))
    assert [number for number, frame in enumerate(listener.frames) if frame.key] == [0, 20, 40]


@VIDEO_CODECS
@pytest.mark.parametrize("seed", range(6))
def test_frames_that_are_not_flagged_show_the_right_picture(codec: Codec, seed: int) -> None:
    sent = encoded_frames(codec)
    right = dict(zip(sent, decoded_pictures(codec, list(sent)), strict=True))
    listener = send(codec, loss=0.01, seed=seed)
    kept = [frame.data for frame in listener.frames if not frame.reference_lost]
    assert listener.stats.video.lost > 0
    assert decoded_pictures(codec, kept) == [right[data] for data in kept]
    assert len(kept) < len(sent)


def test_the_size_is_in_the_first_key_frame() -> None:
    sps, pps = h264.parameter_sets(encoded_frames(Codec.H264)[0])
    assert sps is not None
    assert pps is not None
    parsed = h264.parse_sps(sps)
    assert (parsed.width, parsed.height) == (WIDTH, HEIGHT)
    assert h264.codec_string(sps).startswith("avc3.42")
    assert vp8.frame_size(encoded_frames(Codec.VP8)[0]) == (WIDTH, HEIGHT)


def test_hiding_a_vp8_frame_leaves_what_it_refers_to() -> None:
    frames = list(encoded_frames(Codec.VP8))
    pictures = decoded_pictures(Codec.VP8, frames)
    hidden = [bytes((vp8.hide(frame[0]),)) + frame[1:] for frame in frames[:10]]
    assert decoded_pictures(Codec.VP8, hidden + frames[10:]) == pictures[10:]
