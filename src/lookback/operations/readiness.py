"""Look at what the server cannot do without, and say in a sentence what does not work."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lookback.operations.storage_watch import StorageWatch

_PATIENCE_S = 3.0
_FRESH_US = 1_000_000


class Finding(NamedTuple):
    """One thing that must work; `reason` says why it does not."""

    name: str
    reason: str | None = None


class Connected(Protocol):
    """The recorder, as far as readiness needs it."""

    @property
    def connected(self) -> bool:
        """Whether a worker answers right now."""


async def look(database: Callable[[], Awaitable[object]], disks: StorageWatch, recorder: Connected) -> list[Finding]:
    """Look at database, buffer, storage and recorder; at the disks only when nobody has just done so."""
    await disks.probe(_FRESH_US)
    return [
        Finding("database", await _answers(database)),
        Finding("buffer", disks.reason("buffer")),
        Finding("storage", disks.reason("storage")),
        Finding("recorder", None if recorder.connected else "The recorder is not connected; it is being started"),
    ]


async def _answers(database: Callable[[], Awaitable[object]]) -> str | None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await database()
    except Exception as error:  # noqa: BLE001 - whatever a driver raises, the answer is the same
        return f"The database does not answer ({type(error).__name__})"
    return None
