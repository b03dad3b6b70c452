"""Why a share in a room is not kept, or could not be: asked for one room and one user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lookback.operations.doctor.findings import Finding, fine, wrong
from lookback.operations.doctor.remedies import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODECS = frozenset({"", "video/h264", "video/vp8"})  # empty while LiveKit does not know it yet


@dataclass(frozen=True, slots=True)
class ShareFacts:
    """What is known of one user in one room.

    `place`: where LiveKit sees them; None where it is not configured or not asked. `codec`: of the screen.
    `granted_by`: roles that would give the permission. `limit`: of the community; None for any number, as for `quota`.
    `unknown`: sentence on what could not be found out.
    """

    room_name: str
    user_id: str
    place: Literal["no-room", "not-in-room", "nobody-sharing", "sharing"] | None = None
    codec: str = ""
    encrypted: bool = False
    allowed: bool = True
    granted_by: tuple[str, ...] = ()
    enabled: bool = True
    consent: bool = True
    running: int = 0
    limit: int | None = None
    own_room: str | None = None
    quota_bytes: int | None = None
    used_bytes: int = 0
    unknown: str | None = None


def judge_share(facts: ShareFacts) -> list[Finding]:
    """What is said of the share: every reason against it, or that there is none."""
    return [*_against(facts)] or [fine("share", f"{facts.user_id}'s share in {facts.room_name} {_state(facts)}")]


def _state(facts: ShareFacts) -> str:
    if facts.own_room == facts.room_name:
        return "is being kept"
    return "can be kept" if facts.place == "sharing" else "can be kept as soon as it begins"


def _against(facts: ShareFacts) -> Iterator[Finding]:
    user, room = facts.user_id, facts.room_name
    if facts.unknown is not None:
        yield wrong(
            Problem.SHARE_UNKNOWN, f"Whether {user}'s share in {room} can be kept is not known: {facts.unknown}"
        )
        return
    if facts.own_room != room:
        yield from _in_room(facts)
    if not facts.allowed:
        roles = f"; roles that would: {', '.join(facts.granted_by)}" if facts.granted_by else ""
        yield wrong(Problem.SHARE_DENIED, f"{user} may not keep shares in {room}{roles}")
    if not facts.enabled:
        yield wrong(Problem.SHARE_SWITCHED_OFF, f"Replay buffers are switched off in the community of {room}")
    if not facts.consent:
        yield wrong(Problem.SHARE_CONSENT, f"{user} has said that they must not be buffered in {room}")
    if facts.own_room not in {None, room}:
        yield wrong(Problem.SHARE_ELSEWHERE, f"{user} already has a buffer, in {facts.own_room}; nobody has two")
    elif facts.own_room is None and facts.limit is not None and facts.running >= facts.limit:
        yield wrong(Problem.SHARE_LIMIT, f"{facts.running} of {facts.limit} buffers run in the community of {room}")
    if facts.quota_bytes is not None and facts.used_bytes >= facts.quota_bytes:
        yield wrong(Problem.SHARE_QUOTA, f"{user} has used up their room for clips: nothing more can be saved")


def _in_room(facts: ShareFacts) -> Iterator[Finding]:
    user, room = facts.user_id, facts.room_name
    if facts.place == "no-room":
        yield wrong(Problem.SHARE_NO_ROOM, f"LiveKit has no room {room} now")
    elif facts.place == "not-in-room":
        yield wrong(Problem.SHARE_NOT_IN_ROOM, f"{user} is not in the room {room}")
    elif facts.place == "nobody-sharing":
        yield wrong(Problem.SHARE_NOBODY, f"{user} is in {room}, but shares no screen")
    elif facts.encrypted:
        yield wrong(Problem.SHARE_ENCRYPTED, f"{user}'s share in {room} is end-to-end encrypted")
    elif facts.codec.lower() not in _CODECS:
        yield wrong(Problem.SHARE_CODEC, f"{user}'s share in {room} is {facts.codec}, which cannot be kept")
