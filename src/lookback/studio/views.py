"""A table as it is looked at. Nothing is shown whose entry in the audit trail could not be written."""

from __future__ import annotations

import json
from types import new_class
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import quote

from sqladmin import ModelView
from sqlalchemy import JSON, String, false, inspect
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import load_only
from starlette.datastructures import URL
from starlette.exceptions import HTTPException

from lookback.access.audit import Action
from lookback.clips.facts import iso
from lookback.db.faults import database_faults

if TYPE_CHECKING:
    from sqladmin.pagination import Pagination
    from sqlalchemy import Select
    from starlette.requests import Request

    from lookback.access.audit import Audit
    from lookback.access.principal import Principal
    from lookback.studio.tables import Table

_PLACES = frozenset({"user_id", "community_id", "room_name"})
"""What has a member of its own in an entry; `facts` and `target` never say who."""


class TableView(ModelView):
    """Lists a table and shows its rows: only the columns that `table` allows are ever asked of the database."""

    table: ClassVar[Table]
    audit: ClassVar[Audit]

    can_create = can_edit = can_delete = can_export = can_import = False
    page_size = 25
    column_type_formatters: ClassVar[Any] = {
        type(None): lambda _: "",
        bool: lambda true: "yes" if true else "no",
        dict: lambda value: json.dumps(value, ensure_ascii=False),
        list: lambda value: json.dumps(value, ensure_ascii=False),
    }

    def is_accessible(self, request: Request) -> bool:
        """Whether it may be looked at."""
        return principal_of(request).allowed(self.table.needs)

    def list_query(self, request: Request) -> Select[Any]:
        """What a list asks for."""
        return super().list_query(request).options(self._only_shown())

    def details_query(self, request: Request) -> Select[Any]:
        """What a row asks for."""
        return super().details_query(request).options(self._only_shown())

    def search_query(self, stmt: Select[Any], term: str) -> Select[Any]:
        """What a search asks for."""
        if "\0" in term:  # no text holds one, and not every database takes it
            return stmt.where(false())
        return super().search_query(stmt, term)

    async def list(self, request: Request) -> Pagination:
        """Return a page; raises what the trail or the database raises."""
        with database_faults():
            page = await super().list(request)
        query = request.query_params
        if page.page == self.validate_page_number(query.get("page"), 1):  # else nothing but the way there is shown
            searched = {"searched": True} if query.get("search") else {}
            await self._record(request, facts={"table": self.table.name, "page": page.page, **searched})
        return page

    async def get_object_for_details(self, request: Request) -> Any:
        """Return a row or None. It is asked for twice per page, first for whether it may be seen."""
        if not hasattr(request.state, "row"):
            request.state.row = await self._looked_at(request)
        return request.state.row

    async def _looked_at(self, request: Request) -> Any:
        try:
            with database_faults():
                row = await super().get_object_for_details(request)
        except (ValueError, OverflowError, StatementError) as error:
            raise HTTPException(404) from error  # the address names no key that a row could have
        if row is not None:
            await self._record(request, facts={"table": self.table.name}, **_named(self.table, row))
        return row

    async def _record(self, request: Request, *, facts: dict[str, Any], **named: str | None) -> None:
        actor = principal_of(request).user_id
        await self.audit.record(Action.STUDIO_VIEWED, actor=actor, facts=facts, **named)

    def _only_shown(self) -> Any:
        return load_only(*(getattr(self.model, name) for name in self.table.shown), raiseload=True)

    def _build_url_for(self, name: str, request: Request, obj: Any) -> URL:
        """The library's own does not quote, and keys are people's words: rooms may be called "#general"."""
        url = super()._build_url_for(name, request, obj)
        base = str(request.url_for(name, identity=self.identity, pk=""))
        return URL(base + quote(str(url).removeprefix(base), safe=""))


def view_of(table: Table, audit: Audit) -> type[TableView]:
    """The view of a table."""
    types = {name: inspect(table.row).columns[name].type for name in table.shown}
    # Every number of microseconds that is shown is an instant.
    instants = {name: _instant for name in table.shown if name.endswith("_us")}
    attributes = {
        "table": table,
        "audit": audit,
        "name": table.name,
        "name_plural": table.name,
        "column_list": table.shown,
        "column_details_list": table.shown,
        "column_sortable_list": [name for name, kind in types.items() if not isinstance(kind, JSON)],
        "column_searchable_list": [name for name, kind in types.items() if isinstance(kind, String)],
        "column_default_sort": (table.newest_by, True) if table.newest_by else [],
        "column_formatters": instants,
        "column_formatters_detail": instants,
    }
    name = f"{table.row.__name__}View"
    view = cast(
        "type[TableView]",
        new_class(name, (TableView,), {"model": table.row}, lambda body: body.update(attributes)),
    )
    view.identity = table.name
    return view


def principal_of(request: Request) -> Principal:
    """Who was let in with this request."""
    return request.state.who  # type: ignore[no-any-return]  # the door puts it there


def _instant(row: Any, name: str) -> str:
    instant_us = getattr(row, name)
    return "" if instant_us is None else iso(instant_us)


def _named(table: Table, row: Any) -> dict[str, str | None]:
    """Which row it was, as an entry says it: whose, where, and what of its key is neither."""
    key = [column.name for column in inspect(table.row).primary_key if column.name not in _PLACES]
    target = ";".join(str(getattr(row, name)) for name in key)
    return {
        "subject": _said(table, row, "user_id"),
        "community_id": _said(table, row, "community_id"),
        "room_name": _said(table, row, "room_name"),
        "target": target or None,
    }


def _said(table: Table, row: Any, name: str) -> str | None:
    return (getattr(row, name) or None) if name in table.shown else None
