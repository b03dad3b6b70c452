"""The tables: users, sessions, clips. High-rate data stays in the buffer directory. Instants are UTC microseconds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ACTIVE_STATES = ("starting", "recording", "interrupted")
_ACTIVE = text(f"state IN ({', '.join(repr(state) for state in ACTIVE_STATES)})")


class Base(DeclarativeBase):
    """Base of every table; an int is 64 bits wide."""

    type_annotation_map = {int: BigInteger, dict[str, Any]: JSON, list[dict[str, Any]]: JSON}  # noqa: RUF012


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
