"""What LiveKit Egress really wrote, and what a player makes of it: the truth that our copies are compared with."""

from __future__ import annotations

import hashlib
import io
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from lookback.recorder.egress.playlist import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

DATA = Path(__file__).parent.parent / "data" / "egress"
KILLED, KILLED_TMP = DATA / "killed", DATA / "killed_tmp"
SOUND_RATE = 44_100


@dataclass(frozen=True, slots=True)
class Shot:
    """A decoded picture: when it appears, in UTC microseconds or seconds of a file, what it looks like, its number.

    The number stands in 14 blocks of 16 pixels in the upper left corner of a picture 640 wide.
    """

    at: float
    look: str
    number: int


def dated(folder: Path, name: str) -> int:
    """When a playlist says that a file begins, in UTC microseconds."""
    entry = next(e for e in parse((folder / "index.m3u8").read_bytes()).entries if e.name == name)
    assert entry.start_us is not None
    return entry.start_us


def shots(files: Sequence[Path], begins_us: int) -> list[Shot]:
    """Every picture of consecutive files, the first of which begins at `begins_us`."""
    found = [shot for file in files for shot in _decoded(file)]
    return [replace(shot, at=begins_us + round((shot.at - found[0].at) * 1_000_000)) for shot in found]


def clip_shots(clip: bytes | Path) -> list[Shot]:
    """Every picture that a player shows of a clip, by seconds."""
    return [shot for shot in _decoded(clip) if shot.at >= 0]


def sound(media: Any, from_s: float) -> NDArray[np.float32]:
    """One channel from an instant of the file on."""
    heard = np.zeros(0, np.float32)
    with av.open(_opened(media)) as container:
        for frame in container.decode(audio=0):
            at = round((float(frame.pts * frame.time_base) - from_s) * frame.sample_rate)
            part = frame.to_ndarray()[0].astype(np.float32)
            if at + len(part) <= 0:
                continue
            heard = np.pad(heard, (0, max(0, at + len(part) - len(heard))))
            heard[max(at, 0) : at + len(part)] = part[max(-at, 0) :]
    return heard


def first_picture_s(file: Path) -> float:
    """The time of the first picture as the file itself counts it."""
    return next(iter(_decoded(file))).at


def lay(folder: Path, *files: Path, playlist: str) -> Path:
    """A folder as an egress that is over left it."""
    folder.mkdir(exist_ok=True)
    for file in files:
        shutil.copy(file, folder)
    (folder / "index.m3u8").write_text(playlist)
    return folder


def playlist(*entries: tuple[str, float, str], ended: bool = True) -> str:
    """A playlist of (name, seconds, date)."""
    rows = [f"#EXT-X-PROGRAM-DATE-TIME:{date}\n#EXTINF:{length:.3f},\n{name}\n" for name, length, date in entries]
    return "".join(["#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n", *rows, "#EXT-X-ENDLIST\n" if ended else ""])


def _decoded(media: Any) -> Iterator[Shot]:
    with av.open(_opened(media)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            luma = frame.to_ndarray(format="gray")
            look = hashlib.sha256(luma.tobytes()).hexdigest()[:16]
            number = sum(1 << bit for bit in range(14) if luma[16, bit * 16 + 8] > 128)
            yield Shot(float(frame.pts * frame.time_base), look, number)


def _opened(media: Any) -> Any:
    return io.BytesIO(media) if isinstance(media, bytes) else str(media)


FILES = [KILLED / "seg_00000.ts", KILLED / "seg_00001.ts"]
BEGINS_US = dated(KILLED, "seg_00000.ts")
TWO = playlist(("seg_00000.ts", 10, "2026-11-22T21:01:39.936Z"), ("seg_00001.ts", 10, "2026-11-22T21:01:49.936Z"))


def expected(start_us: int, end_us: int, files: list[Path] = FILES) -> list[tuple[float, str]]:
    """What a clip of a range shows: the picture on screen at its start, then all that come."""
    seen = [shot for shot in shots(files, BEGINS_US) if shot.at < end_us]
    begin = max(at for at, shot in enumerate(seen) if shot.at <= start_us)
    return [(max(0.0, (shot.at - start_us) / 1_000_000), shot.look) for shot in seen[begin:]]
