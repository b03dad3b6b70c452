from __future__ import annotations

from itertools import pairwise

import pytest
from tests.support.ebml import Element, blocks, elements, number
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.media import START_US, record
from tests.support.saved import cut_segments

from lookback.buffer.reader import Segment, read_segments
from lookback.errors import MalformedError
from lookback.media import webm
from lookback.media.clip_webm import build_webm
from lookback.media.cutting import cut
from lookback.media.virtual import ByteRange

SECOND = 1_000_000
VIDEO, AUDIO = 1, 2


@pytest.fixture(scope="module")
def segments(tmp_path_factory: pytest.TempPathFactory) -> list[Segment]:
    directory = tmp_path_factory.mktemp("vp8")
    clip = encoded_clip(ClipShape(codec="vp8", seconds=8, gop=45))
    record(directory, clip, frames=150, lost={100})
    record(directory, clip, frames=90, start_us=START_US + 8 * SECOND, run_id=b"run-0002")
    return read_segments(directory)


def body(data: bytes) -> tuple[Element, list[Element]]:
    """The Segment and its children."""
    (segment,) = [e for e in elements(data) if e.kind == webm.SEGMENT]
    return segment, list(elements(data, segment.begin, segment.end))


def clusters(data: bytes) -> list[Element]:
    return [e for e in body(data)[1] if e.kind == webm.CLUSTER]


RANGES = [(0, 2 * SECOND), (1_234_567, 3 * SECOND), (4_999_999, 9_500_000), (2_500_000, 2_520_000)]


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_sizes_and_positions_agree(segments: list[Segment], start: int, end: int) -> None:
    _, _, data = cut_segments(segments, START_US + start, START_US + end)
    segment, children = body(data)
    assert segment.end == len(data)
    places = {e.at - segment.begin: e for e in children}
    seek_head = children[0]
    for seek in elements(data, seek_head.begin, seek_head.end):
        wanted, position = elements(data, seek.begin, seek.end)
        assert places[number(data, position)].kind == data[wanted.begin : wanted.end]
    (cues,) = [e for e in children if e.kind == webm.CUES]
    cue_times = []
    for point in elements(data, cues.begin, cues.end):
        time, where = elements(data, point.begin, point.end)
        _, position = elements(data, where.begin, where.end)
        cluster = places[number(data, position)]
        cue_times.append(number(data, time))
        assert any(b.key and b.track == VIDEO and b.at_ms == cue_times[-1] for b in blocks(data, cluster))
    assert cue_times[0] == 0
    assert cue_times == sorted(cue_times)


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_frames_are_the_publishers_but_for_the_bit_that_hides_them(
    segments: list[Segment], start: int, end: int
) -> None:
    made, _, data = cut_segments(segments, START_US + start, START_US + end)
    shown = [b for cluster in clusters(data) for b in blocks(data, cluster)]
    for track, samples in ((VIDEO, made.video), (AUDIO, made.audio)):
        mine = [b for b in shown if b.track == track]
        original = []
        for segment, offset, size in zip(samples.segment, samples.offset, samples.size, strict=True):
            with segments[segment].media_path.open("rb") as file:
                file.seek(int(offset))
                original.append(file.read(int(size)))
        if track == VIDEO:
            assert [b.data[0] & 0x10 for b in mine] == [0] * made.hidden + [0x10] * (len(mine) - made.hidden)
            original[: made.hidden] = [bytes((o[0] & ~0x10,)) + o[1:] for o in original[: made.hidden]]
        else:
            generated = sum(len(group.packets) for group in made.silence)
            assert generated == len(mine) - len(original)
            silent = {
                round((group.start_us - made.start_us) / 1000) + n * 20 for group in made.silence for n in range(25)
            }
            mine = [b for b in mine if b.at_ms not in silent]
        assert [b.data for b in mine] == original
        times = [max(round((t - made.start_us) / 1000), 0) for t in samples.dts_us.tolist()]
        assert all(abs(b.at_ms - t) <= 1 for b, t in zip(mine, times, strict=True))


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_time_never_goes_back_in_a_cluster_or_a_track(segments: list[Segment], start: int, end: int) -> None:
    _, _, data = cut_segments(segments, START_US + start, START_US + end)
    groups = [blocks(data, cluster) for cluster in clusters(data)]
    everything = [b for group in groups for b in group]
    groups += [[b for b in everything if b.track == track] for track in (VIDEO, AUDIO)]
    assert everything[0].at_ms == 0
    for group in groups:
        assert all(after.at_ms >= before.at_ms for before, after in pairwise(group))


def test_a_hole_between_runs_is_filled_with_silence(segments: list[Segment]) -> None:
    _, _, data = cut_segments(segments, START_US + 4 * SECOND, START_US + 9 * SECOND)
    sound = [b.at_ms for cluster in clusters(data) for b in blocks(data, cluster) if b.track == AUDIO]
    assert max(after - before for before, after in pairwise(sound)) <= 21


def test_clusters_after_the_first_are_one_range_each(segments: list[Segment]) -> None:
    _, file, data = cut_segments(segments, START_US + 100_000, START_US + 3 * SECOND)
    after_head = len(clusters(data)) - 1
    tail = file.pieces[-2 * after_head :]
    assert [isinstance(piece, ByteRange) for piece in tail] == [False, True] * after_head
    assert [len(piece) for piece in tail if isinstance(piece, bytes)] == [webm.CLUSTER_HEADER_SIZE] * after_head


def test_a_first_frame_that_is_none_is_malformed(segments: list[Segment]) -> None:
    made = cut([s.index for s in segments], START_US, START_US + SECOND)
    assert made is not None
    with pytest.raises(MalformedError):
        build_webm(made, lambda where: bytes(where.length))
