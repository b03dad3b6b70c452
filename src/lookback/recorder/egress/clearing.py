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
_LIVE_PLAYLIST = "live.m3u8"


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


def clear_folder(folder: Path, playlist: str) -> None:
    """Delete what is left of an egress that has ended: its playlists and its folder, if that holds nothing else.

    Blocks.
    """
    try:
        left = set(folder.iterdir())
        if left <= {folder / playlist, folder / _LIVE_PLAYLIST}:
            for path in left:
                path.unlink(missing_ok=True)
            folder.rmdir()
    except OSError as error:
        log.info("egress.folder_kept", folder=folder.name, reason=str(error))


def _make_durable(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fdatasync(fd)
    finally:
        os.close(fd)
