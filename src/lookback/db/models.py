"""The tables: users, sessions, clips. High-rate data stays in the buffer directory. Instants are UTC microseconds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String, Text, text
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
    """Somebody who was seen: their name, and a quota of their own where the default does not hold."""

    __tablename__ = "users"

    user_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str | None] = mapped_column(Text)
    quota_bytes: Mapped[int | None]
    created_at_us: Mapped[int]


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

    __table_args__ = (
        # One active session per user: the database is the one place where two starts at once can be told apart.
        Index("one_active_session", "user_id", unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
        Index("sessions_by_user", "user_id", "started_at_us"),
        Index("sessions_by_room", "room_name", "started_at_us"),
        Index("sessions_by_state", "state"),
    )


class ClipRow(Base):
    """One clip with its renditions."""

    __tablename__ = "clips"

    clip_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[str] = mapped_column(String(64))
    room_name: Mapped[str] = mapped_column(Text)
    community_id: Mapped[str | None] = mapped_column(Text)
    user_id: Mapped[str] = mapped_column(String(255))
    title: Mapped[str] = mapped_column(Text)
    search_text: Mapped[str] = mapped_column(Text)
    created_at_us: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    requested_start_us: Mapped[int]
    requested_end_us: Mapped[int]
    delivered_start_us: Mapped[int]
    delivered_end_us: Mapped[int]
    size_bytes: Mapped[int]
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
        Index("clips_by_user", "user_id", "created_at_us", "clip_id"),
        Index("clips_unfinished", "status", "storage", "has_poster"),
        Index("clips_deleted", "deleted_at_us"),
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
