"""Notice what nobody says by itself: a recorder that ends again and again, and a clean-up that does not come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from lookback.operations.alerts import cleanup_alert, recorder_alert
from lookback.sessions.sweeping import FULL_EVERY_US

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.operations.alerts import Alert

LOOK_EVERY_S = 5.0
SPAN_US = 300_000_000
MOST_STARTS = 3
"""So many starts in that span happen: one at the beginning, and one or two after an accident."""
AWAY_US = 60_000_000
OVERDUE_US = 3 * FULL_EVERY_US


class Worker(Protocol):
    """The recorder's worker, as far as it is watched. `starts` only grows."""

    starts: int

    @property
    def connected(self) -> bool:
        """Whether it answers right now."""


class AlertWatch:
    """`cleaned_us`: when the last full sweep was, None before the first. `alert` is told of every change."""

    def __init__(
        self,
        worker: Worker,
        cleaned_us: Callable[[], int | None],
        alert: Callable[[Alert], None],
        *,
        clock: Callable[[], int],
    ) -> None:
        self._worker, self._cleaned_us, self._alert, self._clock = worker, cleaned_us, alert, clock
        self._began_us = self._connected_us = clock()
        self._counted, self._starts_us = worker.starts, [self._began_us] * worker.starts
        self._failing = self._overdue = False

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Look once; say what has changed."""
        now_us = self._clock()
        self._look_at_recorder(now_us)
        last_us = self._cleaned_us()
        overdue = now_us - (last_us or self._began_us) > OVERDUE_US
        if overdue != self._overdue:
            self._overdue = overdue
            self._alert(cleanup_alert(overdue=overdue, last_us=last_us))

    def _look_at_recorder(self, now_us: int) -> None:
        starts = self._worker.starts
        self._starts_us += [now_us] * (starts - self._counted)
        self._counted = starts
        self._starts_us = [at_us for at_us in self._starts_us if now_us - at_us < SPAN_US]
        if self._worker.connected:
            self._connected_us = now_us
        failing = len(self._starts_us) > MOST_STARTS or now_us - self._connected_us > AWAY_US
        if failing != self._failing:
            self._failing = failing
            self._alert(recorder_alert(failing=failing, starts=len(self._starts_us)))
