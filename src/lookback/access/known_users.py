"""Remember who was here: the rows that names, and later quotas and roles, belong to."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.access.principal import Principal

_REMEMBERED = 10_000


class UserRepository(Protocol):
    """The rows of users."""

    async def seen(self, user_id: str, name: str | None, now_us: int) -> None:
        """Insert the user, or set the name of the one who is there."""

    async def name_of(self, user_id: str) -> str | None:
        """Return the name that was said last, or None."""


class Authenticator(Protocol):
    """Knows whom a bearer token speaks for."""

    async def principal(self, token: str) -> Principal:
        """Return the principal; raises UnauthenticatedError."""


class KnownUsers:
    """An Authenticator that keeps the users' rows: written when somebody is new or has another name, not each time."""

    def __init__(self, tokens: Authenticator, users: UserRepository, clock: Callable[[], int]) -> None:
        self._tokens, self._users, self._clock = tokens, users, clock
        self._names: OrderedDict[str, str | None] = OrderedDict()

    async def principal(self, token: str) -> Principal:
        """Return whom the token speaks for; raises UnauthenticatedError."""
        who = await self._tokens.principal(token)
        if who.user_id not in self._names or self._names[who.user_id] != who.name:
            await self._users.seen(who.user_id, who.name, self._clock())
        self._names[who.user_id] = who.name
        self._names.move_to_end(who.user_id)
        if len(self._names) > _REMEMBERED:
            self._names.popitem(last=False)
        return who
