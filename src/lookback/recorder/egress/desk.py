"""A worker's requests about LiveKit Egress: follow one, follow the next, and let the last one write to its end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from lookback.recorder.control import Done
from lookback.recorder.egress.follower import EgressPlace
from lookback.recorder.egress.reader import TsReader
from lookback.recorder.egress.source import EgressOptions, EgressSource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, MutableMapping

    from lookback.recorder.control import FollowEgress, Reply, SessionSpec, StopSession
    from lookback.recorder.recording import Recording
    from lookback.recorder.run import Run
    from lookback.recorder.sources import Source


class EgressDesk:
    """What a worker asks of it, with the worker's own parts: `starting` guards `recordings`."""

    def __init__(
        self,
        recordings: MutableMapping[str, Recording],
        starting: asyncio.Lock,
        tasks: asyncio.TaskGroup,
        clock: Callable[[], int],
        *,
        recording_of: Callable[[SessionSpec], Awaitable[Recording]],
        publish: Callable[[Recording, Source, Run], Coroutine[None, None, None]],
    ) -> None:
        self._recordings, self._starting, self._tasks, self._clock = recordings, starting, tasks, clock
        self._recording_of, self._publish = recording_of, publish

    async def follow(self, request: FollowEgress) -> Reply:
        """Record what an egress writes; one that is followed already is told to end, and the new one comes after it."""
        place = _place(request)
        async with self._starting:
            recording = await self._recording_of(request.session)
            if isinstance(recording.source, EgressSource) and recording.source.follow(place):
                return Done()
            source = self._source(request, place, recording)
            run = recording.attach(source)
            if recording.following is not None:
                recording.following.cancel()
            recording.following = self._tasks.create_task(self._publish(recording, source, run))
        return Done()

    def finishes(self, request: StopSession) -> bool:
        """Whether the session is recorded from an egress: then its last file is taken, and the session closed after it.

        What happened before the stop is on its way for as long as a file is, and it was promised to be kept.
        """
        recording = self._recordings.get(request.session_id)
        source = recording.source if recording is not None else None
        if recording is None or not isinstance(source, EgressSource):
            return False
        if source.finish():
            self._tasks.create_task(self._close_at_end(recording, request.cause))
        return True

    async def _close_at_end(self, recording: Recording, cause: str) -> None:
        if recording.following is not None:
            await asyncio.wait([recording.following])
        async with self._starting:
            # Not when the session went on, or the worker itself is closing everything.
            session_id = recording.spec.session_id
            if recording.source is None and self._recordings.get(session_id) is recording:
                del self._recordings[session_id]
                await recording.close("stopped", cause)

    def _source(self, request: FollowEgress, place: EgressPlace, recording: Recording) -> EgressSource:
        options = EgressOptions(
            audio=request.audio,
            segment_us=round(request.segment_seconds * 1e6),
            delay_us=round(request.delay_seconds * 1e6),
            keep_files=request.keep_files,
            after_us=recording.recorded_until_us,
        )
        return EgressSource(place, options, TsReader(), clock=self._clock, buffer=recording.path, tell=recording.tell)


def _place(request: FollowEgress) -> EgressPlace:
    spare = Path(request.spare_directory) if request.spare_directory is not None else None
    return EgressPlace(Path(request.directory), request.playlist, spare)
