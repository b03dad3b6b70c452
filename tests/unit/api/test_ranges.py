from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.api.ranges import NotModified, Part, PreconditionFailed, Selection, Unsatisfiable, Whole, select

TAG = '"abc"'
SIZE = 100


@pytest.mark.parametrize(
    ("wanted", "selection"),
    [
        ("bytes=0-0", Part(0, 1)),
        ("bytes=0-99", Part(0, 100)),
        ("bytes=10-", Part(10, 100)),
        ("bytes=-1", Part(99, 100)),
        ("bytes=-1000", Part(0, 100)),
        ("bytes=99-1000", Part(99, 100)),
        ("BYTES=1-2", Part(1, 3)),
        ("bytes= 1-2 ", Part(1, 3)),
        ("bytes=100-", Unsatisfiable()),
        ("bytes=100-200", Unsatisfiable()),
        ("bytes=-0", Unsatisfiable()),
        ("bytes=999999999999999999-", Unsatisfiable()),
        ("bytes=9" + "9" * 5000 + "-", Whole()),
        ("bytes=5-4", Whole()),
        ("bytes=-", Whole()),
        ("bytes=0-1,2-3", Whole()),
        ("bytes=--1", Whole()),
        ("bytes=+1-2", Whole()),
        ("bytes=\u0661-2", Whole()),
        ("items=0-1", Whole()),
        ("", Whole()),
    ],
)
def test_a_range_selects(wanted: str, selection: Selection) -> None:
    assert select({"range": wanted}, TAG, SIZE) == selection


def test_of_nothing_there_is_no_part() -> None:
    assert select({"range": "bytes=0-"}, TAG, 0) == Unsatisfiable()
    assert select({"range": "bytes=-5"}, TAG, 0) == Unsatisfiable()
    assert select({}, TAG, 0) == Whole()


@pytest.mark.parametrize(
    ("headers", "selection"),
    [
        ({"if-match": TAG}, Whole()),
        ({"if-match": "*"}, Whole()),
        ({"if-match": '"x", "abc"'}, Whole()),
        ({"if-match": 'W/"abc"'}, PreconditionFailed()),
        ({"if-match": '"x"'}, PreconditionFailed()),
        ({"if-match": ""}, PreconditionFailed()),
        ({"if-match": "abc"}, PreconditionFailed()),
        ({"if-none-match": TAG}, NotModified()),
        ({"if-none-match": 'W/"abc"'}, NotModified()),
        ({"if-none-match": "*"}, NotModified()),
        ({"if-none-match": '"x"'}, Whole()),
        ({"if-match": '"x"', "if-none-match": TAG}, PreconditionFailed()),
        ({"if-none-match": TAG, "range": "bytes=0-1"}, NotModified()),
        ({"if-range": TAG, "range": "bytes=0-1"}, Part(0, 2)),
        ({"if-range": 'W/"abc"', "range": "bytes=0-1"}, Whole()),
        ({"if-range": "Tue, 24 Nov 2026 20:00:00 GMT", "range": "bytes=0-1"}, Whole()),
        ({"if-range": '"x"', "range": "bytes=200-"}, Whole()),
    ],
)
def test_conditions_come_first(headers: dict[str, str], selection: Selection) -> None:
    assert select(headers, TAG, SIZE) == selection


def test_for_head_a_range_means_nothing() -> None:
    assert select({"range": "bytes=0-1"}, TAG, SIZE, ranges=False) == Whole()
    assert select({"range": "bytes=500-"}, TAG, SIZE, ranges=False) == Whole()
    assert select({"if-none-match": TAG}, TAG, SIZE, ranges=False) == NotModified()


@given(st.text(max_size=40) | st.from_regex(r"bytes=[0-9]{0,4}-[0-9]{0,4}(,[0-9]*-[0-9]*)?"), st.integers(0, 300))
def test_whatever_is_asked_for_a_part_lies_inside(wanted: str, size: int) -> None:
    selection = select({"range": wanted}, TAG, size)
    if isinstance(selection, Part):
        assert 0 <= selection.start < selection.stop <= size
    else:
        assert isinstance(selection, Whole | Unsatisfiable)
