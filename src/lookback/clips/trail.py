"""What the audit trail is told of clips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookback.access.audit import Action, Nobody

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lookback.access.audit import Actor, Audit
    from lookback.access.principal import Principal
    from lookback.clips.model import Clip
    from lookback.clips.ports import Deed

_ACTION: dict[Deed, Action] = {"viewed": Action.CLIP_VIEWED, "downloaded": Action.CLIP_DOWNLOADED}


@dataclass(frozen=True, slots=True)
class Told:
    """An entry about a change of a clip, which is written in the change's transaction."""

    action: Action
    actor: Actor
    facts: Mapping[str, Any] | None = None


async def tell(audit: Audit, clip: Clip, told: Told) -> None:
    """Write an entry about a clip; its subject is the clip's owner."""
    await audit.record(
        told.action,
        actor=told.actor,
        subject=clip.user_id,
        target=clip.clip_id,
        community_id=clip.community_id,
        room_name=clip.room_name,
        facts=told.facts,
    )


class AuditWitness:
    """Implements Witness."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def note(self, who: Principal, clip: Clip, deed: Deed) -> None:
        """See Witness."""
        await tell(self._audit, clip, Told(_ACTION[deed], who.user_id or Nobody.VISITOR))
