"""Who may look: the API's own tokens, kept in a cookie that only /studio is sent, and asked about at every request."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Any

import structlog
from sqladmin.authentication import AuthenticationBackend
from starlette.responses import RedirectResponse

from lookback.access.principal import Permission
from lookback.access.rates import Kind
from lookback.access.tokens import ends_at_us
from lookback.errors import PermissionDeniedError, UnauthenticatedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import Response

    from lookback.access.known_users import Authenticator
    from lookback.access.principal import Principal
    from lookback.access.rates import RateLimits

log = structlog.get_logger(__name__)

PATH = "/studio"
COOKIE = "lookback-studio"
_PURPOSE = b"lookback-studio-1"
_LONGEST_TOKEN = 3800  # browsers keep 4096 bytes of a cookie, with its name and the signature (RFC 6265 section 6.1)
_TOKEN = re.compile(r"[A-Za-z0-9_.=-]+")
_SECOND_US = 1_000_000


class Seal:
    """Signs the tokens that came through the form, so that a cookie is no second way to send one.

    The key is made from the server's secret: whoever has it cannot learn the secret from it.
    """

    def __init__(self, secret: str) -> None:
        self._key = hmac.new(secret.encode(), _PURPOSE, hashlib.sha256).digest()

    def closed(self, token: str) -> str:
        """The token as the cookie holds it."""
        return f"{token}.{self._sign(token)}"

    def opened(self, cookie: str) -> str | None:
        """The token of a cookie that was signed here, or None."""
        token, _, signature = cookie.rpartition(".")
        return token if hmac.compare_digest(self._sign(token).encode(), signature.encode()) else None

    def _sign(self, token: str) -> str:
        return hmac.new(self._key, token.encode(), hashlib.sha256).hexdigest()


class Door(AuthenticationBackend):
    """Lets administrators of the whole server in. `secure`: browsers reach the server by https only."""

    # The library's constructor would keep a session of its own.
    def __init__(
        self,
        authenticator: Authenticator,
        seal: Seal,
        rates: RateLimits,
        *,
        secure: bool,
        clock: Callable[[], int],
    ) -> None:
        self._authenticator, self._seal, self._rates = authenticator, seal, rates
        self._secure, self._clock = secure, clock
        self.middlewares: list[Middleware] = []

    async def authenticate(self, request: Request) -> Response | bool:
        """Let the request pass, and leave in its state who it is; or show the way to the form."""
        token = self._seal.opened(request.cookies.get(COOKIE, ""))
        if token is None:
            return _to(request, "login")
        try:
            request.state.who = await self._administrator(token)
        except (UnauthenticatedError, PermissionDeniedError):
            return await self.logout(request)
        return True

    async def login(self, request: Request) -> Response:
        """Take the token of the form; raises UnauthenticatedError, PermissionDeniedError or RateLimitError."""
        # Else another site could sign somebody in with a token of its own.
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise PermissionDeniedError("The form must be sent from this page")
        await self._rates.spend(Kind.SIGN_IN, request.client.host if request.client else "")
        token = str((await request.form()).get("token", "")).strip()
        if len(token) > _LONGEST_TOKEN or not _TOKEN.fullmatch(token):
            raise UnauthenticatedError("That is no token, or too long a one for a cookie")
        await self._administrator(token)
        log.info("studio.entered")
        answer = _to(request, "index")
        answer.set_cookie(COOKIE, self._seal.closed(token), max_age=self._left_seconds(token), **self._attributes)
        return answer

    async def logout(self, request: Request) -> Response:
        """Take the cookie back, and show the form."""
        answer = _to(request, "login")
        answer.delete_cookie(COOKIE, **self._attributes)
        return answer

    @property
    def _attributes(self) -> dict[str, Any]:
        return {"path": PATH, "secure": self._secure, "httponly": True, "samesite": "strict"}

    async def _administrator(self, token: str) -> Principal:
        who = await self._authenticator.principal(token)
        structlog.contextvars.bind_contextvars(user=who.user_id)
        who.require(Permission.MANAGE_REPLAY_LIMITS)
        return who

    def _left_seconds(self, token: str) -> int | None:
        ends_us = ends_at_us(token)
        return None if ends_us is None else max(0, (ends_us - self._clock()) // _SECOND_US)


def _to(request: Request, name: str) -> RedirectResponse:
    return RedirectResponse(request.url_for(f"admin:{name}"), 303)
