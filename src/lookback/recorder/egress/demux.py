"""The process that reads MPEG-TS files: what a hostile file breaks is this, never the recorder.

`python -m lookback.recorder.egress.demux` takes one path per line on standard input and writes the samples of that
file, in the order they stand in it, to standard output (pipe has the framing). It can write no file, and takes no more
memory than MEMORY_BYTES.
"""

from __future__ import annotations

import os
import resource
import stat
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import av

from lookback.recorder.egress.pipe import Kind, TsSample, pack

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY_BYTES = 1 << 30
MOST_FILE_BYTES = 256 << 20
"""10 s of 200 Mbit/s: nothing that Egress writes."""

_KINDS = {"h264": Kind.VIDEO, "aac": Kind.AUDIO}
_DELIMITER, _FILLER = 9, 12  # NAL unit types, H.264 table 7-1
_OPTIONS = {"scan_all_pmts": "0", "probesize": "5000000"}


def samples(file: BinaryIO) -> Iterator[TsSample]:
    """Yield the samples of the first H.264 and the first AAC stream; raises OSError, ValueError or EOFError."""
    with av.open(file, "r", format="mpegts", options=_OPTIONS) as container:
        streams: dict[Kind, Any] = {}
        for stream in container.streams:
            context = stream.codec_context
            kind = _KINDS.get(context.name) if context is not None else None
            if kind is not None:
                streams.setdefault(kind, stream)
        if not streams:
            raise ValueError("The file has no H.264")
        kinds = {stream.index: kind for kind, stream in streams.items()}
        for packet in container.demux(list(streams.values())):
            if packet.dts is not None and packet.pts is not None and packet.size:
                yield _sample(kinds[packet.stream.index], packet)


def with_lengths(annex_b: bytes) -> bytes:
    """NAL units with 4-byte lengths instead of start codes; delimiters and filler are left out (14496-15, 5.3.2)."""
    units = (unit.rstrip(b"\0") for unit in annex_b.split(b"\0\0\1")[1:])
    kept = (unit for unit in units if unit and unit[0] & 31 not in {_DELIMITER, _FILLER})
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in kept)


def _sample(kind: Kind, packet: Any) -> TsSample:
    data = bytes(packet)
    if kind is Kind.VIDEO:
        data = with_lengths(data)
    return TsSample(kind, packet.dts, packet.pts, data, packet.is_keyframe, packet.is_corrupt)


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(fd, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_FILE_BYTES:
            raise ValueError("It is no file, or larger than any that Egress writes")
        yield file


def _read(path: str, output: int) -> str:
    """Write what a file holds; return why there is not more."""
    try:
        with _opened(path) as file:
            for sample in samples(file):
                _write(output, sample)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        return str(error) or type(error).__name__
    return ""


def _write(output: int, sample: TsSample) -> None:
    view = memoryview(pack(sample))
    while view:
        view = view[os.write(output, view) :]


def _confine() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Serve paths until standard input ends."""
    output = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not get between the samples
    av.logging.set_level(None)
    _confine()
    try:
        for line in sys.stdin.buffer:
            reason = _read(os.fsdecode(line.rstrip(b"\n")), output)
            _write(output, TsSample(Kind.END, 0, 0, reason.encode()[:500]))
    except BrokenPipeError:
        os._exit(0)  # the recorder is gone: nobody wants the samples


if __name__ == "__main__":
    main()
