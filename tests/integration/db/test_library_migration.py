"""A database from before the library: its clips are listed, searched and counted afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic import command
from sqlalchemy import text
from tests.support.databases import DATABASES

from lookback.clips.model import Visibility
from lookback.clips.ports import Selection, Sort
from lookback.db.clips import SqlClipRepository
from lookback.db.engine import alembic_config, connect, migrate
from lookback.db.quota import SqlQuotaLedger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

CLIP = """
INSERT INTO clips (clip_id, session_id, room_name, community_id, user_id, title, search_text, created_at_us, status,
  requested_start_us, requested_end_us, delivered_start_us, delivered_end_us, size_bytes, container, etag, storage,
  video_codec, width, height, has_poster, deleted_at_us, gaps, renditions)
VALUES (:clip_id, 's', 'Büro', 'c1', :user_id, 'Über alles', 'x', 5, 'ready', 0, 10, 0, 8, :size, 'webm', 'e', 'file',
  'vp8', 1, 1, true, :deleted, '[]', :renditions)
"""
READY = '[{"rendition_id": "r", "format": "mp4", "status": "ready", "progress": 1, "size_bytes": 7, "reason": null}]'


@pytest.fixture(params=DATABASES)
async def old(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """A database at the revision before."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    if request.param == "postgresql":
        url = await request.getfixturevalue("postgres").new_database(empty=True)
    engine = connect(url)
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "0002"))
    yield engine
    await engine.dispose()


async def fill(old: AsyncEngine) -> None:
    async with old.begin() as connection:
        await connection.execute(
            text("INSERT INTO users (user_id, name, created_at_us) VALUES ('alice', 'Alice Ü', 1)"),
        )
        for clip_id, user_id, size, deleted, renditions in (
            ("a", "alice", 100, None, READY),
            ("b", "alice", 50, 3, "[]"),
            ("c", "bob", 20, None, "[]"),
        ):
            row = {"clip_id": clip_id, "user_id": user_id, "size": size, "deleted": deleted, "renditions": renditions}
            await connection.execute(text(CLIP), row)


async def test_old_clips_are_listed_searched_and_counted(old: AsyncEngine) -> None:
    await fill(old)
    await migrate(old)
    clips, ledger = SqlClipRepository(old), SqlQuotaLedger(old)
    for query in ("", "ÜBER büro", "alice"):
        wanted = Selection(user_id="alice", query=query)
        (found,) = await clips.page(wanted, sort=Sort.LONGEST, limit=9, after=None)
        assert (found.clip_id, found.visibility, found.tags, found.sharer_id) == ("a", Visibility.PRIVATE, (), None)
    community = await clips.page(Selection(community_id="c1"), sort=Sort.NEWEST, limit=9, after=None)
    assert [clip.clip_id for clip in community] == ["c", "a"]
    for user_id, used in (("alice", 107), ("bob", 20)):
        balance = await ledger.balance(user_id, 0)
        assert balance is not None
        assert balance.used_bytes == used
    assert await ledger.miscounted() == []
    await clips.update("b", deleted_at_us=None)
    assert await ledger.miscounted() == []


async def test_the_way_back_keeps_the_clips(old: AsyncEngine) -> None:
    await fill(old)
    await migrate(old)
    async with old.begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(alembic_config(sync), "0002"))
        kept = await connection.execute(text("SELECT clip_id, title FROM clips ORDER BY clip_id"))
        assert [tuple(row) for row in kept] == [(clip_id, "Über alles") for clip_id in "abc"]
    await migrate(old)
    assert await SqlQuotaLedger(old).miscounted() == []
