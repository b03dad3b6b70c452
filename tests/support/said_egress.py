"""LiveKit's Egress as a test says that it is. Implements sessions.egresses.EgressServer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lookback.sessions.egresses import EgressFacts

if TYPE_CHECKING:
    from lookback.errors import LookbackError
    from lookback.sessions.egresses import EgressWish


@dataclass(slots=True)
class SaidEgress:
    """Starts are `refusal` when there is one, and wait until `answers` is set; stops fail with `unstoppable`."""

    refusal: LookbackError | None = None
    unstoppable: LookbackError | None = None
    wishes: list[EgressWish] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    egresses: list[EgressFacts] = field(default_factory=list)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answers.set()

    async def start(self, wish: EgressWish) -> EgressFacts:
        """See EgressServer."""
        self.wishes.append(wish)
        await self.answers.wait()
        if self.refusal is not None:
            raise self.refusal
        number = len(self.egresses) + 1
        begun = EgressFacts(
            f"EG_{number}", wish.room_name, "active", wish.video_sid, wish.folder, audio=wish.audio_sid is not None
        )
        self.egresses.append(begun)
        return begun

    async def stop(self, egress_id: str) -> None:
        """See EgressServer."""
        self.stopped.append(egress_id)
        if self.unstoppable is not None:
            raise self.unstoppable
        self.becomes(egress_id, status="complete", end_reason="End reason: StopEgress API")

    async def known(self, room_name: str) -> list[EgressFacts]:
        """See EgressServer."""
        return [egress for egress in self.egresses if egress.room_name == room_name]

    async def running(self) -> list[EgressFacts]:
        """See EgressServer."""
        return [egress for egress in self.egresses if egress.running]

    def becomes(self, egress_id: str, **more: Any) -> EgressFacts:
        """Something happens to an egress."""
        at = next(at for at, egress in enumerate(self.egresses) if egress.egress_id == egress_id)
        self.egresses[at] = replace(self.egresses[at], **more)
        return self.egresses[at]
