from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.api.media import disposition, file_name


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("The moment", "The moment.mp4"),
        ('a/b\\c:d*e?f"g<h>i|j', "a b c d e f g h i j.mp4"),
        ("../../etc/passwd", "etc passwd.mp4"),
        ("  two  words \r\n", "two words.mp4"),
        ("...", "clip.mp4"),
        ("", "clip.mp4"),
        ("日本", "日本.mp4"),
        ("x" * 500, "x" * 120 + ".mp4"),
    ],
)
def test_a_title_becomes_a_file_name(title: str, name: str) -> None:
    assert file_name(title, "mp4").removeprefix(".. ").strip() == name


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.mp4", 'attachment; filename="a.mp4"'),
        ("ä b.mp4", "attachment; filename=\"a b.mp4\"; filename*=UTF-8''%C3%A4%20b.mp4"),
        ("日本.mp4", "attachment; filename=\"clip.mp4\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.mp4"),
        ("50 %41.mp4", "attachment; filename=\"50 41.mp4\"; filename*=UTF-8''50%20%2541.mp4"),
        (
            "\uff02; x=\uff02.mp4",
            "attachment; filename=\"; x= .mp4\"; filename*=UTF-8''%EF%BC%82%3B%20x%3D%EF%BC%82.mp4",
        ),
    ],
)
def test_a_name_is_said_in_ascii_and_if_that_loses_something_in_full(name: str, header: str) -> None:
    assert disposition("attachment", name) == header


@given(st.text(max_size=300))
def test_no_title_breaks_the_header(title: str) -> None:
    name = file_name(title.encode("utf-8", "replace").decode(), "mp4")
    assert name.endswith(".mp4")
    header = disposition("inline", name)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    plain = header.split('"')[1]
    assert plain
    assert not set(plain) & set("/\\%")
    if full := header.partition("filename*=UTF-8''")[2]:
        assert unquote(full).endswith(".mp4")
