"""Where measurements keep their files: a cache for encoded content, and scratch space on a real disk."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def cache() -> Path:
    """The folder for what is worth keeping between runs; made when missing."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = Path(os.environ.get("LOOKBACK_CACHE") or base / "lookback") / "bench"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards.

    Beside the cache and not in the system's temporary folder: that one is often in memory, where fsync costs nothing.
    """
    with tempfile.TemporaryDirectory(prefix="run-", dir=cache(), ignore_cleanup_errors=True) as path:
        yield Path(path)
