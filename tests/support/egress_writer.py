"""A process that lays recorded files down as LiveKit Egress does, faster: partial files, playlists rewritten in place.

`python -m tests.support.egress_writer` reads steps as JSON from standard input: [seconds to wait, source, target] for
a file, [seconds, "#EXTM3U...", target] for a playlist.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

_PARTLY_S = 0.02  # a file was seen partial for 10 to 160 ms, a playlist empty for as long
_ROOT = Path(__file__).resolve().parents[2]

Step = tuple[float, str, str]


def moved(playlist: str, by_us: int) -> str:
    """A playlist whose dates are later by so much."""

    def later(date: re.Match[str]) -> str:
        instant = datetime.fromisoformat(date[1]) + timedelta(microseconds=by_us)
        return f"TIME:{instant.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}\n"

    return re.sub(r"TIME:(.*)\n", later, playlist)


def steps(
    fixture: Path,
    names: Sequence[str],
    target: Path,
    *,
    every_s: float = 0.3,
    ended: bool = False,
    by_us: int = 0,
) -> list[Step]:
    """The order of things that was recorded: a file, partial at first, then the playlist that names it, in place."""
    lines = moved((fixture / "index.m3u8").read_text(), by_us).splitlines(keepends=True)
    done: list[Step] = []
    first = lines.index("#EXT-X-MEDIA-SEQUENCE:0\n") + 1
    kept: list[str] = []
    for name in names:
        at = lines.index(f"{name}\n")
        kept += lines[at - 2 : at + 1]
        end = ["#EXT-X-ENDLIST\n"] if ended and name == names[-1] else []
        done.append((every_s, str(fixture / name), str(target / name)))
        done.append((0.01, "".join([*lines[:first], *kept, *end]), str(target / "index.m3u8")))
    return done


@asynccontextmanager
async def writing(script: Sequence[Step]) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process, killed at the end of the block when it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.egress_writer",
        stdin=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": f"{_ROOT / 'src'}{os.pathsep}{_ROOT}"},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(list(script)).encode())
    process.stdin.close()
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _lay_down(data: bytes, target: Path) -> None:
    with target.open("wb") as file:  # the same file again: its inode stays, and for a moment it is empty
        time.sleep(_PARTLY_S)
        file.write(data[: len(data) // 3])
        file.flush()
        time.sleep(_PARTLY_S)
        file.write(data[len(data) // 3 :])


def main() -> None:
    for wait_s, source, target in json.load(sys.stdin):
        time.sleep(wait_s)
        path = Path(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        _lay_down(source.encode() if source.startswith("#EXTM3U") else Path(source).read_bytes(), path)


if __name__ == "__main__":
    main()
