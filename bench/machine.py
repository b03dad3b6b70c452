"""Where a figure comes from: the machine, the file system and the commit."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lookback.buffer.mounts import mount_of, read_mounts

ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = ("aiortc", "av", "numpy", "uvloop")


def machine(scratch: Path) -> dict[str, Any]:
    """Describe the machine and the file system that `scratch` is on."""
    mount = mount_of(scratch.resolve(), read_mounts())
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memoryBytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "fileSystem": mount.kind if mount is not None else "unknown",
        "loadAverage": [round(value, 2) for value in os.getloadavg()],
    }


def commit() -> dict[str, Any]:
    """The commit this checkout stands on, and whether tracked files differ from it."""
    return {"id": _git("rev-parse", "HEAD"), "dirty": bool(_git("status", "--porcelain", "--untracked-files=no"))}


def _cpu_model() -> str:
    match = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return match[1] if match else platform.machine()


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return ""  # a tarball has no history; the figures still count
    return done.stdout.strip()
