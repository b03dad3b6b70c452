"""Disks that become read-only under open files, and writable again as an operator makes them so."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.support.shaky_ground import inside, mount_for, on_a_loop_mount, on_a_small_disk
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

_MEGABYTES = 128
LETS_GO_SECONDS = 10


class ReadOnlyDisk(Protocol):
    """A disk at a folder. `command` is the prefix that runs a program on it; the process is who sees the mount."""

    command: list[str]

    def turn_read_only(self, pid: int) -> None:
        """Let it happen."""

    async def make_writable(self, pid: int) -> None:
        """Bring it back."""


class ProtectedMount:
    """A mount that is write-protected: new files are refused, those that are open go on. For any user.

    The file system itself cannot be made read-only while a file on it is open for writing (EBUSY), but another mount
    of it on the same folder can.
    """

    def __init__(self, folder: Path, _image: Path) -> None:
        self._folder = str(folder)
        self.command = on_a_small_disk(folder, _MEGABYTES)

    def turn_read_only(self, pid: int) -> None:
        """Mount it once more, above itself, and write-protect that."""
        mount_for(pid, "mount", "--bind", self._folder, self._folder)
        mount_for(pid, "mount", "-o", "remount,bind,ro", self._folder)

    async def make_writable(self, pid: int) -> None:
        """Lift the write protection."""
        mount_for(pid, "mount", "-o", "remount,bind,rw", self._folder)


class DamagedExt4:
    """ext4 as distributions mount it, on which the kernel finds an error: from then on nothing is written. For root."""

    _OPTIONS = "loop,errors=remount-ro"

    def __init__(self, folder: Path, image: Path) -> None:
        self._folder, self._image = str(folder), image
        self.command = on_a_loop_mount(folder, image, _MEGABYTES, self._OPTIONS)

    def turn_read_only(self, pid: int) -> None:
        """Let the kernel find an error; the test is skipped where it cannot be told to."""
        trigger = Path("/sys/fs/ext4", Path(self._devices()[0]).name, "trigger_fs_error")
        try:
            trigger.write_text("a test")
        except OSError as error:
            pytest.skip(f"This kernel lets nobody trigger an error of ext4: {error}")
        refused = subprocess.run([*inside(pid), "mount", "-o", "remount,rw", self._folder], check=False)
        assert refused.returncode, "what has found an error cannot be made writable without a look at it"

    async def make_writable(self, pid: int) -> None:
        """Unmount it, check it and mount it again, while the server runs."""
        mount_for(pid, "umount", "--lazy", self._folder)
        await eventually(
            lambda: not self._devices(), within=LETS_GO_SECONDS, what="that nobody holds what was unmounted"
        )
        self._check()
        mount_for(pid, "mount", "-o", self._OPTIONS, str(self._image), self._folder)

    def _check(self) -> None:
        checked = subprocess.run(["e2fsck", "-p", str(self._image)], capture_output=True, text=True, check=False)
        assert checked.returncode in {0, 1}, checked.stdout  # without errors, or corrected

    def _devices(self) -> list[str]:
        """The loop device of the image, while it has one."""
        command = ["losetup", "--associated", str(self._image), "--noheadings", "--output", "NAME"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


READ_ONLY_DISKS: dict[str, Callable[[Path, Path], ReadOnlyDisk]] = {
    "a write-protected mount": ProtectedMount,
    "ext4 after an error": DamagedExt4,
}
