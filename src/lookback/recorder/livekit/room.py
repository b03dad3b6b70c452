"""A room that is recorded: one connection for all of its sharers, made again when it is lost."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from lookback.errors import LivekitUnavailableError, LookbackError, ungrouped
from lookback.recorder.backoff import Backoff
from lookback.recorder.livekit.leaving import LOST, Next, VisitEndedError, after
from lookback.recorder.livekit.media import NO_PATH
from lookback.recorder.livekit.place import Place
from lookback.recorder.livekit.signalling import SILENT, WrongTokenError
from lookback.recorder.livekit.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.recorder.livekit.share import Wish
    from lookback.recorder.livekit.signalling import Reach, Signalling

log = structlog.get_logger(__name__)

_JOIN_SECONDS = 5.0
_MOST_TOKENS = 16
NOT_SENT = "LiveKit did not send the screen share in time"
NO_TOKEN = "LiveKit does not let the recorder in any more"  # noqa: S105


class Room:
    """Made with the token of the first session in it; `run` must be running. `clock` gives UTC microseconds.

    It joins when somebody has entered and leaves when everybody has left; then `closed` is true and it is of no more
    use. Every session brings a token: the newest that works is used.
    """

    def __init__(self, reach: Reach, clock: Callable[[], int]) -> None:
        self._reach = reach
        self._clock = clock
        self._tokens = [reach.token]  # of the sessions; the newest last
        self._refreshed: str | None = None  # by the server: the newest of all, and the first to expire
        self._places: dict[Place, None] = {}
        self._visit: Visit | None = None
        self._empty = asyncio.Event()
        self.closed = False

    def enter(self, wish: Wish, token: str) -> Place:
        """Take a place for one session; see Place."""
        place = Place(wish, self._clock, self._left)
        self._places[place] = None
        self.take(token)
        self._look()
        return place

    def take(self, token: str) -> None:
        """Keep a token for the next join."""
        self._tokens = [*(kept for kept in self._tokens if kept != token), token][-_MOST_TOKENS:]

    def holds(self, place: Place) -> bool:
        """Whether a place is one of this room's, not left yet."""
        return place in self._places

    @property
    def delay(self) -> LivekitUnavailableError:
        """What a session that waited in vain waited for."""
        if self._visit is None:
            return LivekitUnavailableError(SILENT)
        return LivekitUnavailableError(NOT_SENT if self._visit.media.connected else NO_PATH)

    async def run(self) -> None:
        """Be in the room while anybody has a place."""
        backoff = Backoff(first_s=0.1, most_s=2.0, healthy_s=10.0)
        try:
            while self._places:
                began_s = time.monotonic()
                cause = await self._attend()
                for place in tuple(self._places):
                    place.suspend(cause)
                await self._pause(backoff.after(time.monotonic() - began_s))
        finally:
            self.closed = True
            for place in tuple(self._places):
                place.end(LOST)

    async def _attend(self) -> str:
        """Join and take part; return why it ended, if it is worth another try."""
        try:
            await self._until_empty(await self._join())
        except VisitEndedError as ended:
            if ended.following is Next.STAY_AWAY:
                self._end(ended.sentence, LivekitUnavailableError(ended.sentence))
            return ended.sentence
        except WrongTokenError as error:
            self._end(NO_TOKEN, error)
        except LookbackError as error:
            log.info("livekit.not_joined", url=self._reach.url, error=error.detail)
            self._refuse(error)
        except Exception:  # a fault in one room must not end the others
            log.exception("livekit.room_failed", url=self._reach.url)
        return LOST

    async def _join(self) -> Visit:
        signalling, reach = await self._admitted()
        first = signalling.first
        if first.HasField("leave"):
            await signalling.close()
            following, sentence = after(first.leave)
            raise VisitEndedError(sentence, following)
        return Visit(reach, signalling, clock=self._clock, on_change=self._look)

    async def _admitted(self) -> tuple[Signalling, Reach]:
        """Join with the newest token that is accepted; those that are not are forgotten."""
        while True:
            reach = replace(self._reach, token=self._refreshed or self._tokens[-1])
            try:
                async with asyncio.timeout(_JOIN_SECONDS):
                    return await reach.connect(), reach
            except TimeoutError as error:
                raise LivekitUnavailableError(SILENT) from error
            except WrongTokenError:
                if self._refreshed is None and len(self._tokens) == 1:
                    raise
                self._forget(reach.token)

    def _forget(self, token: str) -> None:
        if self._refreshed is not None:
            self._refreshed = None
        else:
            self._tokens.remove(token)

    async def _until_empty(self, visit: Visit) -> None:
        self._visit = visit
        try:
            self._look()
            with ungrouped(VisitEndedError):
                async with asyncio.TaskGroup() as tasks:
                    visiting = tasks.create_task(visit.run())
                    await self._empty.wait()
                    visiting.cancel()
        finally:
            self._visit = None
            self._refreshed = visit.token

    def _look(self) -> None:
        visit = self._visit
        if visit is not None:
            shares = [place.look(visit) for place in tuple(self._places)]
            visit.want(share for share in shares if share is not None)

    def _left(self, place: Place) -> None:
        self._places.pop(place, None)
        if not self._places:
            self.closed = True
            self._empty.set()
        self._look()

    def _refuse(self, error: LookbackError) -> None:
        for place in tuple(self._places):
            place.refuse(error)

    def _end(self, cause: str, error: LookbackError) -> None:
        self._refuse(error)
        for place in tuple(self._places):
            place.end(cause)
        self._places.clear()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return
