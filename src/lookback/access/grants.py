"""Merge what a token says with the roles in the database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lookback.access.freshness import Remembered
from lookback.access.principal import Principal
from lookback.access.roles import RoleBook

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.access.known_users import Authenticator
    from lookback.access.ports import RoleRepository
    from lookback.access.principal import RolesByCommunity


class RoleGrants:
    """Principals with everything that they may: an Authenticator over another one, and Grants for those without token.

    Asked at every request, so that it remembers roles for some seconds; `forget` when they are changed.
    """

    def __init__(self, tokens: Authenticator, roles: RoleRepository, clock: Callable[[], int]) -> None:
        self._tokens, self._roles = tokens, roles
        self._book: Remembered[None, RoleBook] = Remembered(self._read_book, clock)
        self._held: Remembered[str, RolesByCommunity] = Remembered(roles.roles_of, clock)

    async def principal(self, token: str) -> Principal:
        """Return whom the token speaks for and what they may; raises UnauthenticatedError."""
        return await self._with_roles(await self._tokens.principal(token))

    async def of(self, user_id: str) -> Principal:
        """See access.ports.Grants."""
        return await self._with_roles(Principal(user_id))

    async def book(self) -> RoleBook:
        """What every role means now."""
        return await self._book.get(None)

    def forget(self) -> None:
        """Read all roles anew: somebody has changed them."""
        self._book.forget()
        self._held.forget()

    async def _with_roles(self, who: Principal) -> Principal:
        return replace(who, roles=await self._held.get(who.user_id), book=await self.book())

    async def _read_book(self, _: None) -> RoleBook:
        return RoleBook(await self._roles.defined())
