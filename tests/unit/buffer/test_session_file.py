from __future__ import annotations

import errno
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lookback.buffer.session_file import SessionRecord, read_session, replace_durably, write_session
from lookback.errors import MalformedError

if TYPE_CHECKING:
    from pathlib import Path

RECORD = SessionRecord("s1", "Raum ../ 1", "alice", "whip", 1_795_384_759_000_000, community_id="c1")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_session(tmp_path, RECORD)
    ended = replace(RECORD, ended_at_us=RECORD.started_at_us + 1, cause="stopped")
    write_session(tmp_path, ended)
    assert read_session(tmp_path) == ended
    assert [p.name for p in tmp_path.iterdir()] == ["session.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"session_id": "x"}', "\0" * 100, "[" * 100_000])
def test_a_damaged_file_is_said_to_be(tmp_path: Path, text: str) -> None:
    (tmp_path / "session.json").write_text(text)
    with pytest.raises(MalformedError):
        read_session(tmp_path)


def test_members_of_a_later_version_are_let_pass(tmp_path: Path) -> None:
    write_session(tmp_path, RECORD)
    path = tmp_path / "session.json"
    path.write_text(path.read_text().replace("{", '{"colour": "blue",', 1))
    assert read_session(tmp_path) == RECORD


@pytest.mark.parametrize(
    "member", ['"started_at_us": "soon"', '"room_name": null', '"ended_at_us": 1.5', '"cause": []']
)
def test_members_of_the_wrong_kind_are_said_to_be(tmp_path: Path, member: str) -> None:
    write_session(tmp_path, RECORD)
    path = tmp_path / "session.json"
    path.write_text(path.read_text().rstrip().removesuffix("}") + f", {member}}}")
    with pytest.raises(MalformedError):
        read_session(tmp_path)


def test_a_file_written_in_pieces_is_whole(tmp_path: Path) -> None:
    replace_durably(tmp_path / "file", b"0123456789", lambda fd, data: os.write(fd, data[:3]))
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_a_disk_that_takes_only_a_part_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    room = [10, 3]

    def write(fd: int, data: memoryview) -> int:
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.write(fd, data[: room.pop()])

    (tmp_path / "file").write_bytes(b"before")
    with pytest.raises(OSError, match="No space"):
        replace_durably(tmp_path / "file", b"x" * 100, write)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"before")]
