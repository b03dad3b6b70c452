"""One statement that inserts a row or changes the one that is there; both databases know it, each by its own name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.ext.asyncio import AsyncSession

    from lookback.db.models import Base


async def put_row(
    db: AsyncSession,
    table: type[Base],
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    once: Mapping[str, Any] | None = None,
) -> None:
    """Insert a row, or set `values` in the one that has this primary key. `once` is what only a new row gets."""
    insert = postgresql_insert if db.get_bind().dialect.name == "postgresql" else sqlite_insert
    statement = insert(table).values(**key, **values, **(once or {}))
    if values:
        changes = {name: statement.excluded[name] for name in values}
        await db.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changes))
    else:
        await db.execute(statement.on_conflict_do_nothing(index_elements=list(key)))
