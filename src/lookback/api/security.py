"""Who a request speaks for: its bearer token, or for media its signed link."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from lookback.access.principal import Principal
from lookback.access.rates import Kind
from lookback.api.ports import Services
from lookback.errors import UnauthenticatedError

_BEARER = HTTPBearer(auto_error=False, bearerFormat="JWT", description="`lookback token --user alice` mints one.")
_PURPOSES = frozenset({"play", "download"})


def services(request: Request) -> Services:
    """Return what the application was built with."""
    found = request.app.state.services
    assert isinstance(found, Services)  # noqa: S101 - create_app puts it there
    return found


Has = Annotated[Services, Depends(services)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]


async def signed_in(has: Has, bearer: Bearer) -> Principal:
    """Return the principal of the bearer token; raises UnauthenticatedError."""
    if bearer is None or not bearer.credentials.strip():
        raise UnauthenticatedError("Send a bearer token in the Authorization header")
    who = await has.authenticator.principal(bearer.credentials.strip())
    structlog.contextvars.bind_contextvars(user=who.user_id)
    return who


async def media_reader(request: Request, has: Has, bearer: Bearer) -> Principal:
    """Return the principal of the signed link, or else of the bearer token; raises UnauthenticatedError."""
    if "signature" in request.query_params:
        who = has.links.principal(request.url.path, request.query_params, _PURPOSES)
        await has.revocations.require_later(who.user_id, has.links.issued_us(request.query_params))
        return who
    return await signed_in(has, bearer)


async def saver(who: Annotated[Principal, Depends(signed_in)], has: Has) -> Principal:
    """Return the principal, who saves something now; raises RateLimitError."""
    await has.rates.spend(Kind.CAPTURE, who.user_id)
    return who


async def starter(who: Annotated[Principal, Depends(signed_in)], has: Has) -> Principal:
    """Return the principal, who starts a buffer now; raises RateLimitError."""
    await has.rates.spend(Kind.START, who.user_id)
    return who


Who = Annotated[Principal, Depends(signed_in)]
Saver = Annotated[Principal, Depends(saver)]
Starter = Annotated[Principal, Depends(starter)]
Reader = Annotated[Principal, Depends(media_reader)]
