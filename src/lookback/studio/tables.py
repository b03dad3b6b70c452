"""What of the database is shown: every table and column that is, and why the others never are.

What nobody has decided about is not shown; a test asks for the decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lookback.access.roles import Permission
from lookback.db import models

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPENS = "whoever has it sees the clip"
_REPEATS = "whoever has it is told of the clip that was made with it"
_ICE = "it takes part in who may change a connection"
_COMPARED = "only for searches, and says what other columns say"
_KEY = "a key of the trail: the Audit page says whom it means, as long as that may be known"


@dataclass(frozen=True, slots=True)
class Table:
    """What is shown of a table, in this order, and why the other columns never are.

    `newest_by` is what a list begins with the highest of. `needs`: whoever may not that everywhere sees none of it.
    """

    row: type[models.Base]
    shown: tuple[str, ...]
    never: Mapping[str, str] = field(default_factory=dict)
    newest_by: str | None = None
    needs: Permission = Permission.MANAGE_REPLAY_LIMITS

    @property
    def name(self) -> str:
        """What the database calls it."""
        return str(self.row.__tablename__)


TABLES = (
    Table(
        models.SessionRow,
        (
            *("session_id", "user_id", "room_name", "community_id", "source", "state", "reason"),
            *("started_at_us", "since_us", "ended_at_us", "drains_at_us"),
            *("video_codec", "audio_codec", "width", "height"),
            *("participant_identity", "track_sid", "include_microphone"),
        ),
        never={"ice_etag": _ICE},
        newest_by="started_at_us",
    ),
    Table(models.SessionEventRow, ("session_id", "number", "at_us", "kind", "sentence"), newest_by="at_us"),
    Table(
        models.ClipRow,
        (
            *("clip_id", "user_id", "title", "created_at_us", "visibility", "status", "storage", "room_name"),
            *("community_id", "session_id", "user_name", "sharer_id", "sharer_name", "tags"),
            *("requested_start_us", "requested_end_us", "delivered_start_us", "delivered_end_us", "deleted_at_us"),
            *("size_bytes", "stored_bytes", "container", "video_codec", "audio_codec", "width", "height"),
            *("sha256", "has_poster", "gaps", "renditions"),
        ),
        never={"share_key": _OPENS, "idempotency_key": _REPEATS, "etag": "only for caches"},
        newest_by="created_at_us",
    ),
    Table(
        models.UserRow,
        ("user_id", "name", "quota_bytes", "used_bytes", "created_at_us", "last_seen_at_us"),
        never={"search_text": _COMPARED},
        newest_by="created_at_us",
    ),
    Table(
        models.ReservationRow,
        ("reservation_id", "user_id", "size_bytes", "until_us"),
        never={"holder": "it says which server holds it, by that server's own secret name"},
        newest_by="until_us",
    ),
    Table(models.CommunityRow, ("community_id", "name", "settings", "created_at_us"), newest_by="created_at_us"),
    Table(models.RoomRow, ("room_name", "community_id", "registered_at_us"), newest_by="registered_at_us"),
    Table(models.RoleRow, ("community_id", "role", "permissions")),
    Table(models.MemberRow, ("community_id", "user_id", "role")),
    Table(
        models.ConsentRow,
        ("user_id", "room_name", "buffering", "auto_start", "changed_at_us"),
        newest_by="changed_at_us",
    ),
    Table(
        models.AuditRow,
        ("entry_id", "at_us", "action", "actor_kind", "target", "community_id", "room_name", "facts"),
        never={"actor_key": _KEY, "subject_key": _KEY},
        newest_by="entry_id",
        needs=Permission.VIEW_AUDIT,
    ),
    Table(models.AuditHorizonRow, ("horizon_id", "before_us"), needs=Permission.VIEW_AUDIT),
)

NEVER: Mapping[type[models.Base], str] = {
    models.AuditPersonRow: "it says who the keys of the trail are",
    models.AuditAddressRow: "it says where the people of the trail were",
    models.ErasureRow: "it says who is being erased",
    models.RevocationRow: "it says by a hash who was erased",
    models.ClipEntryRow: "only for searches, and says what `clips` says",
}
