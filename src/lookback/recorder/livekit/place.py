"""A session's place in a room: it follows what its sharer does, and hands out one source after the other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lookback.errors import LookbackError, NobodySharingError
from lookback.recorder.livekit.source import LivekitSource
from lookback.recorder.sources import MEDIA_CLOSED

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.recorder.livekit.share import Share, Wish
    from lookback.recorder.livekit.visit import Visit

_PATIENCE_S = 2.0

LEFT = "The publisher left the room"
SHARED_ANEW = "The publisher shares anew"


class Place:
    """Made by Room.enter; `leave` must be called in the end.

    `ready` is done once the share is being received, or fails with what stands against it. After that the place is
    kept while shares come and go, until `leave`, or until the room does not want us any more: then `over` says why.
    `fault` is why nothing can be recorded just now.
    """

    def __init__(self, wish: Wish, clock: Callable[[], int], leave: Callable[[Place], None]) -> None:
        self.wish = wish
        self._clock = clock
        self._leave = leave
        self._share: Share | None = None
        self._source: LivekitSource | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._sources: asyncio.Queue[LivekitSource | None] = asyncio.Queue()
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.fault: LookbackError | None = None
        self.over: str | None = None

    async def next_source(self) -> LivekitSource | None:
        """Wait for the next share; None when there will be none."""
        return await self._sources.get()

    def leave(self) -> None:
        """Give the place up; again does no harm."""
        self.over = self.over or MEDIA_CLOSED
        self.ready.cancel()
        if self._patience is not None:
            self._patience.cancel()
        self._end_source(MEDIA_CLOSED)
        self._leave(self)

    def look(self, visit: Visit) -> Share | None:
        """Follow what is shared in the room; return what to subscribe to."""
        try:
            share = visit.roster.share(self.wish, self._share)
            if share is None:
                raise visit.roster.refusal(self.wish)
        except LookbackError as fault:
            self._nothing(fault, visit)
            return None
        if self._share is not None and self._share.video_sid != share.video_sid:
            self._end_source(SHARED_ANEW, visit)
        self._share, self.fault = share, None
        self._receive(share, visit)
        return share

    def suspend(self, cause: str) -> None:
        """The connection is gone and another one may come."""
        self._share = None
        self._end_source(cause)

    def refuse(self, error: LookbackError) -> None:
        """Tell whoever waits for the share what is wrong; nothing happens when it was there before."""
        if not self.ready.done():
            self.ready.set_exception(error)

    def end(self, cause: str) -> None:
        """There is no way back into the room."""
        self.over = cause
        self.suspend(cause)
        self._sources.put_nowait(None)

    def _receive(self, share: Share, visit: Visit) -> None:
        video = visit.streams.get(share.video_sid)
        if video is None or not visit.media.connected:
            return
        source = self._source
        if source is None:
            source = self._source = LivekitSource(visit.media, self._clock)
            self._sources.put_nowait(source)
        source.use(video)
        audio = visit.streams.get(share.audio_sid or "")
        if audio is not None:
            source.use(audio)
        if not self.ready.done():
            self.ready.set_result(None)

    def _nothing(self, fault: LookbackError, visit: Visit) -> None:
        here = visit.roster.here(self.wish.identity)
        self.fault = fault
        if here and isinstance(fault, NobodySharingError):
            self._be_patient()
        else:
            self.refuse(fault)
        gone = MEDIA_CLOSED if here else LEFT
        self._end_source(gone if isinstance(fault, NobodySharingError) else fault.detail, visit)
        self._share = None

    def _be_patient(self) -> None:
        """Refuse later: LiveKit tells the sharer at once that the share is there, and us with its first packet."""
        if self._patience is None and not self.ready.done():
            self._patience = asyncio.get_running_loop().call_later(_PATIENCE_S, self._out_of_patience)

    def _out_of_patience(self) -> None:
        if self.fault is not None:
            self.refuse(self.fault)

    def _end_source(self, cause: str, visit: Visit | None = None) -> None:
        source, self._source = self._source, None
        if source is None:
            return
        if visit is not None and self._share is not None and visit.roster.vanished(self._share.participant_sid):
            source.vanished = True
        source.end(cause)
