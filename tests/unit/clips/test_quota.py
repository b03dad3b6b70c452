from __future__ import annotations

import asyncio

import pytest
from tests.support.clip_builders import a_clip
from tests.support.memory_clips import MemoryClipRepository

from lookback.clips.quota import UserQuota
from lookback.errors import QuotaExceededError


async def a_quota(quota_bytes: int | None, used: int = 0) -> UserQuota:
    repository = MemoryClipRepository()
    await repository.add(a_clip(size_bytes=used))
    return UserQuota(repository, quota_bytes)


async def test_what_fits_is_allowed_to_the_last_byte() -> None:
    quota = await a_quota(100, used=60)
    async with quota.reserve("alice", 40):
        assert await quota.used_bytes("alice") == 100
    assert await quota.used_bytes("alice") == 60


async def test_one_byte_more_is_refused_with_the_numbers() -> None:
    quota = await a_quota(100, used=60)
    with pytest.raises(QuotaExceededError) as caught:
        async with quota.reserve("alice", 41):
            pass
    assert caught.value.facts == {"quotaBytes": 100, "usedBytes": 60, "neededBytes": 41}


async def test_users_do_not_share_a_quota() -> None:
    quota = await a_quota(100, used=100)
    async with quota.reserve("bob", 100):
        pass


async def test_without_quota_everything_fits() -> None:
    quota = await a_quota(None, used=1 << 60)
    async with quota.reserve("alice", 1 << 60):
        pass


async def test_reservations_at_once_do_not_find_the_same_room() -> None:
    quota = await a_quota(100)
    refused = 0

    async def save() -> None:
        nonlocal refused
        try:
            async with quota.reserve("alice", 40):
                await asyncio.sleep(0)
        except QuotaExceededError:
            refused += 1

    await asyncio.gather(*(save() for _ in range(4)))
    assert refused == 2


async def test_what_fails_gives_its_room_back() -> None:
    quota = await a_quota(100)
    with pytest.raises(RuntimeError):
        async with quota.reserve("alice", 100):
            raise RuntimeError
    async with quota.reserve("alice", 100):
        pass
