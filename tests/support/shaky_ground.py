"""File systems that fail: a small one to fill, and one to write-protect, for any user.

The server runs in a mount namespace of its own (and in a user namespace when we are not root), so nothing is mounted
where anybody else can see it; from outside, its files are below /proc/PID/root.
"""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

_PIECE = 64 * 1024


def on_a_small_disk(folder: Path, megabytes: int, options: str = "rw") -> list[str]:
    """The command prefix that runs a program with `folder` on a file system of its own, of that size."""
    mount = f'mount -t tmpfs -o size={megabytes}m,{options} lookback-test "$0" && exec "$@"'
    return [*namespace(), "sh", "-c", mount, str(folder)]


def on_a_loop_mount(folder: Path, image: Path, megabytes: int, options: str = "loop") -> list[str]:
    """The same with ext4 in a file."""
    _require_root()
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    return on_an_image(folder, image, options)


def on_an_image(folder: Path, image: Path, options: str = "loop") -> list[str]:
    """The same with the file system that is in a file. The command fails where the kernel does not know it."""
    _require_root()
    mount = f'mount -o {options} "$1" "$0" && shift && exec "$@"'
    return [*namespace(), "sh", "-c", mount, str(folder), str(image)]


def _require_root() -> None:
    if os.geteuid():
        pytest.skip("Only root can loop-mount a file system; the same runs on tmpfs for everybody")


def inside(pid: int) -> list[str]:
    """The command prefix that runs another program where the process with `on_a_small_disk`'s command runs."""
    users = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
    return ["nsenter", f"--target={pid}", *users, "--mount"]


def mount_for(pid: int, *command: str) -> None:
    """Run `mount` or `umount` where that process sees it."""
    done = subprocess.run([*inside(pid), *command], capture_output=True, text=True, check=False)
    assert not done.returncode, f"{' '.join(command)}: {done.stderr.strip()}"


def bound_by_modes() -> list[str]:
    """The command prefix that runs a program which the modes of files hold up, also when we are root."""
    if os.geteuid():
        return []
    without = "-dac_override,-dac_read_search"
    return ["setpriv", f"--inh-caps={without}", f"--bounding-set={without}"]


def on_a_removable_disk(disk: Path, folder: Path, megabytes: int) -> list[str]:
    """The same with the disk at `disk`, too: from there it can be mounted on `folder` again with all that is on it."""
    mount = f'mount -t tmpfs -o size={megabytes}m lookback-test "$0" && mount --bind "$0" "$1" && shift && exec "$@"'
    return [*namespace(), "sh", "-c", mount, str(disk), str(folder)]


def seen_by(pid: int, path: Path) -> Path:
    """The path as the process sees it."""
    return Path(f"/proc/{pid}/root{path}")


def fill(folder: Path) -> Path:
    """Use up all space of the file system; return the file that holds it."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(_PIECE))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    return ballast


def namespace() -> list[str]:
    """How to get a mount namespace here; fails with the reason where none is to be had."""
    command = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    probe = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        message = f"This test needs a mount namespace ({' '.join(command)}): {probe.stderr.strip()}"
        raise AssertionError(message)
    return command
