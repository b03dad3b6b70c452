"""/webhooks/livekit, /livekit/join: what LiveKit tells us, and how a page gets into a room."""

from fastapi import APIRouter, Request, Response

from lookback.api.errors import UnsupportedMediaTypeError
from lookback.api.routes.documented import problems
from lookback.api.security import Has, Who
from lookback.api.wire import Answer, Name, Wish

router = APIRouter(tags=["livekit"])
hooks = APIRouter(tags=["livekit"])

_KINDS = ("application/webhook+json", "application/json")
_BODY = {"requestBody": {"required": True, "content": {kind: {"schema": {"type": "object"}} for kind in _KINDS}}}


class JoinWish(Wish):
    """Join a LiveKit room."""

    room_name: Name


class JoinAnswer(Answer):
    """What livekit-client connects with."""

    url: str
    token: str


@router.post("/livekit/join", operation_id="joinRoom", responses=problems(401, 404))
async def join(wish: JoinWish, who: Who, has: Has) -> JoinAnswer:
    """Get a token for a LiveKit room, to share a screen there. For development: off unless LOOKBACK_LIVEKIT_JOIN."""
    invitation = has.livekit.invite(who, wish.room_name)
    return JoinAnswer(url=invitation.url, token=invitation.token)


@hooks.post(
    "/webhooks/livekit",
    operation_id="livekitWebhook",
    response_class=Response,
    openapi_extra=_BODY,
    responses=problems(400, 401, 413, 415, 503),
)
async def webhook(request: Request, has: Has) -> Response:
    """Take a webhook of the LiveKit server. It is signed in its Authorization header by one of the server's keys."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise UnsupportedMediaTypeError(f"Send {_KINDS[0]}", accepted=list(_KINDS))
    has.livekit.accept_webhook(await request.body(), request.headers.get("authorization", ""))
    return Response(None, 200)
