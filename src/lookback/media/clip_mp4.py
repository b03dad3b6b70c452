"""The file of an H.264 clip: a new header, then ranges of the segments as they are (ISO/IEC 14496-12).

The lead-in is "compressed": hidden samples last one tick each and an edit list skips them. That is right in Chromium,
FFmpeg and for every seek in Firefox, which ignores the edit and so is wrong by microseconds only (measured). With
B-frames the same is done to those that are decoded in the range and shown after it.

Every range starts at a whole block of its segment and of the file, so that file systems with shared blocks make the
physical file without copying. What lies between the samples of a range (fragment headers, other samples) is in the
file, and nothing refers to it.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lookback.errors import MalformedError
from lookback.media import mp4
from lookback.media.h264 import parameter_sets, parse_sps
from lookback.media.samples import Track
from lookback.media.virtual import ByteRange, Piece, VirtualFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lookback.media.cutting import Cut, Silence

BLOCK = 4096
_LARGEST_32_BIT_FILE = 0xF000_0000  # room for the header below 4 GiB
_MDAT_HEADER_SIZE = 16
_FREE_HEADER_SIZE = 8
_FTYP = mp4.box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2avc1mp41")
_CHUNK_ENTRY_SIZE = {b"stco": 4, b"co64": 8}


class Picture(NamedTuple):
    """Size of the first picture, in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where everything is in the media data: offsets count from its first byte.

    `video` and `audio` are the offsets of the samples, in the order of the cut; `silence` of its groups.
    """

    pieces: list[Piece]
    size: int
    video: NDArray[np.int64]
    audio: NDArray[np.int64]
    silence: list[int]


@dataclass(frozen=True, slots=True)
class _TrackTables:
    """A track but for the chunk offsets, which depend on how long the header is."""

    track: Track
    entry: bytes
    tables: list[bytes]
    chunks: NDArray[np.int64]
    edits: list[tuple[int, int]]
    media_duration: int


def build_mp4(cut: Cut, peek: Callable[[ByteRange], bytes]) -> tuple[VirtualFile, Picture]:
    """Lay out the clip. `peek` reads bytes of a segment; it is asked for the first key frame.

    Raises MalformedError when that has no parameter sets.
    """
    sps, pps = parameter_sets(peek(ByteRange(*cut.first_key)))
    if sps is None or pps is None:
        raise MalformedError("The clip's first key frame has no parameter sets")
    parsed = parse_sps(sps)
    picture = Picture(parsed.width, parsed.height)
    layout = _lay_out(cut)
    tracks = [_video_track(cut, layout, mp4.avc_entry(sps, pps, b"avc1"))]
    if len(cut.audio):
        tracks.append(_audio_track(cut, layout))
    duration = mp4.ticks(cut.end_us - cut.start_us, mp4.VIDEO_TIMESCALE)
    header = _header(tracks, picture, duration, layout.size, cut.sound.timescale)
    return VirtualFile.of([header, *layout.pieces]), picture


# ---- where the bytes are


def _lay_out(cut: Cut) -> _Layout:
    spans = _spans(cut)
    groups = _by_segment(cut, sorted(spans))
    pieces: list[Piece] = []
    shift = np.zeros(len(cut.segments), np.int64)
    silence = [0] * len(cut.silence)
    at = 0
    for segment in sorted(spans):
        for number in groups.get(segment, ()):
            sound = b"".join(packet for _, packet in cut.silence[number].packets)
            silence[number] = at
            pieces.append(sound)
            at += len(sound)
        low, high = spans[segment]
        padding = -at % BLOCK
        at += padding
        shift[segment] = at - low
        pieces += [bytes(padding), ByteRange(segment, low, high - low)]
        at += high - low
    video, audio = cut.video, cut.audio
    return _Layout(pieces, at, video.offset + shift[video.segment], audio.offset + shift[audio.segment], silence)


def _spans(cut: Cut) -> dict[int, tuple[int, int]]:
    """First byte and end of what the clip uses of every segment, in whole blocks as far as they are committed."""
    spans: dict[int, tuple[int, int]] = {}
    for samples in (cut.video, cut.audio):
        if not len(samples):
            continue
        firsts = np.flatnonzero(np.diff(samples.segment, prepend=-1))
        lasts = np.append(firsts[1:], len(samples)) - 1
        ends = samples.offset[lasts] + samples.size[lasts]
        rows = zip(samples.segment[firsts].tolist(), samples.offset[firsts].tolist(), ends.tolist(), strict=True)
        for segment, low, high in rows:
            known_low, known_high = spans.get(segment, (low, high))
            spans[segment] = min(low, known_low), max(high, known_high)
    return {
        segment: (low // BLOCK * BLOCK, min(-(-high // BLOCK) * BLOCK, cut.segments[segment].media_bytes))
        for segment, (low, high) in spans.items()
    }


def _by_segment(cut: Cut, segments: list[int]) -> dict[int, list[int]]:
    """Which groups of silence to put before which segment: the one they are heard in, or the one after the hole."""
    placed: dict[int, list[int]] = {}
    starts = [cut.segments[segment].header.first_dts_us for segment in segments]
    last_sound = dict(zip(cut.audio.segment.tolist(), cut.audio.dts_us.tolist(), strict=True)) if cut.silence else {}
    for number, group in enumerate(cut.silence):
        position = max(bisect_right(starts, group.start_us) - 1, 0)
        after = last_sound.get(segments[position], group.start_us) < group.start_us
        placed.setdefault(segments[position + after], []).append(number)
    return placed


# ---- tables


def _video_track(cut: Cut, layout: _Layout, entry: bytes) -> _TrackTables:
    video = cut.video
    span = mp4.ticks(cut.end_us - cut.start_us, mp4.VIDEO_TIMESCALE)
    order = np.argsort(video.shown_us, kind="stable") if video.cts_us.any() else np.arange(len(video))
    shown = _shown(cut, video.shown_us[order], span)
    ranks = np.empty_like(order)
    ranks[order] = steps = np.arange(len(order))
    # A picture cannot be decoded after it is shown: decoding is ahead by as many pictures as any of them comes late.
    delay = int((steps - ranks).max())
    decoded = np.concatenate([shown[0] - np.arange(delay, 0, -1), shown[: len(shown) - delay]])
    durations = _durations(decoded, span)
    keys = np.flatnonzero(video.sync) + 1
    stss = mp4.full_box(b"stss", 0, 0, struct.pack(">I", len(keys)), keys.astype(">u4").tobytes())
    tables, chunks = _sample_tables(durations, layout.video, video.size)
    reordered = [_table(b"ctts", *_runs(shown[ranks] - decoded))] if delay else []
    edits = [(span, cut.hidden + delay)]
    return _TrackTables(Track.VIDEO, entry, [tables[0], *reordered, stss, *tables[1:]], chunks, edits, durations.sum())


def _shown(cut: Cut, shown_us: NDArray[np.int64], span: int) -> NDArray[np.int64]:
    """When pictures, in the order in which they are shown, appear in the clip, in ticks from its start."""
    times = _ticks(np.maximum(shown_us - cut.start_us, 0), mp4.VIDEO_TIMESCALE)
    times[: cut.hidden] = np.arange(-cut.hidden, 0)
    after = int((shown_us >= cut.end_us).sum())
    times[len(times) - after :] = span + np.arange(after)
    return _growing(times)


def _audio_track(cut: Cut, layout: _Layout) -> _TrackTables:
    audio = cut.audio
    timescale = cut.sound.timescale
    columns = np.stack([audio.dts_us - cut.start_us, audio.duration_us, audio.size, layout.audio])
    if cut.silence:
        rows = [_packet_rows(group, at, cut.start_us) for group, at in zip(cut.silence, layout.silence, strict=True)]
        columns = np.concatenate([columns, *rows], axis=1)
        columns = columns[:, np.argsort(columns[0], kind="stable")]
    starts, lengths, sizes, offsets = columns
    times = _ticks(starts, timescale)
    end_us = min(cut.end_us - cut.start_us, int(starts[-1] + lengths[-1]))
    durations = _durations(times, mp4.ticks(end_us, timescale))
    lead = mp4.ticks(int(starts[0]), mp4.VIDEO_TIMESCALE)
    total = int(durations.sum())
    shown = total * mp4.VIDEO_TIMESCALE // timescale
    edits = [(lead, -1), (shown, 0)] if lead else [(shown, 0)]
    tables, chunks = _sample_tables(durations, offsets, sizes)
    return _TrackTables(Track.AUDIO, cut.sound.entry, tables, chunks, edits, total)


def _packet_rows(group: Silence, at: int, start_us: int) -> NDArray[np.int64]:
    """Columns start, duration, size and offset of a group's packets."""
    lengths = np.array([us for us, _ in group.packets], np.int64)
    sizes = np.array([len(packet) for _, packet in group.packets], np.int64)
    starts = group.start_us - start_us + np.cumsum(lengths) - lengths
    return np.stack([starts, lengths, sizes, at + np.cumsum(sizes) - sizes])


def _ticks(us: NDArray[np.int64], timescale: int) -> NDArray[np.int64]:
    # Counted from the clip's start: epoch microseconds times the timescale do not fit into 64 bits.
    return (us * timescale + 500_000) // 1_000_000


def _durations(times: NDArray[np.int64], end: int) -> NDArray[np.int64]:
    """Differences of sample times, none below one tick, the last one up to `end`."""
    grown = _growing(times)
    return np.diff(grown, append=max(end, int(grown[-1]) + 1))


def _growing(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same times, each at least one tick after the one before."""
    steps = np.arange(len(times))
    grown: NDArray[np.int64] = np.maximum.accumulate(times - steps) + steps
    return grown


def _sample_tables(
    durations: NDArray[np.int64], offsets: NDArray[np.int64], sizes: NDArray[np.int64]
) -> tuple[list[bytes], NDArray[np.int64]]:
    """The boxes stts, stsc and stsz, and the offset of every chunk: samples that stand next to each other."""
    begins = np.flatnonzero(np.append(True, offsets[1:] != offsets[:-1] + sizes[:-1]))
    counts, per_chunk = _runs(np.diff(begins, append=len(offsets)))
    first_chunks = np.cumsum(counts) - counts + 1
    stsz = mp4.full_box(b"stsz", 0, 0, struct.pack(">II", 0, len(sizes)), sizes.astype(">u4").tobytes())
    stts = _table(b"stts", *_runs(durations))
    return [stts, _table(b"stsc", first_chunks, per_chunk, np.ones_like(counts)), stsz], offsets[begins]


def _runs(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Run-length encoding: counts and values."""
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    return np.diff(starts, append=len(values)), values[starts]


def _table(kind: bytes, *columns: NDArray[np.int64]) -> bytes:
    rows = np.stack(columns, axis=1).astype(">u4")
    return mp4.full_box(kind, 0, 0, struct.pack(">I", len(rows)), rows.tobytes())


# ---- header


def _header(tracks: list[_TrackTables], picture: Picture, duration: int, data_size: int, audio_timescale: int) -> bytes:
    kind = b"co64" if data_size > _LARGEST_32_BIT_FILE else b"stco"

    def movie(shift: int) -> bytes:
        boxes = [
            mp4.track_box(
                t.track,
                t.entry,
                picture,
                [*t.tables, _chunk_offsets(kind, t.chunks + shift)],
                edits=t.edits,
                duration=duration,
                media_duration=int(t.media_duration),
                audio_timescale=audio_timescale,
            )
            for t in tracks
        ]
        return mp4.movie_box(boxes, duration=duration)

    length = len(_FTYP) + len(movie(0)) + _FREE_HEADER_SIZE + _MDAT_HEADER_SIZE
    padding = -length % BLOCK
    mdat = struct.pack(">I4sQ", 1, b"mdat", _MDAT_HEADER_SIZE + data_size)
    return _FTYP + movie(length + padding) + mp4.box(b"free", bytes(padding)) + mdat


def _chunk_offsets(kind: bytes, offsets: NDArray[np.int64]) -> bytes:
    values = offsets.astype(f">u{_CHUNK_ENTRY_SIZE[kind]}").tobytes()
    return mp4.full_box(kind, 0, 0, struct.pack(">I", len(offsets)), values)
