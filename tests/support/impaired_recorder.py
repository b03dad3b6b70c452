"""The recorder process on a bad network to LiveKit: `python -m tests.support.impaired_recorder`.

LOSS is the share of datagrams that never arrive, either way. DEAF names a file: from when it appears, the paths that
there are by then are dead; while it says "all", those made later are too.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookback.recorder.config import RecorderConfig
from lookback.recorder.livekit.agent import Agent
from lookback.recorder.worker import run

if TYPE_CHECKING:
    from collections.abc import Callable

LOSS = float(os.environ.get("LOSS", "0"))
DEAF = Path(os.environ.get("DEAF", "/nonexistent"))
_STUN = 4  # first bytes below it: the path is kept by these, and they are repeated
_random = random.Random(1)


class ImpairedAgent(Agent):
    """Loses what it receives and sends."""

    def __init__(self, received: Callable[[bytes], None], heard: Callable[[], None], *, loopback: bool = False) -> None:
        super().__init__(received, heard, loopback=loopback)
        self._heard_from_birth = DEAF.exists()

    @property
    def dead(self) -> bool:
        return DEAF.exists() and (not self._heard_from_birth or DEAF.read_text() == "all")

    def send(self, datagram: bytes) -> None:
        if not self.dead and _random.random() >= LOSS:
            super().send(datagram)

    def _take_over(self, protocol: Any) -> None:
        super()._take_over(protocol)
        deliver = protocol.datagram_received

        def datagram_received(data: bytes, address: tuple[Any, ...]) -> None:
            if not self.dead and (data[0] < _STUN or _random.random() >= LOSS):
                deliver(data, address)

        protocol.datagram_received = datagram_received


if __name__ == "__main__":
    run(RecorderConfig.from_environment(os.environ), agent=ImpairedAgent)
