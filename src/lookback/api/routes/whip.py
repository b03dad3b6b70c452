"""/whip: publishers offer a screen share here (RFC 9725)."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Request, Response

from lookback.api.errors import PreconditionFailedError, PreconditionRequiredError, UnsupportedMediaTypeError
from lookback.api.routes.documented import problems
from lookback.api.security import Has, Starter, Who
from lookback.api.wire import PRINTABLE
from lookback.errors import MalformedError
from lookback.sessions.views import WhipAnswer

router = APIRouter(prefix="/whip", tags=["whip"])

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
# One text field with the offer; the document cannot say more about it.
_OFFER = {"requestBody": {"required": True, "content": {SDP: {"schema": {"type": "string"}}}}}
_PATCH = {"requestBody": {"required": True, "content": {FRAGMENT: {"schema": {"type": "string"}}}}}

Room = Annotated[str, Path(min_length=1, max_length=255, pattern=PRINTABLE)]
IfMatch = Annotated[str | None, Header()]


@router.post(
    "/{room_name:path}",
    status_code=201,
    operation_id="whipPublish",
    response_class=Response,
    openapi_extra=_OFFER,
    responses={
        201: {"description": "The answer", "content": {SDP: {"schema": {"type": "string"}}}},
        **problems(400, 401, 403, 413, 415, 422, 429, 503, 507),
    },
)
async def publish(room_name: Room, request: Request, who: Starter, has: Has) -> Response:
    """Take an offer and answer it. The share's session begins, or goes on where a lost connection left it."""
    offer = await _text(request, SDP)
    answer = await has.sessions.accept_whip(who, room_name, offer)
    headers = {
        "Location": f"/whip/{quote(room_name, safe='')}/{quote(answer.session_id, safe='')}",
        "ETag": answer.etag,
        "X-Lookback-Session": answer.session_id,
    }
    if servers := request.app.state.ice_servers:
        headers["Link"] = ", ".join(f'<{server}>; rel="ice-server"' for server in servers)
    return Response(answer.sdp, 201, headers, SDP)


@router.options("/{room_name:path}", include_in_schema=False)
async def options(room_name: str) -> Response:
    """Say what is taken here."""
    del room_name
    return Response(None, 204, {"Allow": "POST, PATCH, DELETE, OPTIONS", "Accept-Post": SDP, "Accept-Patch": FRAGMENT})


@router.patch(
    "/{room_name:path}/{session_id}",
    operation_id="whipRestart",
    response_class=Response,
    openapi_extra=_PATCH,
    responses={
        200: {"description": "ICE was restarted", "content": {FRAGMENT: {"schema": {"type": "string"}}}},
        204: {"description": "The candidates are not needed: the publisher is found by its checks"},
        **problems(400, 401, 404, 412, 415, 428),
    },
)
async def restart(
    room_name: Room, session_id: str, request: Request, *, who: Who, has: Has, if_match: IfMatch = None
) -> Response:
    """Restart ICE (If-Match: *), or take further candidates (If-Match: the session's ETag)."""
    fragment = await _text(request, FRAGMENT)
    session = await has.sessions.whip_session(who, room_name, session_id)
    if if_match is None:
        raise PreconditionRequiredError("Say in If-Match which ICE session the candidates belong to, or * to restart")
    if if_match.strip() in {"*", '"*"'}:
        return _restarted(await has.sessions.restart_ice(who, session_id, fragment))
    if if_match.strip() != session.ice_etag:
        raise PreconditionFailedError("That ICE session is over")
    # An ICE-lite agent learns addresses from the checks that reach it (RFC 8445 section 2.5).
    return Response(None, 204)


@router.delete("/{room_name:path}/{session_id}", operation_id="whipEnd", responses=problems(401, 404))
async def end(room_name: Room, session_id: str, who: Who, has: Has) -> Response:
    """End the share. Its last minutes stay capturable."""
    await has.sessions.whip_session(who, room_name, session_id)
    await has.sessions.end_whip(who, session_id)
    return Response(None, 200)


def _restarted(answer: WhipAnswer | None) -> Response:
    if answer is None:
        return Response(None, 204)
    return Response(answer.sdp, 200, {"ETag": answer.etag}, FRAGMENT)


async def _text(request: Request, kind: str) -> str:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != kind:
        raise UnsupportedMediaTypeError(f"Send {kind}", accepted=[kind])
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise MalformedError("The body is not UTF-8 text") from error
