from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clip_builders import a_clip, a_gap, a_rendition

from lookback.clips.model import Storage
from lookback.clips.record import HEADER_SOURCE, dump_record, etag_of, load_record, store_plan
from lookback.errors import MalformedError
from lookback.media.virtual import ByteRange, VirtualFile

FILE = VirtualFile.of([b"header", ByteRange(2, 4096, 100), b"mid", ByteRange(0, 7, 5), ByteRange(2, 0, 50)])
NAMES = ["segment-000001.mp4", "segment-000002.mp4", "segment-000003.mp4"]


def test_a_plan_names_only_what_it_uses() -> None:
    plan, header, used = store_plan(FILE, NAMES)
    assert (plan.pins, used, header) == (("segment-000001.mp4", "segment-000003.mp4"), [0, 2], b"headermid")
    assert plan.pieces == ((HEADER_SOURCE, 0, 6), (2, 4096, 100), (HEADER_SOURCE, 6, 3), (1, 7, 5), (2, 0, 50))
    assert plan.size_bytes == plan.virtual().size == FILE.size


def test_a_plan_knows_what_it_needs_of_every_pin() -> None:
    plan, _, _ = store_plan(FILE, NAMES)
    assert plan.spans() == [(7, 12), (0, 4196)]


def test_a_record_is_read_as_it_was_written() -> None:
    clip = a_clip(gaps=(a_gap(),), renditions=(a_rendition(),), storage=Storage.FILE, sha256="ab", deleted_at_us=4)
    plan, _, _ = store_plan(FILE, NAMES)
    record = load_record(dump_record(clip, plan))
    assert (record.clip, record.plan) == (clip, plan)


def test_a_record_from_before_the_library_is_read() -> None:
    plan, _, _ = store_plan(FILE, NAMES)
    data = json.loads(dump_record(a_clip(), plan))
    for name in ("visibility", "tags", "share_key", "user_name", "sharer_id", "sharer_name"):
        del data["clip"][name]
    assert load_record(json.dumps(data).encode()).clip == a_clip()


def test_a_record_of_another_version_is_malformed() -> None:
    plan, _, _ = store_plan(FILE, NAMES)
    data = json.loads(dump_record(a_clip(), plan))
    data["version"] = 2
    with pytest.raises(MalformedError):
        load_record(json.dumps(data).encode())


@given(st.binary(max_size=300))
def test_any_other_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        load_record(data)


@given(st.data())
def test_a_record_that_was_cut_off_is_malformed(data: st.DataObject) -> None:
    plan, _, _ = store_plan(FILE, NAMES)
    whole = dump_record(a_clip(), plan)
    with pytest.raises(MalformedError):
        load_record(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_an_entity_tag_tells_contents_apart() -> None:
    plan, _, _ = store_plan(FILE, NAMES)
    other, _, _ = store_plan(VirtualFile.of([b"HEADER", *FILE.pieces[1:]]), NAMES)
    longer, _, _ = store_plan(VirtualFile.of([*FILE.pieces, ByteRange(1, 0, 1)]), NAMES)
    tags = {etag_of(plan, "s1"), etag_of(plan, "s2"), etag_of(other, "s1"), etag_of(longer, "s1")}
    assert len(tags) == 4
    assert etag_of(plan, "s1") == etag_of(store_plan(FILE, NAMES)[0], "s1")
