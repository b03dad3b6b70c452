from __future__ import annotations

import asyncio

from lookback.clips.keyed_locks import KeyedLocks


async def test_one_holder_per_key_and_none_left_behind() -> None:
    locks = KeyedLocks()
    inside: dict[str, int] = {}
    most: dict[str, int] = {}

    async def work(key: str) -> None:
        async with locks.hold(key):
            inside[key] = inside.get(key, 0) + 1
            most[key] = max(most.get(key, 0), inside[key])
            await asyncio.sleep(0)
            inside[key] -= 1

    await asyncio.gather(*(work(key) for key in "abcabcabc"))
    assert most == {"a": 1, "b": 1, "c": 1}
    assert locks._locks == {}


async def test_different_keys_do_not_wait_for_each_other() -> None:
    locks = KeyedLocks()
    async with locks.hold("a"), locks.hold("b"):
        pass


async def test_who_gives_up_waiting_leaves_no_trace() -> None:
    locks = KeyedLocks()
    async with locks.hold("a"):
        waiting = asyncio.create_task(locks.hold("a").__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert locks._locks == {}
