"""A disk that is not mounted is recognised, and nothing is made in the place below it."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from lookback.buffer.marker import (
    MARKER,
    RootAwayError,
    RootIdentity,
    is_away,
    make_directory,
    open_root,
    recognise,
    require_root,
)
from lookback.buffer.mounts import Mount

if TYPE_CHECKING:
    from pathlib import Path

UNMOUNTED = "/no/such/mount"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "buffer"
    root.mkdir()
    return root


def elsewhere(identity: RootIdentity) -> RootIdentity:
    """The same root, said to be on a file system that is not mounted."""
    return RootIdentity(identity.root_id, UNMOUNTED)


def test_a_root_is_marked_once(root: Path) -> None:
    first = recognise(root)
    assert recognise(root) == recognise(root, first) == first
    assert [path.name for path in root.iterdir()] == [MARKER]
    require_root(root, first)


def test_the_marker_counts_whatever_is_mounted(root: Path) -> None:
    identity = elsewhere(recognise(root))
    require_root(root, identity)
    assert not is_away(root, identity)


def test_without_marker_and_mount_the_disk_is_away(root: Path) -> None:
    identity = elsewhere(recognise(root))
    (root / MARKER).unlink()
    assert is_away(root, identity)
    for attempt in (require_root, recognise):
        with pytest.raises(RootAwayError):
            attempt(root, identity)
    with pytest.raises(RootAwayError) as error:
        make_directory(root, root / "room" / "user", identity)
    assert error.value.errno == errno.ENODEV
    assert list(root.iterdir()) == [], "nothing is made below a mount"


def test_a_root_that_is_gone_with_its_mount_is_not_made(root: Path) -> None:
    identity = elsewhere(recognise(root))
    shutil.rmtree(root)
    with pytest.raises(RootAwayError):
        make_directory(root, root / "room", identity)
    assert is_away(root, identity)
    assert not root.exists()


def test_a_root_that_was_removed_is_made_again(root: Path) -> None:
    identity = recognise(root)
    shutil.rmtree(root)
    assert not is_away(root, identity)
    make_directory(root, root / "room" / "user", identity)
    assert (root / "room" / "user").is_dir()
    assert recognise(root) == identity


def test_an_emptied_disk_gets_its_marker_again(root: Path) -> None:
    identity = recognise(root)
    (root / MARKER).unlink()
    require_root(root, identity)
    assert recognise(root) == identity


def test_another_disk_is_not_taken_while_running_but_when_starting_anew(root: Path) -> None:
    other = recognise(root)
    mine = RootIdentity("mine", other.mount_point)
    with pytest.raises(RootAwayError, match="Another disk"):
        require_root(root, mine)
    assert recognise(root, mine) == other


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"root": 1}', b'{"root": ""}', b"\xff"])
def test_a_damaged_marker_is_as_none(root: Path, content: bytes) -> None:
    identity = recognise(root)
    (root / MARKER).write_bytes(content)
    require_root(root, identity)
    assert recognise(root) == identity


def test_what_is_opened_before_the_mount_goes_is_not_the_place_below(root: Path) -> None:
    identity = recognise(root)
    (root / MARKER).unlink()
    with pytest.raises(RootAwayError):
        open_root(root, identity, lambda: (Mount("/elsewhere", "ext4", "/dev/sda", ()),))
    assert list(root.iterdir()) == []


def test_where_the_kernel_says_nothing_the_root_is_believed(root: Path) -> None:
    identity = elsewhere(recognise(root))
    (root / MARKER).unlink()
    os.close(open_root(root, identity, lambda: ()))
    assert (root / MARKER).exists()


def test_without_an_identity_any_directory_is_taken(tmp_path: Path) -> None:
    root = tmp_path / "anew"
    make_directory(root, root / "room", None)
    assert (root / "room").is_dir()
    assert not (root / MARKER).exists()
