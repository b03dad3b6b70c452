"""What a visit expects to happen within a time: pongs, answers, packets. It keeps the time; the visit acts."""

from __future__ import annotations

import asyncio
import time

from livekit.protocol import rtc

_LOOK_SECONDS = 0.25
_PING_SECONDS, _PONG_SECONDS = 5.0, 15.0  # when the server does not say
_ANSWER_SECONDS = 8.0
# Both ends check connectivity every few seconds, media or not.
_SILENT_SECONDS = 7.0
_DEAD_SECONDS = 15.0


class Vigil:
    """Times are steady. `ping_seconds` and `pong_seconds` as the server's join says."""

    def __init__(self, ping_seconds: float, pong_seconds: float) -> None:
        now = time.monotonic()
        self._ping_seconds = ping_seconds or _PING_SECONDS
        self._pong_seconds = pong_seconds or _PONG_SECONDS
        self._pinged_at = self._ponged_at = self._offered_at = self._heard_at = now
        self._datagrams: int | None = None
        self._restarted = False
        self._now = now

    async def look_again(self) -> None:
        """Wait a moment."""
        await asyncio.sleep(_LOOK_SECONDS)
        self._now = time.monotonic()

    def heard(self, datagrams: int | None) -> None:
        """Take how many datagrams have come so far; None while there is no connection."""
        if datagrams is None or datagrams != self._datagrams:
            self._heard_at = self._now
            self._restarted = False
        self._datagrams = datagrams

    def offered(self) -> None:
        """Note that an offer was sent."""
        self._offered_at = time.monotonic()

    def ponged(self) -> None:
        """Note that the server is there."""
        self._ponged_at = time.monotonic()

    def ping(self) -> rtc.Ping | None:
        """Return the ping that is due."""
        if self._now - self._pinged_at < self._ping_seconds:
            return None
        self._pinged_at = self._now
        return rtc.Ping(timestamp=time.time_ns() // 1_000_000)

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
