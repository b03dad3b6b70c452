"""Remember who was here: the rows that names, and later quotas and roles, belong to."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.access.principal import Principal

_REMEMBERED = 10_000
_SEEN_FOR_US = 300_000_000  # how exactly it is known when somebody was here last


class UserRepository(Protocol):
    """The rows of users."""

    async def seen(self, user_id: str, name: str | None, now_us: int) -> None:
        """Insert the user, or set name and instant of the one who is there."""

    async def name_of(self, user_id: str) -> str | None:
        """Return the name that was said last, or None."""


class Authenticator(Protocol):
    """Knows whom a bearer token speaks for."""

    async def principal(self, token: str) -> Principal:
        """Return the principal; raises UnauthenticatedError."""


class KnownUsers:
    """An Authenticator that keeps the users' rows: written when somebody is new, renamed or back, not each time."""

    def __init__(self, tokens: Authenticator, users: UserRepository, clock: Callable[[], int]) -> None:
        self._tokens, self._users, self._clock = tokens, users, clock
        self._seen: OrderedDict[str, tuple[str | None, int]] = OrderedDict()

    async def principal(self, token: str) -> Principal:
        """Return whom the token speaks for; raises UnauthenticatedError."""
        who = await self._tokens.principal(token)
        now_us = self._clock()
        name, at_us = self._seen.get(who.user_id, (None, -_SEEN_FOR_US))
        if name != who.name or now_us - at_us >= _SEEN_FOR_US:
            await self._users.seen(who.user_id, who.name, now_us)
            self._seen[who.user_id] = who.name, now_us
        self._seen.move_to_end(who.user_id)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return who

    def forget(self, user_id: str) -> None:
        """Write the user's row when they come again: it is gone."""
        self._seen.pop(user_id, None)
