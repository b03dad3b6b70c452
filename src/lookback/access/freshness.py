"""Remember what was read from the database for some seconds, and forget it at once when it is changed here."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

_FRESH_US = 5_000_000
_REMEMBERED = 10_000

Key = TypeVar("Key", bound="Hashable")
Value = TypeVar("Value")


class Remembered(Generic[Key, Value]):
    """Values as they were at most five seconds ago; what another process changes is seen after that time."""

    def __init__(self, read: Callable[[Key], Awaitable[Value]], clock: Callable[[], int]) -> None:
        self._read, self._clock = read, clock
        self._known: OrderedDict[Key, tuple[int, Value]] = OrderedDict()
        self._changes = 0

    async def get(self, key: Key) -> Value:
        """Return the value; raises what reading it raises."""
        now_us = self._clock()
        if (known := self._known.get(key)) is not None and 0 <= now_us - known[0] < _FRESH_US:
            return known[1]
        changes = self._changes
        value = await self._read(key)
        if changes == self._changes:  # otherwise it may have been read before the change
            self._known[key] = now_us, value
            self._known.move_to_end(key)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return value

    def forget(self) -> None:
        """Read everything anew from now on."""
        self._changes += 1
        self._known.clear()
