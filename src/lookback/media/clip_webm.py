"""The file of a VP8 clip: a new header, then the segments' clusters under new cluster headers (RFC 9559).

The lead-in stands at time 0 with its show_frame bits cleared: decoders decode it and show nothing, which is exact in
Chromium, Firefox and FFmpeg (measured; the "invisible" flag of a block is ignored by all of them). Clusters after it
are taken as they are: blocks carry times relative to their cluster, so only the cluster's own time is rewritten. The
one that states a duration, for players of the segment itself, becomes a plain block: FFmpeg would spread the lead-in
over time by it (measured).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lookback.media import vp8, webm
from lookback.media.clip_mp4 import Picture
from lookback.media.samples import Track
from lookback.media.virtual import ByteRange, Piece, VirtualFile, piece_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from lookback.media.cutting import Cut, Silence

_KEY_FRAME_HEADER_SIZE = 10  # RFC 6386 section 9.1
_STATED_HEADER_SIZE = webm.GROUP_HEADER_SIZE + webm.BLOCK_HEADER_SIZE
_CUE_POINT, _CUE_TIME, _CUE_POSITIONS, _CUE_TRACK, _CUE_CLUSTER = b"\xbb", b"\xb3", b"\xb7", b"\xf7", b"\xf1"
_SEEK, _SEEK_ID, _SEEK_POSITION = b"\x4d\xbb", b"\x53\xab", b"\x53\xac"
_WIDE = 8  # bytes of a number that is not known yet, so that its element's size is
# Where a cluster's header has the size of the cluster and its time.
_SIZE_AT = slice(len(webm.CLUSTER), len(webm.CLUSTER) + _WIDE)
_TIME_AT = slice(webm.CLUSTER_HEADER_SIZE - _WIDE, webm.CLUSTER_HEADER_SIZE)


@dataclass(frozen=True, slots=True)
class _Cluster:
    """One cluster of the clip: its time, the pieces of its blocks, and the times of its key frames; milliseconds."""

    at_ms: int
    blocks: list[Piece]
    size: int
    keys_ms: list[int]


class _Rows:
    """The clip's blocks in the order of the files, video and audio together, in groups that were one cluster."""

    def __init__(self, cut: Cut) -> None:
        video, audio = cut.video, cut.audio
        segment = np.concatenate([video.segment, audio.segment])
        offset = np.concatenate([video.offset, audio.offset])
        order = np.argsort(segment << 32 | offset, kind="stable")
        self.segment, self.offset = segment[order], offset[order]
        self.size = np.concatenate([video.size, audio.size])[order]
        self.dts_us = np.concatenate([video.dts_us, audio.dts_us])[order]
        self.video = (np.arange(len(order)) < len(video))[order]
        self.key = np.concatenate([video.sync, np.zeros(len(audio), bool)])[order]
        self.hidden = (np.arange(len(order)) < cut.hidden)[order]
        fragment = np.concatenate([video.fragment, audio.fragment])[order]
        changed = (self.segment[1:] != self.segment[:-1]) | (fragment[1:] != fragment[:-1])
        self.starts = np.flatnonzero(np.append(True, changed))
        self.ends = np.append(self.starts[1:], len(order))
        self.begins = _cluster_offsets(cut, self.segment[self.starts], fragment[self.starts]) + webm.CLUSTER_HEADER_SIZE
        before = np.append(0, self.offset[:-1] + self.size[:-1])
        before[self.starts] = self.begins
        header = self.offset - before
        # A short packet that is left out may look the same: both go.
        self._stated = self.video & (header == _STATED_HEADER_SIZE)
        self._in_place = self._stated | (header == webm.BLOCK_HEADER_SIZE)
        self.whole = self._whole(cut)

    def _whole(self, cut: Cut) -> NDArray[np.bool_]:
        """Which groups are an unbroken stretch from their cluster's first block on, and begin at or after the start."""
        strange = np.cumsum(~self._in_place)
        unbroken = strange[self.ends - 1] == np.append(0, strange)[self.starts]
        whole: NDArray[np.bool_] = unbroken & (self.dts_us[self.starts] >= cut.start_us)
        return whole

    def stated(self) -> dict[int, int]:
        """Rows of blocks that state a duration, by group."""
        rows = np.flatnonzero(self._stated)
        return dict(zip((np.searchsorted(self.starts, rows, "right") - 1).tolist(), rows.tolist(), strict=True))


def build_webm(cut: Cut, peek: Callable[[ByteRange], bytes]) -> tuple[VirtualFile, Picture]:
    """Lay out the clip. `peek` reads bytes of a segment; it is asked for headers of hidden frames.

    Raises MalformedError when the first frame is not a key frame.
    """
    segment, offset, size = cut.first_key
    picture = Picture(*vp8.frame_size(peek(ByteRange(segment, offset, min(size, _KEY_FRAME_HEADER_SIZE)))))
    clusters = list(_clusters(cut, _Rows(cut), peek))
    if cut.silence:
        clusters = sorted([*clusters, *(_silent_cluster(s, cut) for s in cut.silence)], key=lambda c: c.at_ms)
    tracks = webm.tracks(*picture, audio=len(cut.audio) > 0)
    info = webm.info((cut.end_us - cut.start_us) / 1000)
    pieces: list[Piece] = [_header(info, tracks, clusters)]
    for cluster, header in zip(clusters, _cluster_headers(clusters), strict=True):
        pieces.append(header)
        pieces += cluster.blocks
    return VirtualFile.of(pieces), picture


# ---- clusters


def _clusters(cut: Cut, rows: _Rows, peek: Callable[[ByteRange], bytes]) -> Iterator[_Cluster]:
    zero_ms = webm.milliseconds(cut.start_us)
    late = np.flatnonzero(rows.whole)
    head = int(late[0]) if len(late) else len(rows.starts)
    if head:
        yield _rebuilt(cut, rows, range(int(rows.ends[head - 1])), peek)
    times = ((rows.dts_us[rows.starts] + 500) // 1000 - zero_ms).tolist()
    begins = rows.begins.tolist()
    stops = (rows.offset[rows.ends - 1] + rows.size[rows.ends - 1]).tolist()
    segments = rows.segment[rows.starts].tolist()
    keys, stated = _keys(rows, zero_ms), rows.stated()
    for group in range(head, len(rows.starts)):
        if not rows.whole[group]:
            yield _rebuilt(cut, rows, range(int(rows.starts[group]), int(rows.ends[group])), peek)
            continue
        size = stops[group] - begins[group]
        blocks: list[Piece] = [ByteRange(segments[group], begins[group], size)]
        if group in stated:
            blocks = _unstated(rows, group, stated[group], ByteRange(segments[group], begins[group], size))
            size -= webm.GROUP_HEADER_SIZE
        yield _Cluster(times[group], blocks, size, keys.get(group, []))


def _unstated(rows: _Rows, group: int, row: int, blocks: ByteRange) -> list[Piece]:
    """The blocks of a cluster, of which the one at `row` loses its duration."""
    first_ms, at_ms = (webm.milliseconds(int(rows.dts_us[at])) for at in (rows.starts[group], row))
    flags = webm.KEY_FRAME if rows.key[row] else 0
    header = webm.block_header(Track.VIDEO, at_ms - first_ms, flags, int(rows.size[row]))
    payload_at = int(rows.offset[row])
    before = payload_at - _STATED_HEADER_SIZE - blocks.offset
    rest = ByteRange(blocks.segment, payload_at, blocks.offset + blocks.length - payload_at)
    return [blocks._replace(length=before), header, rest] if before else [header, rest]


def _keys(rows: _Rows, zero_ms: int) -> dict[int, list[int]]:
    """Times of the key frames by group."""
    found = np.flatnonzero(rows.key)
    groups = np.searchsorted(rows.starts, found, "right") - 1
    times = (rows.dts_us[found] + 500) // 1000 - zero_ms
    keys: dict[int, list[int]] = {}
    for group, at_ms in zip(groups.tolist(), times.tolist(), strict=True):
        keys.setdefault(group, []).append(at_ms)
    return keys


def _rebuilt(cut: Cut, rows: _Rows, which: range, peek: Callable[[ByteRange], bytes]) -> _Cluster:
    """A cluster whose blocks get new headers; what came before the start stands at it."""
    zero_ms = webm.milliseconds(cut.start_us)
    times = {row: max(webm.milliseconds(int(rows.dts_us[row])) - zero_ms, 0) for row in which}
    at_ms = min(times.values())
    blocks: list[Piece] = []
    for row in sorted(which, key=times.__getitem__):
        flags = webm.KEY_FRAME if rows.key[row] or not rows.video[row] else 0
        track = Track.VIDEO if rows.video[row] else Track.AUDIO
        payload = ByteRange(int(rows.segment[row]), int(rows.offset[row]), int(rows.size[row]))
        blocks.append(webm.block_header(track, times[row] - at_ms, flags, payload.length))
        blocks += _hidden(payload, peek) if rows.hidden[row] else [payload]
    keys = sorted({times[row] for row in which if rows.key[row]})
    return _Cluster(at_ms, blocks, sum(map(piece_size, blocks)), keys)


def _hidden(payload: ByteRange, peek: Callable[[ByteRange], bytes]) -> list[Piece]:
    """The frame with show_frame cleared in its first byte."""
    first = peek(payload._replace(length=1))[0]
    return [bytes((vp8.hide(first),)), ByteRange(payload.segment, payload.offset + 1, payload.length - 1)]


def _cluster_headers(clusters: list[_Cluster]) -> list[bytes]:
    """The header of every cluster, all at once: ten minutes have 1,200 of them."""
    rows = np.tile(np.frombuffer(webm.cluster_header(0, 0), np.uint8), (len(clusters), 1))
    sizes = np.array([cluster.size for cluster in clusters], ">u8")
    rows[:, _SIZE_AT] = (rows[0, _SIZE_AT].view(">u8") + sizes).astype(">u8").view(np.uint8).reshape(-1, _WIDE)
    rows[:, _TIME_AT] = np.array([cluster.at_ms for cluster in clusters], ">u8").view(np.uint8).reshape(-1, _WIDE)
    data = rows.tobytes()
    return [data[at : at + webm.CLUSTER_HEADER_SIZE] for at in range(0, len(data), webm.CLUSTER_HEADER_SIZE)]


def _silent_cluster(silence: Silence, cut: Cut) -> _Cluster:
    at_ms = webm.milliseconds(silence.start_us)
    blocks: list[Piece] = []
    time_us = silence.start_us
    for duration_us, packet in silence.packets:
        relative_ms = webm.milliseconds(time_us) - at_ms
        blocks.append(webm.block_header(Track.AUDIO, relative_ms, webm.KEY_FRAME, len(packet)) + packet)
        time_us += duration_us
    return _Cluster(at_ms - webm.milliseconds(cut.start_us), blocks, sum(map(piece_size, blocks)), [])


def _cluster_offsets(cut: Cut, segment: NDArray[np.int64], fragment: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the cluster of each (segment, fragment) begins in its file."""
    offsets = np.empty(len(segment), np.int64)
    firsts = np.flatnonzero(np.append(True, segment[1:] != segment[:-1])).tolist()
    for begin, end in zip(firsts, [*firsts[1:], len(segment)], strict=True):
        commits = cut.segments[int(segment[begin])].commits
        which = np.searchsorted(commits["fragment"], fragment[begin:end])
        offsets[begin:end] = commits["offset"][which]
    return offsets


# ---- header


def _header(info: bytes, tracks: bytes, clusters: list[_Cluster]) -> bytes:
    """Everything before the first cluster. Positions count from the first byte of the Segment's data."""
    cue_count = sum(len(cluster.keys_ms) for cluster in clusters)
    cues_size = len(webm.element(webm.CUES, _cue(0, 0) * cue_count, width=_WIDE))
    info_at = len(_seek_head(0, 0, 0))
    tracks_at = info_at + len(info)
    cues_at = tracks_at + len(tracks)
    at = cues_at + cues_size
    cues = []
    for cluster in clusters:
        cues += [_cue(time_ms, at) for time_ms in cluster.keys_ms]
        at += webm.CLUSTER_HEADER_SIZE + cluster.size
    return b"".join(
        (
            webm.ebml_header(),
            webm.SEGMENT,
            webm.size_field(at, _WIDE),
            _seek_head(info_at, tracks_at, cues_at),
            info,
            tracks,
            webm.element(webm.CUES, *cues, width=_WIDE),
        )
    )


def _seek_head(info_at: int, tracks_at: int, cues_at: int) -> bytes:
    places = (webm.INFO, info_at), (webm.TRACKS, tracks_at), (webm.CUES, cues_at)
    seeks = [
        webm.element(_SEEK, webm.element(_SEEK_ID, kind), webm.unsigned(_SEEK_POSITION, at, _WIDE))
        for kind, at in places
    ]
    return webm.element(webm.SEEK_HEAD, *seeks, width=_WIDE)


def _cue(time_ms: int, cluster_at: int) -> bytes:
    where = webm.unsigned(_CUE_TRACK, Track.VIDEO), webm.unsigned(_CUE_CLUSTER, cluster_at, _WIDE)
    return webm.element(_CUE_POINT, webm.unsigned(_CUE_TIME, time_ms, _WIDE), webm.element(_CUE_POSITIONS, *where))
