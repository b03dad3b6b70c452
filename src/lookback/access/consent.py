"""Whether somebody wants to be buffered: what they said for a room counts there, else what they said altogether."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from lookback.errors import ConsentError

if TYPE_CHECKING:
    from collections.abc import Iterable

Buffering = Literal["allow", "forbid"]

EVERYWHERE = ""
"""In place of a room's name: what holds where nothing was said for the room itself."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody said for a room, or for EVERYWHERE; None where they said nothing.

    `auto_start`: whether a buffer may begin by itself where the community lets everybody choose (optIn).
    """

    room_name: str
    buffering: Buffering | None = None
    auto_start: bool | None = None


class ConsentRepository(Protocol):
    """What people have said."""

    async def said(self, user_id: str) -> list[Statement]:
        """Return all statements of a user: EVERYWHERE first, then by room."""

    async def say(self, user_id: str, statement: Statement, now_us: int) -> None:
        """Keep a statement; its Nones leave what was said before."""

    async def left(self, user_id: str) -> bool:
        """Whether the user is being erased, or was and has not signed in since."""


def forbids(said: Iterable[Statement], room_name: str) -> bool:
    """Whether these statements forbid to buffer in the room."""
    words = {statement.room_name: statement.buffering for statement in said}
    return (words.get(room_name) or words.get(EVERYWHERE)) == "forbid"


def auto_start_said(said: Iterable[Statement], room_name: str) -> bool | None:
    """Whether these statements ask for buffers that begin by themselves in the room; None: they say nothing of it."""
    words = {statement.room_name: statement.auto_start for statement in said}
    here = words.get(room_name)
    return words.get(EVERYWHERE) if here is None else here


class Consents:
    """Answers for everybody who starts a buffer: WHIP, `start`, auto-start."""

    def __init__(self, repository: ConsentRepository) -> None:
        self._repository = repository

    async def forbidden(self, user_id: str, room_name: str) -> bool:
        """Whether the user must not be buffered in the room.

        Somebody who was erased has taken everything with them, also a "forbid". Until they sign in again themselves,
        nobody buffers them: else the erased person would be recorded again while they still share.
        """
        if forbids(await self._repository.said(user_id), room_name):
            return True
        return await self._repository.left(user_id)

    async def auto_start(self, user_id: str, room_name: str) -> bool | None:
        """Whether the user wants buffers that begin by themselves in the room; None when they have said nothing."""
        return auto_start_said(await self._repository.said(user_id), room_name)


def refusal(user_id: str, asked_by: str | None) -> ConsentError:
    """The error for whoever asked; None is the server itself. A third person is not told what was said where."""
    if user_id == asked_by:
        return ConsentError("You have forbidden to be buffered here. Allow it first: PUT /livekit-replay/me/consent")
    return ConsentError("This person does not want to be buffered")
