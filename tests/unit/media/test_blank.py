"""LiveKit's placeholders are told from pictures."""

from __future__ import annotations

import pytest
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.media import frame_data

from lookback.media.blank import is_blank
from lookback.media.samples import Codec, EncodedFrame

# As livekit-server 1.13.5 sends them when a sharer leaves: 2x2 pixels with lengths before SPS, PPS and IDR; 8x8 pixels.
H264 = bytes.fromhex(
    "00000018 6742c01f0fd91f8888840000030004000003 00c83c60c920 00000006 6887cb83cb20 0000000a 6588840af2628000a7be"
)
VP8 = bytes.fromhex("10 02 00 9d 01 2a 08 00 08 00 00 47 08 85 85 88 85 84 88 02 02 00 0c 0d 60 00 fe ff ab 50 80")


def frame(codec: Codec, data: bytes, *, key: bool = True) -> EncodedFrame:
    return EncodedFrame(codec, 0, data, key, 0)


@pytest.mark.parametrize(("codec", "data"), [(Codec.H264, H264), (Codec.VP8, VP8)])
def test_a_placeholder_is_blank(codec: Codec, data: bytes) -> None:
    assert is_blank(frame(codec, data))


@pytest.mark.parametrize("codec", [Codec.H264, Codec.VP8])
def test_no_picture_of_a_screen_is(codec: Codec) -> None:
    clip = encoded_clip(ClipShape(codec=codec.value))  # type: ignore[arg-type]
    for number in range(len(clip.video)):
        key, data = frame_data(clip, number)
        assert not is_blank(frame(codec, data, key=key))


@pytest.mark.parametrize("codec", list(Codec))
def test_small_pictures_that_show_a_change_are_kept(codec: Codec) -> None:
    assert not is_blank(frame(codec, b"\x00" * 20, key=False))


def test_silence_of_an_encoder_is_kept_and_padded_silence_is_a_placeholder() -> None:
    silence = b"\xf8\xff\xfe"
    assert not is_blank(frame(Codec.OPUS, silence))
    assert not is_blank(frame(Codec.OPUS, silence + b"\x00\x01"))
    assert is_blank(frame(Codec.OPUS, silence.ljust(80, b"\x00")))
