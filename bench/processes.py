"""What a running process has used, read from /proc; and the counters the kernel keeps about lost datagrams."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """A reading of one process at one moment. `cpu_seconds` is user plus system of all its threads."""

    at: float
    cpu_seconds: float
    rss_bytes: int
    written_bytes: int

    def cpu_percent_since(self, earlier: Usage) -> float:
        """Share of one core between two readings, in percent."""
        return (self.cpu_seconds - earlier.cpu_seconds) / (self.at - earlier.at) * 100


def usage(pid: int) -> Usage:
    """Read a process; raises FileNotFoundError when it is gone.

    The scheduler's own nanoseconds where the kernel has them, because ticks of 10 ms are coarse for a process that
    runs for microseconds at a time.
    """
    proc = Path(f"/proc/{pid}")
    rss_pages = int((proc / "statm").read_text().split()[1])
    written = next(line for line in (proc / "io").read_text().splitlines() if line.startswith("write_bytes"))
    return Usage(
        at=time.monotonic(),
        cpu_seconds=_cpu_seconds(proc),
        rss_bytes=rss_pages * os.sysconf("SC_PAGE_SIZE"),
        written_bytes=int(written.split()[1]),
    )


def _cpu_seconds(proc: Path) -> float:
    """User plus system time.

    Threads that ended are missing from the sum of schedstat; the recorder keeps a fixed pool, so none end.
    """
    try:
        return sum(int((task / "schedstat").read_text().split()[0]) for task in (proc / "task").iterdir()) / 1e9
    except FileNotFoundError:
        fields = (proc / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def handles(pid: int) -> dict[str, int]:
    """How many `files` (sockets and pipes too) and `threads` a process has."""
    proc = Path(f"/proc/{pid}")
    return {name: len(list((proc / folder).iterdir())) for name, folder in (("files", "fd"), ("threads", "task"))}


def receive_buffer_errors() -> int:
    """UDP datagrams that the kernel dropped because a socket's buffer was full, since boot."""
    lines = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Udp:")]
    return int(lines[1][lines[0].index("RcvbufErrors")])
