"""What the kernel says is mounted."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookback.buffer.mounts import Mount, mount_of, parse_mountinfo, read_mounts
from lookback.errors import MalformedError

MOUNTINFO = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
36 22 0:52 / /srv/my\040buffer rw,noatime shared:9 master:1 - nfs4 nas:/vol/buffer rw,vers=4.2,rsize=1048576,hard
40 22 0:60 / /srv/my\040buffer/inner ro - tmpfs tmpfs ro,size=1024k
""".lstrip()


def test_mounts_are_read_with_their_options() -> None:
    root, nfs, inner = parse_mountinfo(MOUNTINFO)
    assert root == Mount("/", "ext4", "/dev/sda1", ("rw", "relatime", "errors=remount-ro"))
    assert nfs.point == "/srv/my buffer"
    assert nfs.options == ("rw", "noatime", "vers=4.2", "rsize=1048576", "hard")
    assert inner.kind == "tmpfs"


@pytest.mark.parametrize(
    ("path", "point"),
    [
        ("/", "/"),
        ("/srv/my bufferless", "/"),
        ("/srv/my buffer", "/srv/my buffer"),
        ("/srv/my buffer/a/b", "/srv/my buffer"),
        ("/srv/my buffer/inner/x", "/srv/my buffer/inner"),
    ],
)
def test_a_path_is_on_the_mount_that_is_nearest(path: str, point: str) -> None:
    found = mount_of(Path(path), parse_mountinfo(MOUNTINFO))
    assert found is not None
    assert found.point == point


def test_the_last_of_two_mounts_in_one_place_counts() -> None:
    upper = MOUNTINFO + r"50 36 0:70 / /srv/my\040buffer rw - xfs /dev/sdb rw"
    found = mount_of(Path("/srv/my buffer"), parse_mountinfo(upper))
    assert found is not None
    assert found.kind == "xfs"


def test_nobody_knows_where_nothing_is_said() -> None:
    assert mount_of(Path("/srv"), ()) is None


@pytest.mark.parametrize("line", ["36 22 0:52", "36 22 0:52 / / rw", "36 22 0:52 / / rw - ext4", "nonsense"])
def test_what_is_no_mountinfo_is_malformed(line: str) -> None:
    with pytest.raises(MalformedError):
        parse_mountinfo(line)


def test_this_machine_says_where_its_root_is() -> None:
    assert mount_of(Path("/"), read_mounts()) is not None
