"""The recorder process on a disk on which every sync takes seconds: `python -m tests.support.slow_disk_recorder`."""

from __future__ import annotations

import os
import time

from lookback.recorder.config import RecorderConfig
from lookback.recorder.worker import run

SYNC_SECONDS = 1.5


def slow_sync(fd: int) -> None:
    """Make durable, late."""
    time.sleep(SYNC_SECONDS)
    os.fdatasync(fd)


if __name__ == "__main__":
    run(RecorderConfig.from_environment(os.environ), sync=slow_sync)
