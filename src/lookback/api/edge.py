"""What every request passes on its way in and out: clock, log, security headers, limits, the last net for errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect

from lookback.access.audit import came_from
from lookback.api.errors import METHODS, TooLargeError, internal_problem, problem
from lookback.api.present import BASE
from lookback.api.tracing import Untraced
from lookback.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from lookback.api.tracing import Answered, Traces

log = structlog.get_logger(__name__)

# Mantine puts its styles into <style> elements; players read segments through blob: URLs.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; media-src 'self' blob:; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), display-capture=(self)",
}
# The longest body there is: an SDP offer of a browser is about 10 kB.
MAX_BODY_BYTES = 256 * 1024
_EXPOSED = ("Location", "ETag", "Link", "X-Lookback-Session", "Accept-Ranges", "Content-Range", "Retry-After")
_ALLOWED = (
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "If-Range",
    "Range",
    "Idempotency-Key",
    "traceparent",
    "tracestate",
)

Observe = Callable[[str, str, int, float], None]
"""Called with method, route, status and seconds of every request."""


class Edge:
    """Measures, traces and logs requests; what nobody foresaw becomes a 500 without a message and a log with one."""

    def __init__(
        self, app: ASGIApp, observe: Observe, livekit_url: str | None = None, traces: Traces | None = None
    ) -> None:
        self._app = app
        self._observe = observe
        self._traces = traces or Untraced()
        self._headers = {"Content-Security-Policy": content_security_policy(livekit_url), **_SECURITY}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        structlog.contextvars.clear_contextvars()
        came_from(scope["client"][0] if scope.get("client") else None)
        with self._traces.request(scope) as answered:
            await self._answer(scope, receive, send, answered)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, answered: Answered) -> None:
        started, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _secure(message, self._headers)
            await send(message)

        try:
            # No id or name holds a NUL, and not every database takes one.
            inside = (
                self._app if "\0" not in scope["path"] else problem(NotFoundError("There is nothing at this address"))
            )
            await inside(scope, receive, sending)
        except Exception:
            log.exception("http.failed", method=scope["method"], path=scope["path"])
            if not status:
                await internal_problem()(scope, receive, sending)
        finally:
            self._report(scope, status, time.perf_counter() - started, answered)

    def _report(self, scope: Scope, status: int, took_seconds: float, answered: Answered) -> None:
        # Any word may be sent as a method; each would make a series of its own.
        method, route = scope["method"] if scope["method"] in METHODS else None, _pattern(scope)
        self._observe(method or "(other)", route or "(none)", status, took_seconds)
        answered(method, route, status)
        # The path without its query: links are signed there.
        log.info(
            "http.request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            took_ms=round(took_seconds * 1000, 1),
        )


class LimitedBody:
    """Reads the body before anybody works on it, and refuses one that is longer than anything sensible."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["method"] not in {"POST", "PATCH", "PUT", "DELETE"}:
            await self._app(scope, receive, send)
            return
        try:
            body = await _read(receive)
        except ClientDisconnect:
            return  # half a body must not be taken for a whole one
        except TooLargeError as error:
            await problem(error, headers={"Connection": "close"})(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


class Cors:
    """Lets browsers of other origins in: publishers from anywhere (RFC 9725 section 4.4), the rest as configured.

    There is no cookie but that of /studio, with which no other origin may read anything (credentials are not allowed),
    so an origin can do nothing for which it does not hold a token.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._whip = _cors(app, ["*"])
        self._rest = _cors(app, origins) if origins else app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        whip = scope["type"] == "http" and scope["path"].startswith("/whip/")
        await (self._whip if whip else self._rest)(scope, receive, send)


def _cors(app: ASGIApp, origins: Collection[str]) -> CORSMiddleware:
    return CORSMiddleware(
        app, allow_origins=origins, allow_methods=METHODS, allow_headers=_ALLOWED, expose_headers=_EXPOSED
    )


def content_security_policy(livekit_url: str | None) -> str:
    """What the page may load and reach: this server, and the LiveKit server whose rooms it joins, if it does."""
    if livekit_url is None:
        return CONTENT_SECURITY_POLICY
    scheme, _, host = livekit_url.partition("://")
    secure = "s" if scheme.endswith("s") else ""  # media go by WebSocket; why a token is refused is asked by HTTP
    host = host.partition("/")[0]
    return f"{CONTENT_SECURITY_POLICY}; connect-src 'self' ws{secure}://{host} http{secure}://{host}"


def _secure(message: Message, security: Mapping[str, str]) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in security.items():
        headers.setdefault(name, value)


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise TooLargeError("The body is too long", limit=MAX_BODY_BYTES)
        if not message.get("more_body", False):
            return bytes(body)


def _pattern(scope: Scope) -> str | None:
    """The pattern of the address, if it has one; an application that is mounted is one.

    What FastAPI puts into the scope lacks the prefix that a router was included with.
    """
    if mount := scope.get("root_path"):
        return str(mount)
    pattern = getattr(scope.get("route"), "path", None)
    if pattern is None:
        return None
    prefixed = scope["path"].startswith(f"{BASE}/") and not pattern.startswith(BASE)
    return f"{BASE}{pattern}" if prefixed else str(pattern)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed
