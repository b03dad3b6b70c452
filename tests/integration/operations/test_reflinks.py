"""Real file systems: whether copies can share their bytes is told as it is, and used."""

from __future__ import annotations

import lzma
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.shaky_ground import on_a_loop_mount, on_a_small_disk, on_an_image, seen_by

from lookback.clips.placing import Placer
from lookback.operations.storage_probe import probe_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

XFS = Path(__file__).parents[2] / "data" / "xfs-reflink.img.xz"
"""An empty file system of 32 MB: `mkfs.xfs --unsupported -m crc=1,reflink=1`."""
MEGABYTES = 32
COPIED_BYTES = 8 << 20


def ground(kind: str, folder: Path, image: Path) -> list[str]:
    if kind == "tmpfs":
        return on_a_small_disk(folder, MEGABYTES)
    if kind == "ext4":
        return on_a_loop_mount(folder, image, MEGABYTES)
    image.write_bytes(lzma.decompress(XFS.read_bytes()))
    return on_an_image(folder, image)


@contextmanager
def mounted(kind: str, tmp_path: Path) -> Iterator[Path]:
    """The root of a file system of this kind, as a process sees it for as long as the block lasts."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    with holding(ground(kind, folder, tmp_path / "image")) as (pid, there):
        if not there:
            pytest.skip(f"This kernel does not mount {kind}")
        yield seen_by(pid, folder)


@contextmanager
def holding(command: Sequence[str]) -> Iterator[tuple[int, bool]]:
    """A process that stands on this ground; whether it does."""
    waiting = [*command, "sh", "-c", "echo there; exec cat"]
    with subprocess.Popen(waiting, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            yield holder.pid, holder.stdout.readline() == b"there\n"
        finally:
            holder.stdin.close()


def used_bytes(root: Path) -> int:
    """How much of the file system is taken, when everything is on the disk."""
    folder = os.open(root, os.O_RDONLY)
    try:
        os.fsync(folder)
        disk = os.fstatvfs(folder)
    finally:
        os.close(folder)
    return (disk.f_blocks - disk.f_bfree) * disk.f_frsize


@pytest.mark.parametrize(("kind", "reflinks"), [("xfs", True), ("ext4", False), ("tmpfs", False)])
def test_the_probe_tells_whether_copies_share_their_bytes_and_they_do(
    tmp_path: Path, kind: str, *, reflinks: bool
) -> None:
    with mounted(kind, tmp_path) as root:
        facts = probe_root("buffer", root, None)
        assert (facts.fault, facts.hard_links, facts.reflinks) == (0, True, reflinks)
        assert not list(root.glob(".probe*"))
        content = os.urandom(COPIED_BYTES)
        with (root / "source").open("w+b") as source, (root / "copy").open("wb") as target:
            source.write(content)
            source.flush()
            os.fsync(source.fileno())
            before = used_bytes(root)
            Placer(target.fileno()).place(source.fileno(), 0, COPIED_BYTES, 0)
            os.fsync(target.fileno())
        assert (root / "copy").read_bytes() == content
        assert (used_bytes(root) - before < COPIED_BYTES // 2) is reflinks
