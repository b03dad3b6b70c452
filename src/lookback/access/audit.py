"""The audit trail: who did what, to whom, when and from where. It is only ever added to.

Two rules for whoever records:

1. Where the action is a row, the entry is written in the same transaction: `async with audit.together(): change, then
   record`. When either fails neither happens, and the caller is told.
2. Where it is not (somebody looks at a clip), the entry is written before the action: when it cannot be written, the
   action is refused. So nothing that the trail promises to hold happens without it.

Facts hold numbers, names of settings, roles and states; never what people wrote (titles), and nobody's id: people go
into `actor` and `subject`, which are the only places that erasing a person has to reach.
"""

from __future__ import annotations

import ipaddress
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager


class Action(StrEnum):
    """What can be found in the trail; `docs/reference/events.md` says what each one's facts are."""

    SESSION_STARTED = "session.started"
    SESSION_AUTO_STARTED = "session.auto-started"
    SESSION_NOT_STARTED = "session.not-started"  # the row was there, but the recorder refused
    SESSION_STOPPED = "session.stopped"
    SESSION_VIEWED = "session.viewed"  # by another
    CLIP_CAPTURED = "clip.captured"
    CLIP_VIEWED = "clip.viewed"
    CLIP_DOWNLOADED = "clip.downloaded"
    CLIP_CHANGED = "clip.changed"
    CLIP_SHARED = "clip.shared"
    CLIP_DELETED = "clip.deleted"
    CLIP_RESTORED = "clip.restored"
    CONFIG_CHANGED = "community.config-changed"
    ROOM_REGISTERED = "room.registered"
    ROOM_REMOVED = "room.removed"
    ROLE_CHANGED = "role.changed"
    ROLE_REMOVED = "role.removed"
    MEMBER_CHANGED = "member.changed"
    MEMBER_REMOVED = "member.removed"
    QUOTA_CHANGED = "quota.changed"
    CONSENT_CHANGED = "consent.changed"
    USER_ERASURE_BEGUN = "user.erasure-begun"
    USER_ERASED = "user.erased"
    USER_EXPORTED = "user.exported"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_PRUNED = "audit.pruned"
    STUDIO_VIEWED = "studio.viewed"
    SPACE_CHANGED = "space.changed"
    STORAGE_CHANGED = "storage.changed"


class Nobody(Enum):
    """Actors without a user id."""

    SERVER = "server"  # time, the recorder, an automatism
    VISITOR = "visitor"  # whoever holds a link


Actor = str | Nobody
"""A user's id, or nobody in particular."""

ERASED = "erased-"
"""How the names of those begin who were erased."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the trail. `entry_id` is 0 until it is written; it grows with every line.

    `subject`: whose session, clip, role or quota it was. `target`: id of the thing: a session, a clip, a role.
    Erased people are called `erased-...`, each by one name throughout.
    """

    at_us: int
    action: Action
    actor: Actor
    subject: str | None = None
    target: str | None = None
    community_id: str | None = None
    room_name: str | None = None
    address: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    entry_id: int = 0


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are wanted; None does not narrow. `user` is their actor or their subject."""

    community_id: str | None = None
    user: str | None = None
    action: Action | None = None
    from_us: int | None = None
    until_us: int | None = None


class AuditRepository(Protocol):
    """Where the trail is kept."""

    async def add(self, entry: Entry) -> None:
        """Append an entry, in the transaction of `together` if one is open."""

    def together(self) -> AbstractAsyncContextManager[None]:
        """Make one transaction of what every repository of this database writes in the block."""

    async def page(self, wanted: Selection, *, limit: int, before_id: int | None) -> list[Entry]:
        """Return up to `limit` entries, newest first, that are older than the entry `before_id`."""

    def all(self, wanted: Selection) -> AsyncIterator[Entry]:
        """Yield entries, oldest first, as many as there were when it began."""

    async def prune(self, before_us: int) -> int:
        """Remove what is older than that, for good; return how many entries it was."""


class Audit:
    """Writes the trail. `clock` gives UTC microseconds; where a request came from is known from `came_from`."""

    def __init__(self, repository: AuditRepository, clock: Callable[[], int]) -> None:
        self._repository, self._clock = repository, clock

    def together(self) -> AbstractAsyncContextManager[None]:
        """One transaction for a change and its entry.

        Keep it short, and open no other task in it: a database of one writer lets nobody else write meanwhile. Take
        locks before the first change in it, never after.
        """
        return self._repository.together()

    async def record(
        self,
        action: Action,
        *,
        actor: Actor,
        subject: str | None = None,
        target: str | None = None,
        community_id: str | None = None,
        room_name: str | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Append an entry; raises what the database raises."""
        await self._repository.add(
            Entry(
                at_us=self._clock(),
                action=action,
                actor=actor,
                subject=subject,
                target=target,
                community_id=community_id,
                room_name=room_name,
                address=_address.get(),
                facts=facts or {},
            )
        )


_address: ContextVar[str | None] = ContextVar("address", default=None)


def came_from(host: str | None) -> None:
    """Remember for the rest of this request which address it came from; what is no IP address is not kept."""
    _address.set(_ip(host) if host else None)


def _ip(host: str) -> str | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    plain = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(plain or address)
