"""Put the database browser together, and mount it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqladmin import Admin
from starlette.middleware import Middleware

from lookback.api.errors import problem
from lookback.errors import LookbackError
from lookback.studio.door import PATH, Door
from lookback.studio.headers import Headers
from lookback.studio.tables import TABLES
from lookback.studio.views import view_of

if TYPE_CHECKING:
    from fastapi import FastAPI
    from sqlalchemy.ext.asyncio import AsyncEngine
    from starlette.requests import Request
    from starlette.responses import Response

    from lookback.access.audit import Audit

_TEMPLATES = Path(__file__).with_name("templates")
# What the library has besides creates, edits, deletes, exports, imports and sends files.
_ROUTES = frozenset({"statics", "index", "list", "details", "login", "logout"})


def mount_studio(app: FastAPI, engine: AsyncEngine, door: Door, audit: Audit, *, https: bool) -> None:
    """Let administrators look through `engine`, which should let nobody write."""
    admin = Admin(
        app,
        engine,
        base_url=PATH,
        title="Lookback studio",
        templates_dir=str(_TEMPLATES),
        middlewares=[Middleware(Headers, https=https)],
        authentication_backend=door,
    )
    for table in TABLES:
        admin.add_view(view_of(table, audit))
    routes = admin.admin.router.routes
    admin.admin.router.routes = [route for route in routes if getattr(route, "name", None) in _ROUTES]

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, LookbackError)  # noqa: S101 - registered for this kind only
        answer = problem(error)
        form = request.url.path == f"{PATH}/login"
        context: dict[str, Any] = {"error": error.detail, "message": error.detail, "status_code": answer.status_code}
        page = await admin.templates.TemplateResponse(
            request, f"sqladmin/{'login' if form else 'error'}.html", context, answer.status_code
        )
        if "Retry-After" in answer.headers:
            page.headers["Retry-After"] = answer.headers["Retry-After"]
        return page

    admin.admin.add_exception_handler(LookbackError, refused)
