from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, NoReturn

import pytest

from lookback.clips.file_calls import FileCalls
from lookback.clips.placing import BLOCK, Placer, StoppedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = bytes(range(256)) * 200


@pytest.fixture
def files(tmp_path: Path) -> Iterator[tuple[int, int]]:
    (tmp_path / "source").write_bytes(CONTENT)
    source, target = os.open(tmp_path / "source", os.O_RDONLY), os.open(tmp_path / "t", os.O_RDWR | os.O_CREAT)
    yield source, target
    os.close(source)
    os.close(target)


def cannot(number: int) -> FileCalls:
    def call(*_: int) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return FileCalls(clone_range=call, copy_range=call)


def sharing(shared: list[int]) -> FileCalls:
    """A file system with shared blocks, by copying."""

    def clone(source: int, target: int, length: int, offset: int, position: int) -> None:
        assert (length % BLOCK, offset % BLOCK, position % BLOCK) == (0, 0, 0)
        shared.append(length)
        os.pwrite(target, os.pread(source, length, offset), position)

    return FileCalls(clone_range=clone)


def test_bytes_are_placed_where_they_belong(files: tuple[int, int]) -> None:
    source, target = files
    Placer(target).place(source, 1000, 30_000, 5)
    assert os.pread(target, 40_000, 5) == CONTENT[1000:31_000]


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_what_a_file_system_cannot_do_is_done_by_reading_and_writing(files: tuple[int, int], number: int) -> None:
    source, target = files
    placer = Placer(target, cannot(number))
    for at in (0, BLOCK, 10_000):
        placer.place(source, at, 9_000, at)
        assert os.pread(target, 9_000, at) == CONTENT[at : at + 9_000]


def test_whole_blocks_are_shared_and_the_rest_is_copied(files: tuple[int, int]) -> None:
    source, target = files
    shared: list[int] = []
    placer = Placer(target, sharing(shared))
    placer.place(source, BLOCK, 2 * BLOCK + 100, 0)
    placer.place(source, 1, BLOCK, 3 * BLOCK)
    placer.place(source, 0, 50, 5 * BLOCK)
    assert shared == [2 * BLOCK]
    assert os.pread(target, 2 * BLOCK + 100, 0) == CONTENT[BLOCK : 3 * BLOCK + 100]
    assert os.pread(target, BLOCK, 3 * BLOCK) == CONTENT[1 : BLOCK + 1]
    assert os.pread(target, 50, 5 * BLOCK) == CONTENT[:50]


def test_a_disk_error_is_not_hidden(files: tuple[int, int]) -> None:
    source, target = files
    with pytest.raises(OSError, match="No space left"):
        Placer(target, cannot(errno.ENOSPC)).place(source, 0, BLOCK, 0)
    with pytest.raises(OSError, match="Input/output"):
        Placer(target, cannot(errno.EIO)).place(source, 1, 10, 0)


@pytest.mark.parametrize("calls", [FileCalls(), cannot(errno.EXDEV)])
def test_a_source_that_is_too_short_is_an_error(files: tuple[int, int], calls: FileCalls) -> None:
    source, target = files
    with pytest.raises(OSError, match="shorter"):
        Placer(target, calls).place(source, len(CONTENT) - 10, 11, 0)


def test_it_stops_when_told_to(files: tuple[int, int]) -> None:
    source, target = files
    with pytest.raises(StoppedError):
        Placer(target, stop=lambda: True).place(source, 0, 10, 0)
