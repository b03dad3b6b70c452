"""Tokens and links that hold no more before their time: all of a user's that were issued up to an instant."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from lookback.access.freshness import Remembered
from lookback.errors import UnauthenticatedError

if TYPE_CHECKING:
    from collections.abc import Callable


class RevocationRepository(Protocol):
    """Instants by user. Users are known by a hash of their id: they are those who were erased."""

    async def not_before_us(self, user_id: str) -> int | None:
        """Return the instant up to which the user's tokens were revoked, or None."""


class Revocations:
    """Asked at every request, so that it remembers what it read for some seconds; `forget` when somebody is revoked."""

    def __init__(self, repository: RevocationRepository, clock: Callable[[], int]) -> None:
        self._known: Remembered[str, int | None] = Remembered(repository.not_before_us, clock)

    async def require_later(self, user_id: str, issued_us: int | None) -> None:
        """Raise UnauthenticatedError unless it was issued after the user's revocation; None: it does not say when."""
        not_before_us = await self._known.get(user_id)
        if not_before_us is not None and (issued_us is None or issued_us <= not_before_us):
            raise UnauthenticatedError("It was revoked; sign in again")

    def forget(self) -> None:
        """Read everything anew."""
        self._known.forget()


def digest(user_id: str) -> str:
    """What is kept of an erased user's id: enough to know it again, not to read it.

    A hash without a secret: whoever guesses the id can tell that it was erased. It says nothing else.
    """
    return hashlib.sha256(f"lookback-user-1\0{user_id}".encode("utf-8", "surrogatepass")).hexdigest()
