"""Derived files of clips: an H.264 and AAC MP4 of a WebM clip, made by a child process.

A rendition's row is the truth: whoever removes it cancels the work, and a row that says queued or running is begun
again from the start after a restart.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import structlog

from lookback.buffer.durable import sync_directory
from lookback.clips import transcode
from lookback.clips.durable import NEW, storage_errors
from lookback.clips.model import Rendition
from lookback.errors import NotFoundError, QuotaExceededError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.access.principal import Principal
    from lookback.clips.library import Library
    from lookback.clips.model import Clip
    from lookback.clips.ports import QuotaGate, Room
    from lookback.clips.rows import ClipRows
    from lookback.clips.space import SpaceGate
    from lookback.clips.store import ClipStore

log = structlog.get_logger(__name__)

UNDONE = frozenset({"queued", "running"})
_STOP_SECONDS = 5.0
_DIED = "The converter stopped without saying why"


class Renditions:
    """What users ask for. What `who` may not see raises NotFoundError, what they may not change is denied."""

    def __init__(
        self,
        library: Library,
        rows: ClipRows,
        store: ClipStore,
        quota: QuotaGate,
        *,
        new_id: Callable[[], str],
        wake: Callable[[str], None],
        space: SpaceGate,
    ) -> None:
        self._library = library
        self._rows = rows
        self._store = store
        self._quota = quota
        self._new_id = new_id
        self._wake = wake
        self._space = space

    async def request(self, who: Principal, clip_id: str, kind: Literal["mp4"]) -> Rendition:
        """Begin to make one, or return the one that there is.

        Raises ValidationError when the clip is an MP4, QuotaExceededError when one of its size has no room, and
        DiskFullError while space is tight.
        """
        clip = await self._library.mine(who, clip_id)
        if clip.container == kind:
            raise ValidationError("The clip is an MP4 already")
        known = next((r for r in clip.renditions if r.format == kind and r.status not in {"failed", "cancelled"}), None)
        if known is not None:
            return known
        self._space.require_rendition()
        async with self._quota.reserve(clip.user_id, clip.size_bytes, clip.community_id):
            pass  # said now rather than in the background, which holds it while it works
        rendition = Rendition(self._new_id(), kind, "queued")
        for failed in clip.renditions:
            await self._rows.remove_rendition(clip_id, failed.rendition_id)
        if await self._rows.put_rendition(clip_id, rendition) is None:
            raise NotFoundError("There is no such clip")
        self._wake(clip_id)
        return rendition

    async def get(self, who: Principal, clip_id: str, rendition_id: str) -> Rendition:
        """Return how far it is."""
        clip = await self._library.get(who, clip_id)
        return _the(clip, rendition_id)

    async def cancel(self, who: Principal, clip_id: str, rendition_id: str) -> None:
        """Stop making it, and remove what there is."""
        clip = await self._library.mine(who, clip_id)
        _the(clip, rendition_id)
        await self._rows.remove_rendition(clip_id, rendition_id)
        with storage_errors():
            unlink = self._store.rendition(clip, rendition_id).unlink
            await self._store.threads.attend(self._store.threads.run(unlink, missing_ok=True))


class Converter:
    """Makes renditions, each in a process of its own.

    How large one becomes is known when it is done: as much as the clip has is held for it meanwhile, and what is larger
    must find room then.
    """

    def __init__(self, rows: ClipRows, store: ClipStore, quota: QuotaGate, python: str = sys.executable) -> None:
        self._rows = rows
        self._store = store
        self._quota = quota
        self._python = python

    async def make(self, clip: Clip, rendition: Rendition) -> None:
        """Make one from the clip's physical file; stops when its row goes. Ends with a row that is ready or failed.

        Raises StorageUnavailableError or DiskFullError when the finished file cannot be kept.
        """
        try:
            async with self._quota.reserve(clip.user_id, clip.size_bytes, clip.community_id) as room:
                failure = await self._make(clip, rendition, room)
        except QuotaExceededError as error:
            failure = error.detail
        if failure is None:
            return
        if await self._rows.progress(clip.clip_id, replace(rendition, status="failed", reason=failure)):
            log.warning("rendition.failed", clip=clip.clip_id, rendition=rendition.rendition_id, reason=failure)

    async def _make(self, clip: Clip, rendition: Rendition, room: Room) -> str | None:
        """Return why it failed, or None."""
        target = self._store.rendition(clip, rendition.rendition_id)
        new = target.with_name(target.name + NEW)
        try:
            failure = await self._convert(clip, rendition, new)
            if failure is None:
                await self._keep(clip, rendition, new, target, room)
            return failure
        finally:
            await self._store.threads.run(new.unlink, missing_ok=True)

    async def _convert(self, clip: Clip, rendition: Rendition, new: Path) -> str | None:
        """Run the child; return why it failed, or None."""
        process = await asyncio.create_subprocess_exec(
            self._python,
            "-P",
            transcode.__file__,
            str(self._store.video(clip)),
            str(new),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        failure: str | None = None
        try:
            if process.stdout is None:
                raise AssertionError("the child's output is a pipe")
            async for line in process.stdout:
                message = _message(line)
                failure = message.get("failed", failure)
                running = replace(rendition, status="running", progress=float(message.get("progress", 0)))
                if failure is None and await self._rows.progress(clip.clip_id, running) is None:
                    return "It was cancelled"
            code = await process.wait()
        finally:
            await _stop(process)
        return failure if failure is not None or code == 0 else _DIED

    async def _keep(self, clip: Clip, rendition: Rendition, new: Path, target: Path, room: Room) -> None:
        size = await self._store.threads.run(_publish, new, target)
        ready = replace(rendition, status="ready", progress=1.0, size_bytes=size)
        try:
            kept = await self._rows.progress(clip.clip_id, ready, room)
        except QuotaExceededError:
            await self._store.threads.run(target.unlink, missing_ok=True)
            raise
        if kept is None:
            await self._store.threads.run(target.unlink, missing_ok=True)  # cancelled at the last moment
            return
        log.info("rendition.ready", clip=clip.clip_id, rendition=rendition.rendition_id, size=size)


def _publish(new: Path, target: Path) -> int:
    with storage_errors():
        with new.open("rb") as file:
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        new.rename(target)
        sync_directory(target.parent)
        return size


def _message(line: bytes) -> dict[str, Any]:
    try:
        message: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return message


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End the child if it still runs: kindly, then not."""
    for end in (process.terminate, process.kill):
        if process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            end()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)


def _the(clip: Clip, rendition_id: str) -> Rendition:
    rendition = next((r for r in clip.renditions if r.rendition_id == rendition_id), None)
    if rendition is None:
        raise NotFoundError("There is no such rendition")
    return rendition
