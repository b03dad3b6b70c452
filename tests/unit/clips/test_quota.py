from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count

import pytest
from tests.support.clip_builders import a_clip
from tests.support.clip_studio import ManualClock
from tests.support.memory_clips import MemoryClipRepository

from lookback.clips.ports import Reservation
from lookback.clips.quota import UserQuota
from lookback.errors import QuotaExceededError


@dataclass
class Account:
    """Alice, who has saved some clips."""

    clips: MemoryClipRepository
    clock: ManualClock
    quota: UserQuota

    async def reserved(self) -> int:
        balance = await self.clips.ledger.balance("alice", self.clock())
        return balance.reserved_bytes if balance is not None else 0


async def an_account(quota_bytes: int | None, used: int = 0) -> Account:
    clips, clock, numbers = MemoryClipRepository(), ManualClock(), count(1)
    if used:
        await clips.add(a_clip(size_bytes=used))

    async def default_of(community_id: str | None) -> int | None:
        return 5 if community_id == "small" else quota_bytes

    quota = UserQuota(clips.ledger, clips, default_of, clock=clock, new_id=lambda: f"r{next(numbers)}", holder="here")
    return Account(clips, clock, quota)


async def test_what_fits_is_held_to_the_last_byte_and_given_back() -> None:
    account = await an_account(100, used=60)
    async with account.quota.reserve("alice", 40, None):
        assert await account.reserved() == 40
    assert await account.reserved() == 0


async def test_one_byte_more_is_refused_with_the_numbers_and_what_is_large() -> None:
    account = await an_account(100, used=60)
    with pytest.raises(QuotaExceededError) as caught:
        async with account.quota.reserve("alice", 41, None):
            pass
    assert caught.value.facts == {
        "quotaBytes": 100,
        "usedBytes": 60,
        "neededBytes": 41,
        "largestClips": [{"clipId": "clip-1", "title": "The moment", "sizeBytes": 60}],
    }


async def test_a_reservation_that_became_a_clip_is_over() -> None:
    account = await an_account(100)
    async with account.quota.reserve("alice", 100, None) as room:
        await account.clips.add(a_clip(size_bytes=100), room)
        assert await account.reserved() == 0
    assert account.clips.used_bytes("alice") == 100


async def test_users_do_not_share_a_quota() -> None:
    account = await an_account(100, used=100)
    async with account.quota.reserve("bob", 100, None):
        pass


async def test_ones_own_quota_stands_before_the_communitys_and_that_before_the_servers() -> None:
    account = await an_account(100)
    with pytest.raises(QuotaExceededError):
        async with account.quota.reserve("alice", 6, "small"):
            pass
    await account.clips.ledger.set_quota("alice", 7, 0)
    async with account.quota.reserve("alice", 6, "small"):
        pass
    with pytest.raises(QuotaExceededError):
        async with account.quota.reserve("alice", 8, None):
            pass


async def test_without_quota_everything_fits() -> None:
    account = await an_account(None, used=1 << 60)
    async with account.quota.reserve("alice", 1 << 60, None):
        pass


async def test_reservations_at_once_do_not_find_the_same_room() -> None:
    account = await an_account(100)
    refused = 0

    async def save() -> None:
        nonlocal refused
        try:
            async with account.quota.reserve("alice", 40, None):
                await asyncio.sleep(0)
        except QuotaExceededError:
            refused += 1

    await asyncio.gather(*(save() for _ in range(4)))
    assert refused == 2


@pytest.mark.parametrize("failure", [RuntimeError, asyncio.CancelledError])
async def test_what_fails_gives_its_room_back(failure: type[BaseException]) -> None:
    account = await an_account(100)
    with pytest.raises(failure):
        async with account.quota.reserve("alice", 100, None):
            raise failure
    async with account.quota.reserve("alice", 100, None):
        pass


async def test_a_server_that_starts_again_gives_back_what_it_held_and_others_keep_theirs() -> None:
    account = await an_account(100)
    room = await account.quota.room(None)
    for number, holder in enumerate(("here", "there")):
        held = Reservation(f"old-{number}", "alice", 30, holder, room.now_us + 10)
        await account.clips.ledger.reserve(held, room)
    await account.quota.recover()
    assert await account.reserved() == 30
    account.clock.now_us += 10
    assert await account.reserved() == 0
