"""Put the HTTP application together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

import lookback
from lookback.api import errors
from lookback.api.answers import Problem
from lookback.api.edge import Cors, Edge, LimitedBody
from lookback.api.metrics import Metrics
from lookback.api.pages import Pages
from lookback.api.present import BASE
from lookback.api.routes import (
    account,
    audit,
    clips,
    communities,
    health,
    library,
    livekit,
    operations,
    privacy,
    quotas,
    roles,
    sessions,
    space,
    whip,
)
from lookback.api.routes.documented import complete

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from lookback.api.ports import Services
    from lookback.api.tracing import Traces


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """What the HTTP side is told. `web_folder` holds the built web app, if it is built.

    `livekit_url`: the LiveKit server whose rooms the web app may join; None when it may not.
    """

    web_folder: Path
    cors_origins: Collection[str] = ()
    ice_servers: Collection[str] = ()
    livekit_url: str | None = None


class _Application(FastAPI):
    """FastAPI whose document says the truth about errors."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if not self.openapi_schema:
            self.openapi_schema = _with_problems(super().openapi())
        return self.openapi_schema


def create_app(
    services: Services, config: HttpConfig, metrics: Metrics | None = None, traces: Traces | None = None
) -> FastAPI:
    """Build the application; nothing runs yet."""
    app = _Application(
        title="Lookback",
        version=lookback.__version__,
        description="Keep the last minutes of every screen share, save the moment after it happened.",
        openapi_url=f"{BASE}/openapi.json",
        docs_url=None,
        redoc_url=None,
        # Its own spans have whole addresses in them, with the signatures of links; see api/tracing.py.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.services = services
    app.state.metrics = metrics or Metrics()
    app.state.ice_servers = tuple(config.ice_servers)
    app.state.livekit_url = config.livekit_url
    errors.install(app)
    for router in (
        sessions.router,
        clips.router,
        library.router,
        livekit.router,
        quotas.router,
        account.router,
        communities.router,
        communities.config_router,
        roles.router,
        audit.router,
        privacy.router,
        space.router,
        health.router,
    ):
        app.include_router(router, prefix=BASE)
    app.include_router(whip.router)
    app.include_router(livekit.hooks)
    app.include_router(operations.router)
    # Not mounted: a mount at "/" would match before a route that only lacks the method, and 405 would be 404.
    app.router.default = Pages(config.web_folder)
    # The last one added is the first one passed.
    app.add_middleware(LimitedBody)
    app.add_middleware(Cors, origins=config.cors_origins)
    app.add_middleware(Edge, observe=app.state.metrics.request, livekit_url=config.livekit_url, traces=traces)
    return app


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Replace the framework's own validation errors, which are never sent, by ours."""
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema(mode="serialization", by_alias=True)
    for operations_by_method in document["paths"].values():
        for operation in operations_by_method.values():
            unprocessable = operation["responses"].get("422", {})
            if "application/json" in unprocessable.get("content", {}):
                del operation["responses"]["422"]
            complete(operation)
    return document
