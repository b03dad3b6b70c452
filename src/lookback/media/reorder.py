"""Puts the packets of one SSRC in order and knows which are missing (RFC 3550 appendix A.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

_SEQUENCES = 1 << 16
_HALF = 1 << 15
_FURTHEST_AHEAD = 20_000  # beyond this the sender has restarted
_FURTHEST_BEHIND = 5_000  # 1 s of retransmissions of 60 Mbit/s; older than this the sender has restarted
_MOST_MISSING = 2_000  # senders keep about 1 s for retransmission: a wider hole is never filled
_MOST_WAITING = 8_192


class Placement(Enum):
    """What became of a packet that was not simply the next one."""

    WAITING = auto()  # kept; `take` hands it on when its turn comes
    LATE = auto()  # a duplicate, or given up for lost before
    TOO_FAR = auto()  # further ahead than retransmission could ever fill
    FOREIGN = auto()  # of another numbering: the sender may have restarted


@dataclass(slots=True)
class Missing:
    """A packet that others have overtaken. Times are steady microseconds."""

    since_us: int
    asked_us: int = 0
    tries: int = 0


class Reorder:
    """Sequence numbers of one numbering, extended to integers that grow without wrapping.

    Invariant: `missing` and the waiting packets together are exactly the numbers from `expected` to `highest`.
    `missing` is in growing order, so its first entry is `expected` whenever anything waits.
    """

    __slots__ = ("_waiting", "_wire", "expected", "first", "missing")

    def __init__(self) -> None:
        self.first = 0
        self.expected = 0
        self.missing: dict[int, Missing] = {}
        self._waiting: dict[int, bytes] = {}
        self._wire = -1  # `expected` as it is sent; -1 before the first packet

    @property
    def started(self) -> bool:
        """Whether a numbering has begun."""
        return self._wire >= 0

    @property
    def waiting(self) -> int:
        """How many packets wait for a missing one."""
        return len(self._waiting)

    @property
    def highest(self) -> int:
        """The highest number that has arrived."""
        return self.expected + len(self.missing) + len(self._waiting) - 1

    def start(self, sequence: int) -> None:
        """Begin a numbering, forgetting the one before; `sequence` is expected next."""
        self.first = self.expected = sequence
        self._wire = sequence
        self.missing.clear()
        self._waiting.clear()

    def advance(self, sequence: int) -> bool:
        """Take the plain case: the expected packet while nothing waits. False: use `place`."""
        if sequence != self._wire or self._waiting:
            return False
        self.expected += 1
        self._wire = (sequence + 1) & 0xFFFF
        return True

    def place(self, sequence: int, packet: bytes, steady_us: int) -> Placement:
        """Keep a packet that arrived out of turn, or say why not."""
        ahead = ((sequence - self._wire + _HALF) & (_SEQUENCES - 1)) - _HALF
        number = self.expected + ahead
        if ahead < -_FURTHEST_BEHIND or ahead > _FURTHEST_AHEAD:
            return Placement.FOREIGN
        if ahead < 0 or number in self._waiting:
            return Placement.LATE
        unseen = self.highest + 1
        if number >= unseen:
            if number - unseen + len(self.missing) > _MOST_MISSING or len(self._waiting) >= _MOST_WAITING:
                return Placement.TOO_FAR
            for between in range(unseen, number):
                self.missing[between] = Missing(steady_us)
        else:
            del self.missing[number]
        self._waiting[number] = packet
        return Placement.WAITING

    def fill(self, sequence: int, packet: bytes) -> bool:
        """Keep a retransmitted packet if it is one of the missing."""
        number = self.expected + ((sequence - self._wire) & 0xFFFF)
        if self.missing.pop(number, None) is None:
            return False
        self._waiting[number] = packet
        return True

    def take(self) -> bytes | None:
        """Hand on the packet whose turn it is, if it waits."""
        packet = self._waiting.pop(self.expected, None)
        if packet is not None:
            self._move(self.expected + 1)
        return packet

    def waiting_since_us(self) -> int | None:
        """Return when the oldest missing packet was overtaken; None when nothing is missing."""
        for missing in self.missing.values():
            return missing.since_us
        return None

    def skip(self) -> int:
        """Give up what is missing before the first packet that waits; return how many packets that were."""
        lost = 0
        while self.missing.pop(self.expected + lost, None) is not None:
            lost += 1
        self._move(self.expected + lost)
        return lost

    def skip_to(self, sequence: int) -> int:
        """Expect `sequence` next when nothing waits; return how many packets that gives up."""
        lost = (sequence - self._wire) & 0xFFFF
        self._move(self.expected + lost)
        return lost

    def _move(self, number: int) -> None:
        self.expected = number
        self._wire = number & 0xFFFF
