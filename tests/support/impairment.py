"""A bad network in front of one end: loses, delays and reorders datagrams, by one seed always the same way."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Impairment:
    """`loss` is the share of datagrams dropped; each other one is late by `delay_s` plus up to `jitter_s`."""

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    seed: int = 1


class BadLink:
    """One direction of a link."""

    def __init__(self, impairment: Impairment, deliver: Callable[[bytes], None]) -> None:
        self._impairment = impairment
        self._deliver = deliver
        self._random = random.Random(impairment.seed)
        self.dropped = 0

    def carry(self, datagram: bytes) -> None:
        """Deliver now, later or never."""
        shape = self._impairment
        if shape.loss and self._random.random() < shape.loss:
            self.dropped += 1
        elif shape.delay_s or shape.jitter_s:
            late = shape.delay_s + self._random.random() * shape.jitter_s
            asyncio.get_running_loop().call_later(late, self._deliver, datagram)
        else:
            self._deliver(datagram)
