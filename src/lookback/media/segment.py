"""What a writer needs to know of a container: how a segment starts and what a fragment of it looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lookback.media import mp4, webm
from lookback.media.h264 import parameter_sets, parse_sps
from lookback.media.index import Flag, Sample
from lookback.media.samples import Codec, Track
from lookback.media.sound import OPUS, Sound
from lookback.media.vp8 import frame_size

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True)
class PendingSample:
    """A sample that waits for its fragment. Instants in UTC microseconds; `seen_us` is when it came.

    Pictures are written in the order in which they are decoded. `dts_us` to `dts_us + duration_us` is a slot of the
    time in which some picture is shown: this one, unless `cts_us` says how much later (or earlier) its own slot is.
    """

    dts_us: int
    duration_us: int
    data: bytes
    flags: Flag = Flag.NONE
    seen_us: int = 0
    cts_us: int = 0


class Opening(NamedTuple):
    """How a segment starts: the bytes before its first fragment, and the picture size in pixels."""

    init: bytes
    width: int
    height: int


class SegmentFormat(Protocol):
    """One container. An object belongs to one run: it may remember what later key frames lack."""

    extension: str
    smallest_step_us: int
    """How far apart two samples of a track must be for the container to keep them apart, in microseconds."""

    def complete(self, key_frame: bytes) -> bytes | None:
        """The key frame with everything a decoder needs to start at it; None when that was never sent."""

    def open(self, key_frame: bytes, *, audio: Sound | None) -> Opening:
        """How a segment starts whose first sample is this completed key frame; raises MalformedError."""

    def fragment(
        self,
        number: int,
        at: int,
        video: Sequence[PendingSample],
        audio: Sequence[PendingSample],
        hidden: Sequence[PendingSample],
    ) -> tuple[bytes, list[Sample]]:
        """The bytes of one fragment that will stand at offset `at`, and its index records in dts order per track.

        `hidden` samples are kept where no player sees them.
        """


_UNUSUAL_US = 100_000  # Chromium takes what is not stated for 63 ms


class Fmp4Format:
    """H.264 and Opus or AAC in fragmented MP4."""

    extension = "mp4"
    smallest_step_us = 12  # one tick of 90 kHz, rounded up

    def __init__(self) -> None:
        self._sps: bytes | None = None
        self._pps: bytes | None = None
        self._audio_timescale = mp4.AUDIO_TIMESCALE

    def complete(self, key_frame: bytes) -> bytes | None:
        """Put the last known parameter sets before a key frame that has none in-band."""
        sps, pps = parameter_sets(key_frame)
        if sps is not None and pps is not None:
            self._sps, self._pps = sps, pps
            return key_frame
        if self._sps is None or self._pps is None:
            return None
        return b"".join(len(n).to_bytes(4, "big") + n for n in (self._sps, self._pps)) + key_frame

    def open(self, key_frame: bytes, *, audio: Sound | None) -> Opening:
        """The moov describes the parameter sets of the key frame."""
        sps, pps = parameter_sets(key_frame)
        if sps is None or pps is None:
            raise AssertionError("complete() comes before open()")
        size = parse_sps(sps)
        sound = audio or OPUS
        self._audio_timescale = sound.timescale
        entry = sound.entry if audio is not None else None
        init = mp4.init_segment(sps, pps, audio=entry, audio_timescale=sound.timescale)
        return Opening(init, size.width, size.height)

    def fragment(
        self,
        number: int,
        at: int,
        video: Sequence[PendingSample],
        audio: Sequence[PendingSample],
        hidden: Sequence[PendingSample],
    ) -> tuple[bytes, list[Sample]]:
        """One moof and mdat."""
        pictures, sounds = (
            [mp4.FragmentSample(s.dts_us, _stated_us(s), s.data, bool(s.flags & Flag.SYNC), s.cts_us) for s in group]
            for group in (video, audio)
        )
        data, offsets = mp4.fragment(number, pictures, sounds, [s.data for s in hidden], self._audio_timescale)
        rows = _tagged(video, audio, hidden)
        return data, [_record(track, s, at + o) for (track, s), o in zip(rows, offsets, strict=True)]


class WebmFormat:
    """VP8 and Opus in WebM."""

    extension = "webm"
    smallest_step_us = 1_000

    def complete(self, key_frame: bytes) -> bytes | None:
        """A VP8 key frame needs nothing else."""
        return key_frame

    def open(self, key_frame: bytes, *, audio: Sound | None) -> Opening:
        """The picture size stands in the key frame itself."""
        width, height = frame_size(key_frame)
        return Opening(webm.init_segment(width, height, audio=audio is not None), width, height)

    def fragment(
        self,
        number: int,  # noqa: ARG002 - clusters are not numbered
        at: int,
        video: Sequence[PendingSample],
        audio: Sequence[PendingSample],
        hidden: Sequence[PendingSample],
    ) -> tuple[bytes, list[Sample]]:
        """One cluster, its blocks in time order: Chromium refuses clusters whose blocks go back in time.

        How long a frame is shown is told by the next block; of the last picture it is stated when it is unusual.
        """
        shown = sorted(_tagged(video, audio, ()), key=lambda row: row[1].dts_us)
        last = video[-1] if video and video[-1].duration_us >= _UNUSUAL_US else None
        blocks = [
            webm.BlockSample(t, s.dts_us, s.data, bool(s.flags & Flag.SYNC), _stated_us(s) if s is last else None)
            for t, s in shown
        ]
        data, offsets, hidden_offsets = webm.cluster(blocks, [s.data for s in hidden])
        records = [_record(track, s, at + o) for (track, s), o in zip(shown, offsets, strict=True)]
        records += [_record(Track.VIDEO, s, at + o) for s, o in zip(hidden, hidden_offsets, strict=True)]
        return data, records


FORMATS: dict[Codec, type[Fmp4Format | WebmFormat]] = {Codec.H264: Fmp4Format, Codec.VP8: WebmFormat}
"""Which container holds which video codec."""

CONTAINER_CODEC = {"mp4": Codec.H264, "webm": Codec.VP8}
"""Which video codec a segment file's extension stands for."""


def _stated_us(sample: PendingSample) -> int:
    """The duration that the container states.

    Chromium's MSE lets go of all frames up to the next key frame when one comes later than twice the stated duration of
    the frame before it (measured), and a screen that stands still sends one per second. So an estimate is stated
    longer than what has passed; not much, since seeks find the earlier of two frames that overlap.
    """
    return sample.duration_us * 7 // 5 if sample.flags & Flag.ESTIMATED else sample.duration_us


def _tagged(
    video: Sequence[PendingSample], audio: Sequence[PendingSample], hidden: Sequence[PendingSample]
) -> list[tuple[Track, PendingSample]]:
    pictures = [(Track.VIDEO, s) for s in video]
    return pictures + [(Track.AUDIO, s) for s in audio] + [(Track.VIDEO, s) for s in hidden]


def _record(track: Track, sample: PendingSample, offset: int) -> Sample:
    return Sample(track, sample.dts_us, sample.duration_us, offset, len(sample.data), sample.flags, sample.cts_us)
