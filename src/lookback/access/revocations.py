"""Tokens that hold no more before their time: all of a user's that were issued up to an instant."""

from __future__ import annotations

import hashlib
from typing import Protocol


class Revocations(Protocol):
    """Instants by user."""

    async def not_before_us(self, user_id: str) -> int | None:
        """Return the instant up to which the user's tokens were revoked, or None."""


def digest(user_id: str) -> str:
    """What is kept of an erased user's id: enough to know it again, not to read it.

    A hash without a secret: whoever guesses the id can tell that it was erased. It says nothing else.
    """
    return hashlib.sha256(f"lookback-user-1\0{user_id}".encode("utf-8", "surrogatepass")).hexdigest()
