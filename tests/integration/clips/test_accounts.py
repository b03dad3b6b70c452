"""After any captures, deletes, restores, purges, renditions and failures, what users have used is on disk."""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests.support.clip_builders import a_rendition
from tests.support.clip_studio import ALICE, SECOND, Studio, a_studio
from tests.support.databases import DATABASES, a_database_of_kind

from lookback.clips.file_calls import FileCalls
from lookback.clips.library import UNDO_US
from lookback.clips.model import CaptureWish, Clip, Storage
from lookback.clips.store import ClipStore
from lookback.db.clips import SqlClipRepository
from lookback.db.engine import connect, migrate
from lookback.db.quota import SqlQuotaLedger
from lookback.errors import DiskFullError, NotFoundError, QuotaExceededError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncEngine

QUOTA = 400_000


@dataclass
class Life:
    """One user's clips over some time. `number` chooses among what there is."""

    studio: Studio
    captures: int = 0
    refused: int = 0
    clips: list[Clip] = field(default_factory=list)

    async def capture(self, number: int) -> None:
        self.captures += 1
        length_us = (1 + number % 3) * SECOND
        try:
            self.clips.append(await self.studio.capture(last_us=length_us, title=f"Clip {self.captures}"))
        except QuotaExceededError:
            self.refused += 1

    async def capture_onto_a_full_disk(self, number: int) -> None:
        def fsync(_descriptor: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        store = ClipStore(self.studio.clips.store.root, self.studio.layout, FileCalls(fsync=fsync))
        service = replace(self.studio.clips.captures, store=store)
        wish = CaptureWish(session_id="s1", last_us=(1 + number % 3) * SECOND, title=f"Full {self.captures}")
        self.captures += 1
        with pytest.raises((DiskFullError, QuotaExceededError)):
            await service.capture(ALICE, wish)

    async def store(self, number: int) -> None:
        row = await self._row(number)
        if row is not None and row.status == "ready" and row.storage is Storage.VIRTUAL:
            digest = self.studio.clips.store.materialise(row)
            await self.studio.repository.update(row.clip_id, storage=Storage.FILE, sha256=digest)
            self.studio.clips.store.unpin(row)

    async def derive(self, number: int) -> None:
        """Put a rendition of some size beside a clip, as the converter does."""
        row = await self._row(number)
        if row is None or row.status == "failed" or row.deleted_at_us is not None:
            return
        size = 1000 + number * 37
        try:
            async with self.studio.clips.quota.reserve("alice", row.size_bytes, None) as room:
                ready = a_rendition(f"r{number % 2}", "ready", size_bytes=size)
                await self.studio.repository.put_rendition(row.clip_id, ready, room)
        except QuotaExceededError:
            self.refused += 1
        else:
            self.studio.clips.store.rendition(row, f"r{number % 2}").write_bytes(bytes(size))

    async def delete(self, number: int) -> None:
        await self._try(self.studio.clips.library.delete, number)

    async def restore(self, number: int) -> None:
        await self._try(self.studio.clips.library.restore, number)

    async def wait_and_purge(self, number: int) -> None:
        self.studio.clock.now_us += UNDO_US if number % 2 else UNDO_US // 3
        await self.studio.clips.background.sweep()

    async def lose(self, number: int) -> None:
        """A clip's files go, and the next start finds that out."""
        row = await self._row(number)
        if row is not None and row.deleted_at_us is None:
            for made in row.renditions:
                await self.studio.repository.remove_rendition(row.clip_id, made.rendition_id)
            self.studio.clips.store.remove(row)
        await self.restart(number)

    async def restart(self, _number: int) -> None:
        await self.studio.clips.quota.recover()
        await self.studio.clips.recovery.check(repair=True)

    async def used(self) -> int:
        balance = await self.studio.ledger.balance("alice", self.studio.clock())
        assert balance is None or balance.reserved_bytes == 0
        return balance.used_bytes if balance is not None else 0

    async def on_disk(self) -> int:
        """What is really there of clips that are not deleted: each video once, and renditions."""
        rows = {clip.clip_id: clip for clip in await self.studio.repository.all_clips()}
        total = 0
        for directory in self.studio.clips.store.directories():
            record = self.studio.clips.store.read(directory).clip
            if rows[record.clip_id].deleted_at_us is None:
                total += len(self.studio.content(record))
                total += sum(path.stat().st_size for path in directory.glob("rendition-*.mp4"))
        return total

    async def _try(self, call: Callable[..., Awaitable[object]], number: int) -> None:
        if not self.clips:
            return
        try:
            await call(ALICE, self.clips[number % len(self.clips)].clip_id)
        except NotFoundError:
            pass  # deleted, or gone for good
        except QuotaExceededError:
            self.refused += 1

    async def _row(self, number: int) -> Clip | None:
        """One of the clips, as far as it has a row still."""
        clip = self.clips[number % len(self.clips)] if self.clips else None
        return await self.studio.repository.get(clip.clip_id) if clip is not None else None


DEEDS: tuple[Callable[[Life, int], Awaitable[None]], ...] = (
    Life.capture, Life.capture, Life.capture, Life.capture_onto_a_full_disk, Life.store, Life.derive, Life.delete,
    Life.restore, Life.wait_and_purge, Life.lose, Life.restart,
)  # fmt: skip
SEQUENCES = st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 20)), min_size=1, max_size=25)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SEQUENCES)
def test_what_is_used_is_what_lies_on_disk(deeds: list[tuple[Callable[[Life, int], Awaitable[None]], int]]) -> None:
    async def live() -> None:
        with tempfile.TemporaryDirectory() as folder:
            engine = connect(f"sqlite:///{folder}/lookback.db")
            await migrate(engine)
            try:
                life = a_life(Path(folder), engine)
                for deed, number in deeds:
                    await deed(life, number)
                    assert await life.used() == await life.on_disk()
                    assert await life.used() <= QUOTA
                assert await life.studio.ledger.miscounted() == []
            finally:
                await engine.dispose()

    asyncio.run(live())


def a_life(folder: Path, engine: AsyncEngine) -> Life:
    studio = a_studio(
        folder / "buffer",
        folder / "clips",
        repository=SqlClipRepository(engine),
        ledger=SqlQuotaLedger(engine),
        quota_bytes=QUOTA,
    )
    studio.record()
    return Life(studio)


@pytest.fixture(params=DATABASES)
async def life(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Life]:
    async with a_database_of_kind(request.param, request) as engine:
        yield a_life(tmp_path, engine)


async def test_many_captures_at_once_never_take_a_byte_too_much(life: Life) -> None:
    await asyncio.gather(*(life.capture(number) for number in range(40)))
    assert life.refused > 0
    assert life.clips
    assert QUOTA // 2 < await life.used() == await life.on_disk() <= QUOTA
    smallest = min(clip.size_bytes for clip in life.clips)
    assert QUOTA - await life.used() < 3 * smallest


async def test_a_capture_that_was_killed_gives_its_room_back_when_the_server_starts(life: Life) -> None:
    started = asyncio.Event()

    async def half_a_capture() -> None:
        async with life.studio.clips.quota.reserve("alice", QUOTA, None):
            started.set()
            await asyncio.Event().wait()

    dying = asyncio.create_task(half_a_capture())
    await started.wait()
    await life.capture(0)
    assert life.refused == 1
    await life.restart(0)  # the new process; the old one's reservation is its own
    await life.capture(0)
    assert len(life.clips) == 1
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)


async def test_a_wrong_sum_is_found_and_set_right_by_the_next_start(life: Life) -> None:
    await life.capture(0)
    used = await life.used()
    repository = life.studio.repository
    assert isinstance(repository, SqlClipRepository)
    async with repository._sessions.begin() as db:
        await db.execute(text("UPDATE users SET used_bytes = 1 WHERE user_id = 'alice'"))
    found = await life.studio.clips.recovery.check(repair=False)
    assert [(finding.kind, finding.subject) for finding in found] == [("miscounted", "alice")]
    await life.restart(0)
    assert await life.used() == used
    assert await life.studio.clips.recovery.check(repair=False) == []
