"""A clip opened for reading: every file its bytes come from is held open, so that nothing can take them away."""

from __future__ import annotations

import io
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from lookback.media.virtual import ByteRange, VirtualFile, piece_size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lookback.clips.placing import Placer


class OpenedClip:
    """Bytes `[start, stop)` of a clip, readable whatever happens to the names of its files meanwhile.

    Blocking; may be used from any thread, by several at once. Raises FileNotFoundError when a source is gone.
    """

    def __init__(self, file: VirtualFile, sources: Sequence[Path], start: int = 0, stop: int | None = None) -> None:
        self.size = file.size
        self._file = file
        self._files: dict[int, io.FileIO] = {}
        pieces = file.slices(start, file.size if stop is None else stop)
        needed = {piece.segment for piece in pieces if isinstance(piece, ByteRange)}
        with ExitStack() as opened:
            for number in sorted(needed):
                self._files[number] = opened.enter_context(io.FileIO(sources[number]))
            self._closing = opened.pop_all()

    @classmethod
    def of_file(cls, path: Path) -> OpenedClip:
        """Open a physical file."""
        size = path.stat().st_size
        return cls(VirtualFile.of([ByteRange(0, 0, size)]), [path])

    def read_at(self, position: int, length: int) -> bytes:
        """Return the bytes at `position`: `length` of them, or as many as the clip has.

        Raises OSError when a source is shorter than the plan says.
        """
        parts = [self._read(piece) for piece in self._file.slices(position, position + length)]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def place(self, placer: Placer) -> None:
        """Put the whole clip into the placer's target, from position 0 on."""
        at = 0
        for piece in self._file.pieces:
            if isinstance(piece, ByteRange):
                placer.place(self._files[piece.segment].fileno(), piece.offset, piece.length, at)
            else:
                placer.write(piece, at)
            at += piece_size(piece)

    def close(self) -> None:
        """Let go of the files."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _read(self, piece: ByteRange | bytes) -> bytes:
        if not isinstance(piece, ByteRange):
            return piece
        descriptor = self._files[piece.segment].fileno()
        data = os.pread(descriptor, piece.length, piece.offset)
        if len(data) < piece.length:
            raise OSError("A clip's source is shorter than its plan")
        return data


class ClipStream(io.RawIOBase):
    """An opened clip as the kind of file that PyAV reads. Closing it does not close the clip."""

    def __init__(self, clip: OpenedClip) -> None:
        self._clip = clip
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes from the current position."""
        data = self._clip.read_at(self._at, self._clip.size - self._at if size < 0 else size)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position in bytes."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._clip.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """The current position in bytes."""
        return self._at
