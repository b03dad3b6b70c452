"""A WHIP server over HTTP for publishers that speak nothing else: one offer is one publisher, no access control."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from lookback.errors import LookbackError
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.requests import Request

    from tests.support.receiving import Receiving

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Expose-Headers": "Location, ETag",
}


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # they belong to the test runner


def whip_app(here: Receiving, rewrite: Callable[[str], str]) -> Starlette:
    """POST /whip, PATCH and DELETE /publisher/{number}, an empty page at /; `rewrite` may change answers."""

    async def post(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(headers=_CORS)
        try:
            got = here.accept((await request.body()).decode())
        except LookbackError as error:
            return Response(error.detail, 400, _CORS)
        headers = {"Location": f"/publisher/{len(here.publishers) - 1}", "ETag": got.publisher.etag}
        return Response(rewrite(got.publisher.answer), 201, _CORS | headers, "application/sdp")

    async def session(request: Request) -> Response:
        publisher = here.publishers[int(request.path_params["number"])].publisher
        if request.method == "DELETE":
            publisher.close("deleted")
        elif request.method == "PATCH":
            fragment = publisher.restart_ice((await request.body()).decode())
            if fragment is None:
                return Response(status_code=204, headers=_CORS)
            headers = _CORS | {"ETag": publisher.etag}
            return Response(rewrite(fragment), 200, headers, "application/trickle-ice-sdpfrag")
        return Response(headers=_CORS)

    async def page(_request: Request) -> Response:
        return Response("<!doctype html>", media_type="text/html")

    return Starlette(
        routes=[
            Route("/", page),
            Route("/whip", post, methods=["POST", "OPTIONS"]),
            Route("/publisher/{number:int}", session, methods=["PATCH", "DELETE", "OPTIONS"]),
        ]
    )


@asynccontextmanager
async def whip_server(here: Receiving, rewrite: Callable[[str], str] = str) -> AsyncIterator[str]:
    """Serve on loopback while the body runs; the URL to publish to."""
    config = uvicorn.Config(whip_app(here, rewrite), port=0, log_level="warning", lifespan="off", ws="none")
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/whip"
    finally:
        server.should_exit = True
        await task
