"""How long to wait before starting something again that keeps dying."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Doubling delays in seconds, forgotten once something has lived for `healthy_s`."""

    first_s: float = 0.2
    most_s: float = 10.0
    healthy_s: float = 60.0
    _next_s: float = 0.0

    def after(self, lived_s: float) -> float:
        """Seconds to wait now that it has died after living for `lived_s`."""
        if lived_s >= self.healthy_s or not self._next_s:
            self._next_s = self.first_s
        delay_s, self._next_s = self._next_s, min(self.most_s, self._next_s * 2)
        return delay_s
