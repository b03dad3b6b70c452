"""Delete a file of Egress, but never before what it held can be read from our own disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import structlog

from lookback.buffer.reader import read_segments

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger(__name__)

_TOLERANCE_US = 1_000


def clear(path: Path, buffer: Path, until_us: int) -> bool:
    """Delete `path` when everything before `until_us` is durably in the session's directory. Blocks.

    Returns whether it was deleted. One that stays is a matter for the log: it is the operator's disk.
    """
    try:
        newest = read_segments(buffer)[-2:]
        if not newest or newest[-1].extent.end_us < until_us - _TOLERANCE_US:
            log.warning("egress.file_kept", file=path.name, reason="it is not safely in the buffer")
            return False
        for segment in newest:
            _make_durable(segment.media_path)
            _make_durable(segment.index_path)
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("egress.file_kept", file=path.name, reason=str(error))
        return False
    return True


def _make_durable(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fdatasync(fd)
    finally:
        os.close(fd)
