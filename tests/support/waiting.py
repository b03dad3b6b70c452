"""Wait for a condition instead of sleeping for a guess."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

_POLL_SECONDS = 0.02


def now_us() -> int:
    """Now, in UTC microseconds."""
    return time.time_ns() // 1000


@overload
async def eventually(probe: Callable[[], Awaitable[T | None]], *, within: float = ..., what: str = ...) -> T: ...
@overload
async def eventually(probe: Callable[[], T | None], *, within: float = ..., what: str = ...) -> T: ...
async def eventually(probe: Callable[[], Any], *, within: float = 30.0, what: str = "the condition") -> Any:
    """Return the first truthy value of `probe`; fail after `within` seconds, naming the last value seen."""
    deadline = time.monotonic() + within
    while True:
        value = probe()
        if isinstance(value, Awaitable):
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            message = f"{what} did not come true within {within} s; last seen: {value!r}"
            raise AssertionError(message)
        await asyncio.sleep(_POLL_SECONDS)
