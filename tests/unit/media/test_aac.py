from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.errors import MalformedError
from lookback.media import mp4
from lookback.media.aac import AacConfig, adts_frames
from lookback.media.sound import OPUS, AacSound, Sound, sound_of

STEREO = AacConfig(44_100, 2)
RATES = (96_000, 48_000, 44_100, 32_000, 22_050, 8_000)


def adts(payload: bytes, config: AacConfig = STEREO, *, checksum: bool = False) -> bytes:
    """A frame with a header as 13818-7 writes it."""
    rate = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000).index(
        config.rate
    )
    size = len(payload) + (9 if checksum else 7)
    bits = 0xFFF << 44 | (not checksum) << 40 | 1 << 38 | rate << 34 | config.channels << 30 | size << 13 | 0x7FF << 2
    return bits.to_bytes(7, "big") + (b"\0\0" if checksum else b"") + payload


def decoded(config: AacConfig, frames: list[bytes]) -> np.ndarray:
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = config.pack()
    return np.concatenate([frame.to_ndarray() for data in frames for frame in decoder.decode(av.Packet(data))], axis=1)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_configuration_is_read_as_it_was_written(rate: int, channels: int) -> None:
    config = AacConfig(rate, channels)
    assert AacConfig.parse(config.pack()) == config


def test_the_usual_configuration_is_the_one_that_players_know() -> None:
    assert STEREO.pack() == bytes.fromhex("1210")


@pytest.mark.parametrize("checksum", [False, True])
def test_frames_lose_their_headers(checksum: bool) -> None:
    data = adts(b"first", checksum=checksum) + adts(b"second", checksum=checksum)
    assert [(frame.config, frame.data) for frame in adts_frames(data)] == [(STEREO, b"first"), (STEREO, b"second")]


@given(st.binary(max_size=40))
def test_any_bytes_are_frames_or_malformed(data: bytes) -> None:
    try:
        frames = list(adts_frames(data))
    except MalformedError:
        return
    assert sum(len(frame.data) for frame in frames) < len(data) or not data


@pytest.mark.parametrize("cut", [1, 6, 7, 11])
def test_half_a_frame_is_malformed(cut: int) -> None:
    with pytest.raises(MalformedError):
        list(adts_frames(adts(b"first")[:cut]))


@pytest.mark.parametrize("config", [b"", b"\x12", bytes.fromhex("2a10"), bytes.fromhex("1228")])
def test_what_is_not_low_complexity_in_one_or_two_channels_is_malformed(config: bytes) -> None:
    with pytest.raises(MalformedError):
        AacConfig.parse(config)


@pytest.mark.parametrize("channels", [1, 2])
def test_silence_is_exactly_silent(channels: int) -> None:
    config = AacConfig(44_100, channels)
    heard = decoded(config, [packet for _, packet in AacSound(config).silence(200_000)])
    assert heard.shape[1] >= 8 * 1024
    assert not heard.any()


@pytest.mark.parametrize("wanted_us", [0, 5_000, 23_220, 200_000, 1_000_000, 3_333_333, 3_600_000_000])
def test_silence_is_as_long_as_whole_frames_come_near(wanted_us: int) -> None:
    sound = AacSound(STEREO)
    lasts_us = sum(packet_us for packet_us, _ in sound.silence(wanted_us))
    assert abs(lasts_us - wanted_us) <= sound.slack_us


def test_a_thousand_frames_last_as_long_as_they_really_do() -> None:
    assert STEREO.frame_end_us(1000) == 1000 * 1024 * 1_000_000 // 44_100


@pytest.mark.parametrize("sound", [OPUS, AacSound(STEREO), AacSound(AacConfig(48_000, 1))])
def test_a_segment_says_what_its_sound_is(sound: Sound) -> None:
    assert sound_of(mp4.box(b"moov", sound.entry)) == sound


def test_a_segment_without_sound_says_that_too() -> None:
    assert sound_of(mp4.box(b"moov", b"avcC")) is None


def test_a_description_that_is_not_ours_is_malformed() -> None:
    with pytest.raises(MalformedError):
        sound_of(b"esds" + bytes(30))
