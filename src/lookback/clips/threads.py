"""Threads of one kind of work, so that no other kind can keep it waiting."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    P = ParamSpec("P")
    T = TypeVar("T")


class Threads:
    """As `asyncio.to_thread`, whose threads everybody shares: hashes, downloads and posters hold them for seconds."""

    def __init__(self, name: str, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(self, call: Callable[P, T], /, *args: P.args, **more: P.kwargs) -> T:
        """Return what the call returns; it sees the caller's context."""
        bound = partial(contextvars.copy_context().run, call, *args, **more)
        return await asyncio.get_running_loop().run_in_executor(self._pool, bound)
