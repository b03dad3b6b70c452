"""Short promises that a range will not be evicted while somebody looks at it. They end with the process.

Bounded in time here; in bytes by retention, which forgets the oldest when they are too many (`Limits.leased_bytes`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_US = 600_000_000
"""No range is promised for longer than this since it was taken first, however often that is renewed."""
_MOST_PER_SESSION = 64


class Lease(NamedTuple):
    """`[start_us, end_us)` of a session's buffer stays until `until_us`. `since_us`: when it was taken first."""

    start_us: int
    end_us: int
    until_us: int
    since_us: int = 0


class Leases:
    """The leases of the process that evicts. May be used from several threads: every step replaces whole tuples."""

    def __init__(self) -> None:
        self._leases: dict[Path, tuple[Lease, ...]] = {}

    def take(self, directory: Path, lease: Lease, now_us: int) -> None:
        """Promise. One that is taken again for the same range lasts longer; none can be given back early.

        Of too many for one session, those that end first are forgotten.
        """
        known = self.of(directory, now_us)
        same = next((held for held in known if held[:2] == lease[:2]), None)
        since_us = same.since_us if same is not None else now_us
        until_us = max(lease.until_us, same.until_us if same is not None else 0)
        taken = Lease(lease.start_us, lease.end_us, min(until_us, since_us + LONGEST_US), since_us)
        others = sorted((held for held in known if held is not same), key=lambda held: held.until_us)
        self._leases[directory] = (*others[-_MOST_PER_SESSION + 1 :], taken)

    def of(self, directory: Path, now_us: int) -> tuple[Lease, ...]:
        """The promises for a session that still hold."""
        living = tuple(held for held in self._leases.get(directory, ()) if held.until_us > now_us)
        if living:
            self._leases[directory] = living
        else:
            self._leases.pop(directory, None)
        return living
