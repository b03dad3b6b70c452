"""What a visit expects to happen within a time: pongs, answers, packets. It keeps the time; the visit acts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PING_SECONDS, _PONG_SECONDS = 5.0, 15.0  # when the server does not say
_ANSWER_SECONDS = 8.0
# LiveKit checks connectivity every 2 s, media or not (measured with 1.13.5).
_SILENT_SECONDS = 4.0
_DEAD_SECONDS = 9.0


class Vigil:
    """`ping_seconds` and `pong_seconds` as the server's join says; `clock` tells steady seconds."""

    def __init__(self, ping_seconds: float, pong_seconds: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ping_seconds = ping_seconds or _PING_SECONDS
        self._pong_seconds = pong_seconds or _PONG_SECONDS
        self._now = clock()
        self._pinged_at = self._ponged_at = self._offered_at = self._heard_at = self._now
        self._datagrams: int | None = None
        self._restarted = False

    def look(self) -> None:
        """Look at the clock; everything below is as of then."""
        self._now = self._clock()

    def heard(self, datagrams: int | None) -> None:
        """Take how many datagrams have come so far; None while there is no connection."""
        if datagrams is None or datagrams != self._datagrams:
            self._heard_at = self._now
            self._restarted = False
        self._datagrams = datagrams

    def offered(self) -> None:
        """Note that an offer was sent."""
        self._offered_at = self._clock()

    def ponged(self) -> None:
        """Note that the server is there."""
        self._ponged_at = self._clock()

    def ping_due(self) -> bool:
        """Tell whether to ping now; true counts as pinged."""
        due = self._now - self._pinged_at >= self._ping_seconds
        if due:
            self._pinged_at = self._now
        return due

    @property
    def pong_overdue(self) -> bool:
        """Whether the socket is dead although nobody has closed it."""
        return self._now - self._ponged_at >= self._pong_seconds

    @property
    def answer_overdue(self) -> bool:
        """Whether the last offer has waited for too long."""
        return self._now - self._offered_at >= _ANSWER_SECONDS

    @property
    def restart_due(self) -> bool:
        """Whether a new path should be looked for, told once per silence."""
        due = not self._restarted and self._now - self._heard_at >= _SILENT_SECONDS
        self._restarted |= due
        return due

    @property
    def dead(self) -> bool:
        """Whether the server has been silent for longer than a new path would take."""
        return self._now - self._heard_at >= _DEAD_SECONDS
