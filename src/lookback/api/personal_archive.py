"""A person's data as a ZIP file that is written while it is sent: nothing of it is ever on disk or whole in memory."""

from __future__ import annotations

import io
import json
from contextlib import aclosing
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from pydantic.alias_generators import to_camel

from lookback.api import audit_wire
from lookback.api.wire import iso
from lookback.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from lookback.clips.model import Clip
    from lookback.operations.personal_data import PersonalData

# Not the person's to take along: keys that open something, and what only means something inside.
_LEFT_OUT = frozenset({"share_key", "ice_etag", "idempotency_key"})
# Of clips that others have saved: that they exist. Their titles and tags are the others' words.
_SHOWN = ("clip_id", "session_id", "room_name", "community_id", "created_at_us", "delivered")
_SECOND_US = 1_000_000


async def archive(data: PersonalData) -> AsyncGenerator[bytes, None]:
    """Yield the file: JSON documents first, then the audit entries about the person, then the videos of their clips."""
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_DEFLATED) as file:
        for name, document in _documents(data):
            file.writestr(name, json.dumps(document, indent=1, ensure_ascii=False))
        with file.open("audit.jsonl", "w", force_zip64=True) as member:
            async for entry in data.audit:
                member.write(audit_wire.entry(entry).model_dump_json(by_alias=True).encode() + b"\n")
                yield sink.taken()
        for clip in data.clips:
            # Closed before the file is, also when whoever takes it leaves.
            async with aclosing(_video(file, sink, data, clip)) as pieces:
                async for piece in pieces:
                    yield piece
    yield sink.taken()


async def _video(file: ZipFile, sink: _Sink, data: PersonalData, clip: Clip) -> AsyncGenerator[bytes, None]:
    try:
        media = await data.open(clip)
    except NotFoundError:
        return  # its document says that it failed
    try:
        with file.open(_member(clip), "w", force_zip64=True) as member:
            async for chunk in media.chunks(0, media.size):
                member.write(chunk)
                yield sink.taken()
    finally:
        media.close()


def _member(clip: Clip) -> ZipInfo:
    made = datetime.fromtimestamp(clip.created_at_us / _SECOND_US, UTC)
    info = ZipInfo(f"clips/{clip.clip_id}.{clip.container}", date_time=made.timetuple()[:6])
    info.compress_type = ZIP_STORED  # video does not get smaller
    return info


def _documents(data: PersonalData) -> Iterator[tuple[str, Any]]:
    roles = [{"communityId": where, "roles": list(names)} for where, names in data.roles.items()]
    profile = plain(data.profile) if data.profile is not None else {"userId": data.user_id}
    yield "profile.json", {**profile, "roles": roles}
    yield "consent.json", audit_wire.consent(data.consents).model_dump(by_alias=True)
    told = [{**plain(session), "events": plain(data.events[session.session_id])} for session in data.sessions]
    yield "sessions.json", told
    yield "clips.json", [plain(clip) for clip in data.clips]
    shown = [{name: getattr(clip, name) for name in _SHOWN} for clip in data.shown_in]
    yield "shown-in.json", [plain(clip) for clip in shown]


def plain(value: Any) -> Any:
    """Write it as the API would: camelCase names, instants in ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain({f.name: getattr(value, f.name) for f in fields(value) if f.name not in _LEFT_OUT})
    if isinstance(value, dict):
        return dict(_member_of(name, member) for name, member in value.items())
    return [plain(member) for member in value] if isinstance(value, list | tuple) else value


def _member_of(name: str, value: Any) -> tuple[str, Any]:
    if name.endswith("_us") and isinstance(value, int | None):
        return to_camel(name.removesuffix("_us")), None if value is None else iso(value)
    return to_camel(name), plain(value)


class _Sink(io.RawIOBase):
    """A file that can only be written, and is taken away piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        taken = bytes(self._written)
        self._written.clear()
        return taken
