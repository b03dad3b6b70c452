"""The tables: users, sessions, clips. High-rate data stays in the buffer directory. Instants are UTC microseconds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String, Text, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ACTIVE_STATES = ("starting", "recording", "interrupted")
_ACTIVE = text(f"state IN ({', '.join(repr(state) for state in ACTIVE_STATES)})")


class Base(DeclarativeBase):
    """Base of every table; an int is 64 bits wide."""

    type_annotation_map = {  # noqa: RUF012
        int: BigInteger,
        dict[str, Any]: JSON,
        list[dict[str, Any]]: JSON,
        list[str]: JSON,
    }


class UserRow(Base):
    """Somebody who was seen: their name, and a quota of their own where the default does not hold.

    `used_bytes` is what their clips count; db/quota.py keeps it. `search_text` is name and id as they are compared.
    """

    __tablename__ = "users"

    user_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str | None] = mapped_column(Text)
    quota_bytes: Mapped[int | None]
    created_at_us: Mapped[int]
    used_bytes: Mapped[int]
    last_seen_at_us: Mapped[int | None]
    search_text: Mapped[str] = mapped_column(Text)


class ReservationRow(Base):
    """Bytes of a user's quota that are held while something is made. Nobody gives them back after `until_us`."""

    __tablename__ = "quota_reservations"

    reservation_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(255))
    size_bytes: Mapped[int]
    holder: Mapped[str] = mapped_column(String(255))
    until_us: Mapped[int]

    __table_args__ = (Index("quota_reservations_by_user", "user_id"),)


class SessionRow(Base):
    """One replay session."""

    __tablename__ = "sessions"

    session_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    room_name: Mapped[str] = mapped_column(Text)
    community_id: Mapped[str | None] = mapped_column(Text)
    user_id: Mapped[str] = mapped_column(String(255))
    participant_identity: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    started_at_us: Mapped[int]
    since_us: Mapped[int]
    ended_at_us: Mapped[int | None]
    drains_at_us: Mapped[int | None]
    video_codec: Mapped[str | None] = mapped_column(String(16))
    audio_codec: Mapped[str | None] = mapped_column(String(16))
    width: Mapped[int | None]
    height: Mapped[int | None]
    ice_etag: Mapped[str | None] = mapped_column(String(64))
    track_sid: Mapped[str | None] = mapped_column(String(64))
    include_microphone: Mapped[bool] = mapped_column(server_default=false())

    __table_args__ = (
        # One active session per user: the database is the one place where two starts at once can be told apart.
        Index("one_active_session", "user_id", unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
        Index("sessions_by_user", "user_id", "started_at_us"),
        Index("sessions_by_room", "room_name", "started_at_us"),
        Index("sessions_by_state", "state"),
        Index("sessions_by_track", "track_sid"),
    )


class SessionEventRow(Base):
    """Something that happened to a session; the first and the last few of each are kept, numbered from 1."""

    __tablename__ = "session_events"

    session_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at_us: Mapped[int]
    kind: Mapped[str] = mapped_column(String(32))
    sentence: Mapped[str] = mapped_column(Text)


class ClipRow(Base):
    """One clip with its renditions."""

    __tablename__ = "clips"

    clip_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[str] = mapped_column(String(64))
    room_name: Mapped[str] = mapped_column(Text)
    community_id: Mapped[str | None] = mapped_column(Text)
    user_id: Mapped[str] = mapped_column(String(255))
    user_name: Mapped[str | None] = mapped_column(Text)
    sharer_id: Mapped[str | None] = mapped_column(String(255))
    sharer_name: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    visibility: Mapped[str] = mapped_column(String(16))
    tags: Mapped[list[str]]
    share_key: Mapped[str | None] = mapped_column(String(64))
    created_at_us: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    requested_start_us: Mapped[int]
    requested_end_us: Mapped[int]
    delivered_start_us: Mapped[int]
    delivered_end_us: Mapped[int]
    size_bytes: Mapped[int]
    stored_bytes: Mapped[int]  # Clip.stored_bytes, so that the database can add them up
    container: Mapped[str] = mapped_column(String(8))
    etag: Mapped[str] = mapped_column(String(128))
    storage: Mapped[str] = mapped_column(String(16))
    video_codec: Mapped[str] = mapped_column(String(16))
    audio_codec: Mapped[str | None] = mapped_column(String(16))
    width: Mapped[int]
    height: Mapped[int]
    sha256: Mapped[str | None] = mapped_column(String(64))
    has_poster: Mapped[bool]
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    deleted_at_us: Mapped[int | None]
    gaps: Mapped[list[dict[str, Any]]]
    renditions: Mapped[list[dict[str, Any]]]

    __table_args__ = (
        Index("clips_once_per_key", "user_id", "idempotency_key", unique=True),
        Index("clips_by_share_key", "share_key", unique=True),
        Index("clips_by_user", "user_id", "stored_bytes"),
        Index("clips_by_session", "session_id"),
        Index("clips_unfinished", "status", "storage", "has_poster"),
        Index("clips_deleted", "deleted_at_us"),
    )


class ClipEntryRow(Base):
    """A clip's place in a list: one row in its owner's, one in its community's, none while it is deleted.

    Rows are narrow and those of one list lie together, so that a search may simply read all of it: 100,000 entries
    take some 20 ms in both databases (bench/library.py), find any part of a word in any script, and need no index of
    words that is some fifty times larger and written with every capture.
    """

    __tablename__ = "clip_entries"

    list_id: Mapped[str] = mapped_column(Text, primary_key=True)
    created_at_us: Mapped[int] = mapped_column(primary_key=True)
    clip_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    duration_us: Mapped[int]
    size_bytes: Mapped[int]
    visibility: Mapped[str] = mapped_column(String(16))
    community_id: Mapped[str | None] = mapped_column(Text)
    room_name: Mapped[str] = mapped_column(Text)
    search_text: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        Index("clip_entries_by_clip", "clip_id"),
        Index("clip_entries_by_duration", "list_id", "duration_us", "clip_id"),
        Index("clip_entries_by_size", "list_id", "size_bytes", "clip_id"),
        {"sqlite_with_rowid": False},
    )


class CommunityRow(Base):
    """A community, and what it has set itself."""

    __tablename__ = "communities"

    community_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str | None] = mapped_column(Text)
    settings: Mapped[dict[str, Any]]
    created_at_us: Mapped[int]


class RoomRow(Base):
    """A room that a host application has registered."""

    __tablename__ = "rooms"

    room_name: Mapped[str] = mapped_column(String(255), primary_key=True)
    community_id: Mapped[str] = mapped_column(String(255))
    registered_at_us: Mapped[int]

    __table_args__ = (Index("rooms_by_community", "community_id", "room_name"),)


class RoleRow(Base):
    """What a role means. A key cannot be NULL: the community "" is everywhere."""

    __tablename__ = "roles"

    community_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    role: Mapped[str] = mapped_column(String(64), primary_key=True)
    permissions: Mapped[list[str]]


class MemberRow(Base):
    """One role that somebody has in a community, or in "": everywhere."""

    __tablename__ = "members"

    community_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    role: Mapped[str] = mapped_column(String(64), primary_key=True)

    __table_args__ = (Index("members_by_user", "user_id"),)


class AuditRow(Base):
    """One line of the audit trail. The database refuses to change it, and to delete it before its time."""

    __tablename__ = "audit_entries"

    entry_id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    at_us: Mapped[int]
    action: Mapped[str] = mapped_column(String(64))
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_key: Mapped[str | None] = mapped_column(String(32))
    subject_key: Mapped[str | None] = mapped_column(String(32))
    target: Mapped[str | None] = mapped_column(Text)
    community_id: Mapped[str | None] = mapped_column(Text)
    room_name: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[dict[str, Any]]

    __table_args__ = (
        Index("audit_by_time", "at_us"),
        Index("audit_by_action", "action", "entry_id"),
        Index("audit_by_community", "community_id", "entry_id"),
        Index("audit_by_actor", "actor_key", "entry_id"),
        Index("audit_by_subject", "subject_key", "entry_id"),
        {"sqlite_autoincrement": True},  # an id is never given out twice, also when the newest entries went
    )


class AuditPersonRow(Base):
    """Whom the trail means by a key. Gone when the person is erased: the entries stay, and name nobody any more."""

    __tablename__ = "audit_people"

    person_key: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(255))
    __table_args__ = (Index("audit_people_by_user", "user_id", unique=True),)


class AuditAddressRow(Base):
    """Where an entry's actor was; apart, because it goes when the actor is erased."""

    __tablename__ = "audit_addresses"

    entry_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person_key: Mapped[str | None] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(64))
    __table_args__ = (Index("audit_addresses_by_person", "person_key"),)


class AuditHorizonRow(Base):
    """One row: what happened before this instant may be deleted. It only moves forward."""

    __tablename__ = "audit_horizon"

    horizon_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    before_us: Mapped[int]


class ConsentRow(Base):
    """What somebody has said about being buffered in a room, or in "": everywhere. None: nothing."""

    __tablename__ = "consents"

    user_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    room_name: Mapped[str] = mapped_column(String(255), primary_key=True)
    buffering: Mapped[str | None] = mapped_column(String(8))
    auto_start: Mapped[bool | None]
    changed_at_us: Mapped[int]


class ErasureRow(Base):
    """That somebody is being erased, or was: the user's id is forgotten when it is done."""

    __tablename__ = "erasures"

    person_key: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str | None] = mapped_column(String(255))
    begun_at_us: Mapped[int]
    done_at_us: Mapped[int | None]

    __table_args__ = (Index("erasures_by_user", "user_id", unique=True),)


class RevocationRow(Base):
    """Tokens of somebody that were issued up to an instant hold no more. The id is kept as a hash only."""

    __tablename__ = "revocations"

    user_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    not_before_us: Mapped[int]
