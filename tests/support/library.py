"""Clips to look at, and what the library shows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.publishers import sharing
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.installation import Installation
    from tests.support.visitor import Visitor


async def saves_clips(server: Installation, user_id: str, *titles: str, room: str = "") -> list[str]:
    """Let somebody share, and save a clip under each title; return their ids."""
    async with server.person(user_id) as person, sharing(person, room or f"room of {user_id}") as share:
        await person.sees_buffered(share.session, 3)
        clips = [(await person.captures(share.session, durationSeconds=2, title=t))["clipId"] for t in titles]
        await person.stops(share.session)  # the next share need not wait for the end of this one
        return clips


async def sees_titles(page: Visitor, *wanted: str) -> None:
    """Wait until the library shows exactly these clips in this order."""

    async def shows() -> bool:
        cards = await page.seen("clip-card").all_inner_texts()
        return len(cards) == len(wanted) and all(title in card for title, card in zip(wanted, cards, strict=True))

    await eventually(shows, what=f"the clips {wanted}")
