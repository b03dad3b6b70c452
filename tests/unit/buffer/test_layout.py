from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.buffer.layout import BufferLayout, is_safe_name, parse_segment_name, safe_name, segment_paths

HOSTILE = [
    "../../etc/passwd",
    "..",
    ".",
    "",
    "/",
    "a/b",
    "a\\b",
    "x" * 200 + "/../",
    "\0",
    "CON",
    "-rf",
    " ",
    "日本",
    "\ud800",
]


@given(st.text() | st.sampled_from(HOSTILE))
def test_no_id_leaves_the_root(identifier: str) -> None:
    name = safe_name(identifier)
    assert "/" not in name
    assert not name.startswith((".", "-"))
    assert 0 < len(name) <= 57
    assert name == name.encode("ascii").decode().lower()
    root = Path("/buffer")
    directory = BufferLayout(root).session_dir(identifier, identifier, identifier)
    assert directory.resolve().is_relative_to(root)
    assert len(directory.relative_to(root).parts) == 3


@given(st.text() | st.sampled_from(HOSTILE))
def test_what_we_have_named_is_known_as_ours(identifier: str) -> None:
    assert is_safe_name(safe_name(identifier))


@pytest.mark.parametrize("name", ["lost+found", ".Trash-1000", ".pins", "alice", "Copy of a-0123456789abcdef", ""])
def test_what_others_have_named_is_not(name: str) -> None:
    assert not is_safe_name(name)


@given(st.text(), st.text())
def test_two_ids_never_share_a_name(one: str, other: str) -> None:
    assert (safe_name(one) == safe_name(other)) == (one == other)


def test_a_name_stays_readable() -> None:
    assert safe_name("Design Review").startswith("design-review-")


@pytest.mark.parametrize("name", ["segment-1.mp4", "segment-000001.txt", "segment-000001.mp4.damaged", "session.json"])
def test_other_files_are_no_segments(name: str) -> None:
    assert parse_segment_name(name) is None


def test_segment_names_are_read_back() -> None:
    paths = segment_paths(Path("/x"), 12, "webm")
    assert [parse_segment_name(p.name) for p in (paths.media, paths.index, paths.thumbnail)] == [
        (12, "webm"),
        (12, "idx"),
        (12, "webp"),
    ]
