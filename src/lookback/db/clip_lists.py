"""The lists that clips are in, and how a page of one is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Integer

from lookback.clips.ports import Sort
from lookback.clips.search import folded_tag, query_words, searched_text
from lookback.db.models import ClipEntryRow as Entry
from lookback.db.models import ClipRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Select, Table
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.sql.compiler import SQLCompiler

    from lookback.clips.model import Clip
    from lookback.clips.ports import Position, Selection

_TABLE = cast("Table", Entry.__table__)  # cheaper to insert into than a mapped class
_COLUMN = {Sort.LONGEST: Entry.duration_us, Sort.LARGEST: Entry.size_bytes}


class _PlaceOf(FunctionElement[int]):
    """Where a text is within another, 0 if it is not: exact, unlike LIKE, and the faster of the two."""

    type = Integer()
    inherit_cache = True


@compiles(_PlaceOf, "sqlite")
def _instr(element: _PlaceOf, compiler: SQLCompiler, **more: Any) -> str:
    return compiler.process(func.instr(*element.clauses), **more)


@compiles(_PlaceOf, "postgresql")
def _strpos(element: _PlaceOf, compiler: SQLCompiler, **more: Any) -> str:
    return compiler.process(func.strpos(*element.clauses), **more)


async def enlist(db: AsyncSession, clip: Clip) -> None:
    """Put a clip into its lists, unless it is deleted."""
    if clip.deleted_at_us is None:
        await db.execute(_TABLE.insert(), list(entries_of(clip)))


async def unlist(db: AsyncSession, clip_id: str) -> None:
    """Take a clip out of all lists."""
    await db.execute(delete(Entry).where(Entry.clip_id == clip_id))


def page_query(wanted: Selection, sort: Sort, limit: int, after: Position | None) -> Select[ClipRow]:
    """The query for a page of clips.

    Unnarrowed lists are read in the order of an index. Narrowed by anything else than time, the whole list is read as
    it lies: following an index of lengths instead would jump to each entry for its text, ten times as slow when
    little is found. Adding 0 to a column is what keeps both databases from that.
    """
    conditions = list(_conditions(wanted))
    key: ColumnElement[int] = _COLUMN.get(sort, Entry.created_at_us).expression
    if conditions and sort in _COLUMN:
        key = key + 0
    conditions += _within(wanted)
    if after is not None:
        here, there = tuple_(key, Entry.clip_id), tuple_(after.value, after.clip_id)
        conditions.append(here < there if sort.descending else here > there)
    found = select(Entry.clip_id, key.label("place")).where(*conditions)
    found = found.order_by(*_ordered(sort, key, Entry.clip_id.expression)).limit(limit)
    chosen = found.subquery()
    clips = select(ClipRow).join(chosen, chosen.c.clip_id == ClipRow.clip_id)
    return clips.order_by(*_ordered(sort, chosen.c.place, chosen.c.clip_id))


def _within(wanted: Selection) -> Iterator[ColumnElement[bool]]:
    owner = wanted.user_id is not None
    yield Entry.list_id == (_of_user(wanted.user_id) if owner else _of_community(wanted.community_id))
    if wanted.from_us is not None:
        yield Entry.created_at_us >= wanted.from_us
    if wanted.until_us is not None:
        yield Entry.created_at_us < wanted.until_us


def _conditions(wanted: Selection) -> Iterator[ColumnElement[bool]]:
    if wanted.user_id is not None and wanted.community_id is not None:
        yield Entry.community_id == wanted.community_id
    if wanted.room_name is not None:
        yield Entry.room_name == wanted.room_name
    if wanted.visibility is not None:
        yield Entry.visibility == wanted.visibility.value
    parts = [folded_tag(wanted.tag)] if wanted.tag is not None else []
    for part in (*parts, *query_words(wanted.query)):
        yield _PlaceOf(Entry.search_text, part) > 0


def _ordered(sort: Sort, key: ColumnElement[int], clip_id: ColumnElement[str]) -> list[ColumnElement[Any]]:
    return [key.desc(), clip_id.desc()] if sort.descending else [key.asc(), clip_id.asc()]


def entries_of(clip: Clip) -> Iterator[dict[str, Any]]:
    """The clip's row in each of its lists."""
    lists = [_of_user(clip.user_id)]
    if clip.community_id is not None:
        lists.append(_of_community(clip.community_id))
    for list_id in lists:
        yield {
            "list_id": list_id,
            "created_at_us": clip.created_at_us,
            "clip_id": clip.clip_id,
            "duration_us": clip.delivered.duration_us,
            "size_bytes": clip.size_bytes,
            "visibility": clip.visibility.value,
            "community_id": clip.community_id,
            "room_name": clip.room_name,
            "search_text": searched_text(clip),
        }


def _of_user(user_id: str | None) -> str:
    return f"user:{user_id}"


def _of_community(community_id: str | None) -> str:
    return f"community:{community_id}"
