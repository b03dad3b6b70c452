"""What a capture is compared with: copy the segments, join them by FFmpeg's concat demuxer, hash the result."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import imageio_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Sequence


def copy_concat_hash(segments: Sequence[Path], clip: Path) -> str:
    """Make `clip` of whole segments the usual way and return its SHA-256; synchronous, nothing is fsynced.

    Copying first protects the segments from eviction while FFmpeg reads them, and the hash is what integrity checks
    and entity tags are made of.
    """
    with tempfile.TemporaryDirectory(dir=clip.parent) as folder:
        copies = [Path(shutil.copy(segment, folder)) for segment in segments]
        names = Path(folder) / "list.txt"
        names.write_text("".join(f"file '{copy}'\n" for copy in copies))
        _ffmpeg("-f", "concat", "-safe", "0", "-i", str(names), "-c", "copy", "-movflags", "+faststart", str(clip))
    with clip.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _ffmpeg(*arguments: str) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", *arguments]
    subprocess.run(command, check=True, capture_output=True)
