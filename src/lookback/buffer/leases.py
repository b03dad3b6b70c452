"""Short promises that a range will not be evicted while somebody looks at it. They end with the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Lease(NamedTuple):
    """`[start_us, end_us)` of a session's buffer stays until `until_us`."""

    start_us: int
    end_us: int
    until_us: int


class Leases:
    """The leases of the process that evicts. May be used from several threads: every step replaces whole tuples."""

    def __init__(self) -> None:
        self._leases: dict[Path, tuple[Lease, ...]] = {}

    def take(self, directory: Path, lease: Lease, now_us: int) -> None:
        """Promise. One that is taken again for the same range lasts longer; none can be given back early."""
        living = [
            held for held in self.of(directory, now_us) if held[:2] != lease[:2] or held.until_us > lease.until_us
        ]
        self._leases[directory] = (*living, lease)

    def of(self, directory: Path, now_us: int) -> tuple[Lease, ...]:
        """The promises for a session that still hold."""
        living = tuple(held for held in self._leases.get(directory, ()) if held.until_us > now_us)
        if living:
            self._leases[directory] = living
        else:
            self._leases.pop(directory, None)
        return living
