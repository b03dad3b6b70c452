"""MP4 boxes of a self-contained fragmented segment: ftyp and moov, then one moof and mdat per fragment.

ISO/IEC 14496-12 for the boxes, 14496-15 for AVC, the Opus-in-ISOBMFF specification 4.3 for Opus. The layout is
the one that Chromium (src, MSE, native HLS), Firefox, hls.js, FFmpeg 5.1 and 8.1 all accepted when measured. Decode
times are absolute UTC in a 64-bit tfdt.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from lookback.media.h264 import parse_sps
from lookback.media.samples import Track

if TYPE_CHECKING:
    from collections.abc import Sequence

VIDEO_TIMESCALE = 90_000
AUDIO_TIMESCALE = 48_000
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNDETERMINED_LANGUAGE = 0x55C4
_HIGH_PROFILES = (100, 110, 122, 144)
_SAMPLE_IS_KEY, _SAMPLE_IS_DELTA = 0x02000000, 0x01010000
_DEFAULT_BASE_IS_MOOF = 0x020000
_TRUN_WITH_FLAGS, _TRUN_PLAIN = 0x701, 0x301  # data offset; duration, size (and flags) per sample
_TRUN_REORDERED = 0x800  # and a composition offset, signed in version 1
_MDAT_HEADER_SIZE = 8


class FragmentSample(NamedTuple):
    """One sample as a fragment holds it; instants in UTC microseconds. `cts_us`: how much later it is shown."""

    dts_us: int
    duration_us: int
    data: bytes
    key: bool
    cts_us: int = 0


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box with a 32-bit size (14496-12 section 4.2)."""
    return struct.pack(">I4s", 8 + sum(map(len, parts)), kind) + b"".join(parts)


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def ticks(us: int, timescale: int) -> int:
    """Microseconds in ticks of a timescale, rounded to the nearest; no overflow: Python integers."""
    return (us * timescale + 500_000) // 1_000_000


def avc_entry(sps: bytes, pps: bytes, name: bytes = b"avc3") -> bytes:
    """Sample entry of H.264 with 4-byte lengths; avc3 allows parameter sets in-band (14496-15 section 5.4.2)."""
    size = parse_sps(sps)
    config = bytes([1, sps[1], sps[2], sps[3], 0xFF, 0xE1])
    config += struct.pack(">H", len(sps)) + sps + b"\1" + struct.pack(">H", len(pps)) + pps
    if sps[1] in _HIGH_PROFILES:
        config += bytes((0xFC | size.chroma_format, 0xF8 | size.luma_bits - 8, 0xF8 | size.chroma_bits - 8, 0))
    dimensions = struct.pack(">HHIIIH", size.width, size.height, 0x480000, 0x480000, 0, 1)
    return box(
        name, bytes(6), b"\0\1", bytes(16), dimensions, bytes(32), struct.pack(">Hh", 24, -1), box(b"avcC", config)
    )


def opus_entry(channels: int = 2) -> bytes:
    """Sample entry of Opus without pre-skip."""
    config = box(b"dOps", struct.pack(">BBHIhB", 0, channels, 0, AUDIO_TIMESCALE, 0, 0))
    return box(b"Opus", bytes(6), b"\0\1", bytes(8), struct.pack(">HHHHI", channels, 16, 0, 0, 48_000 << 16), config)


def track_box(
    track: Track,
    entry: bytes,
    size: tuple[int, int],
    tables: Sequence[bytes],
    *,
    edits: Sequence[tuple[int, int]] = (),
    duration: int = 0,
    media_duration: int = 0,
    audio_timescale: int = AUDIO_TIMESCALE,
) -> bytes:
    """A trak. `tables` follow stsd in stbl; `edits` are (duration, media time or -1) in movie and media ticks."""
    video = track is Track.VIDEO
    picture = struct.pack(">II", size[0] << 16, size[1] << 16) if video else bytes(8)
    volume = struct.pack(">hhHH", 0, 0, 0 if video else 0x100, 0)
    tkhd = full_box(b"tkhd", 1, 3, struct.pack(">QQIIQ", 0, 0, track, 0, duration), bytes(8), volume, _MATRIX, picture)
    timescale = VIDEO_TIMESCALE if video else audio_timescale
    mdhd = full_box(b"mdhd", 1, 0, struct.pack(">QQIQHH", 0, 0, timescale, media_duration, _UNDETERMINED_LANGUAGE, 0))
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), b"vide" if video else b"soun", bytes(12), b"\0")
    header = full_box(b"vmhd", 0, 1, bytes(8)) if video else full_box(b"smhd", 0, 0, bytes(4))
    here = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    stsd = full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry)
    media = box(b"mdia", mdhd, hdlr, box(b"minf", header, here, box(b"stbl", stsd, *tables)))
    return box(b"trak", tkhd, _edit_list(edits), media)


def movie_box(tracks: Sequence[bytes], *, duration: int = 0, extra: bytes = b"") -> bytes:
    """A moov in the video's timescale."""
    times = struct.pack(">QQIQ", 0, 0, VIDEO_TIMESCALE, duration)
    volume = struct.pack(">IHHII", 0x10000, 0x100, 0, 0, 0)
    return box(
        b"moov",
        full_box(b"mvhd", 1, 0, times, volume, _MATRIX, bytes(24), struct.pack(">I", 3)),
        *tracks,
        extra,
    )


def init_segment(sps: bytes, pps: bytes, *, audio: bytes | None, audio_timescale: int = AUDIO_TIMESCALE) -> bytes:
    """What a segment file starts with; also the MSE init segment. `audio` is the sample entry of the sound.

    Raises MalformedError when the SPS is not one.
    """
    parsed = parse_sps(sps)
    size = parsed.width, parsed.height
    entries = [(Track.VIDEO, avc_entry(sps, pps))] + ([(Track.AUDIO, audio)] if audio else [])
    tracks = [track_box(track, entry, size, _EMPTY_TABLES, audio_timescale=audio_timescale) for track, entry in entries]
    extends = box(b"mvex", *[full_box(b"trex", 0, 0, struct.pack(">5I", track, 1, 0, 0, 0)) for track, _ in entries])
    return box(b"ftyp", b"iso6", struct.pack(">I", 1), b"iso6cmfcmp41") + movie_box(tracks, extra=extends)


def fragment(
    number: int,
    video: Sequence[FragmentSample],
    audio: Sequence[FragmentSample],
    hidden: Sequence[bytes] = (),
    audio_timescale: int = AUDIO_TIMESCALE,
) -> tuple[bytes, list[int]]:
    """One moof and mdat, and the offset of every sample's bytes in it: of video, then audio, then hidden.

    `hidden` bytes stand in the mdat where no trun names them: no player sees them, the index can. A track without
    samples gets no traf.
    """
    payload_at = len(_movie_fragment(number, video, audio, 0, audio_timescale)) + _MDAT_HEADER_SIZE
    blobs = [s.data for s in video] + [s.data for s in audio] + list(hidden)
    offsets, at = [], payload_at
    for blob in blobs:
        offsets.append(at)
        at += len(blob)
    return _movie_fragment(number, video, audio, payload_at, audio_timescale) + box(b"mdat", *blobs), offsets


def _movie_fragment(
    number: int,
    video: Sequence[FragmentSample],
    audio: Sequence[FragmentSample],
    payload_at: int,
    audio_timescale: int,
) -> bytes:
    tracks = []
    if video:
        tracks.append(_track_fragment(Track.VIDEO, video, VIDEO_TIMESCALE, payload_at))
    if audio:
        at = payload_at + sum(len(s.data) for s in video)
        tracks.append(_track_fragment(Track.AUDIO, audio, audio_timescale, at))
    return box(b"moof", full_box(b"mfhd", 0, 0, struct.pack(">I", number)), *tracks)


def _track_fragment(track: Track, samples: Sequence[FragmentSample], timescale: int, data_offset: int) -> bytes:
    times = [ticks(s.dts_us, timescale) for s in samples]
    times.append(ticks(samples[-1].dts_us + samples[-1].duration_us, timescale))
    durations = [after - before for before, after in pairwise(times)]
    version = 0
    if track is Track.VIDEO:
        flags = _TRUN_WITH_FLAGS
        rows = [
            struct.pack(">III", duration, len(s.data), _SAMPLE_IS_KEY if s.key else _SAMPLE_IS_DELTA)
            for duration, s in zip(durations, samples, strict=True)
        ]
        if any(s.cts_us for s in samples):
            version, flags = 1, flags | _TRUN_REORDERED
            shown = [ticks(s.dts_us + s.cts_us, timescale) - at for s, at in zip(samples, times, strict=False)]
            rows = [row + struct.pack(">i", offset) for row, offset in zip(rows, shown, strict=True)]
    else:
        flags = _TRUN_PLAIN
        rows = [struct.pack(">II", d, len(s.data)) for d, s in zip(durations, samples, strict=True)]
    return box(
        b"traf",
        full_box(b"tfhd", 0, _DEFAULT_BASE_IS_MOOF, struct.pack(">I", track)),
        full_box(b"tfdt", 1, 0, struct.pack(">Q", times[0])),
        full_box(b"trun", version, flags, struct.pack(">Ii", len(samples), data_offset), *rows),
    )


def _edit_list(edits: Sequence[tuple[int, int]]) -> bytes:
    if not edits:
        return b""
    rows = [struct.pack(">Qqhh", duration, media_time, 1, 0) for duration, media_time in edits]
    return box(b"edts", full_box(b"elst", 1, 0, struct.pack(">I", len(edits)), *rows))


_EMPTY_TABLES = (
    full_box(b"stts", 0, 0, bytes(4)),
    full_box(b"stsc", 0, 0, bytes(4)),
    full_box(b"stsz", 0, 0, bytes(8)),
    full_box(b"stco", 0, 0, bytes(4)),
)
