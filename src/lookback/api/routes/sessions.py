"""/start, /stop, /status, /sessions: the life of a session and what its buffer holds."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from lookback.api import present
from lookback.api.answers import (
    RoomStatusAnswer,
    SessionAnswer,
    SessionListAnswer,
    StoryAnswer,
    TimelineAnswer,
    WatchedSessionsAnswer,
)
from lookback.api.file_media import open_part
from lookback.api.media import Presentation, serve
from lookback.api.routes.documented import media, problems
from lookback.api.security import Has, Reader, Starter, Who
from lookback.api.wire import PRINTABLE
from lookback.api.wishes import StartWish
from lookback.sessions.views import StartRequest

router = APIRouter(tags=["sessions"])

Room = Annotated[str, Path(min_length=1, max_length=255, pattern=PRINTABLE)]


@router.post(
    "/start", status_code=201, operation_id="start", responses=problems(400, 401, 403, 404, 409, 422, 429, 503, 507)
)
async def start(wish: StartWish, who: Starter, has: Has) -> SessionAnswer:
    """Keep the last minutes of a share. Sharing over WHIP does this by itself."""
    request = StartRequest(
        wish.room_name,
        wish.community_id,
        wish.participant_identity,
        wish.source,
        wish.recorder,
        wish.include_microphone,
    )
    return present.session(await has.sessions.start(who, request))


@router.post("/stop/{session_id}", operation_id="stop", responses=problems(401, 404))
async def stop(session_id: str, who: Who, has: Has) -> SessionAnswer:
    """End a session. Its last minutes stay capturable until drainsAt."""
    return present.session(await has.sessions.stop(who, session_id))


@router.get("/status/{room_name:path}", operation_id="status", responses=problems(401))
async def status(room_name: Room, who: Who, has: Has) -> RoomStatusAnswer:
    """Say whose buffers run in a room, to whoever is in it; and the sessions that one may see."""
    return present.room(room_name, await has.sessions.in_room(who, room_name))


@router.get("/sessions", operation_id="listSessions", responses=problems(401))
async def list_sessions(who: Who, has: Has) -> SessionListAnswer:
    """List own sessions that run or can still be saved from, newest first."""
    return SessionListAnswer(items=[present.session(view) for view in await has.sessions.own(who)])


@router.get("/admin/sessions", operation_id="allSessions", responses=problems(400, 401, 403))
async def all_sessions(
    who: Who,
    has: Has,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=500, description="nextCursor of the page before.")] = None,
) -> WatchedSessionsAnswer:
    """List all sessions that run, can be saved from or have just failed, newest first. For those who manage limits."""
    views, following = await has.sessions.everybody_s(who, limit=limit, cursor=cursor)
    return WatchedSessionsAnswer(items=[present.watched(view) for view in views], next_cursor=following)


@router.get("/sessions/{session_id}/timeline", operation_id="timeline", responses=problems(400, 401, 404))
async def timeline(
    session_id: str,
    who: Who,
    has: Has,
    after: Annotated[int, Query(ge=0, description="Leave out segments with a smaller number.")] = 0,
) -> TimelineAnswer:
    """Say what is buffered, file by file, with the byte ranges that a player can append."""
    return present.timeline(await has.sessions.timeline(who, session_id, after), has.links)


@router.get("/sessions/{session_id}/story", operation_id="story", responses=problems(401, 404))
async def story(session_id: str, who: Who, has: Has) -> StoryAnswer:
    """Say what happened to a session, and what can be done about it: its user, and those who manage it."""
    return present.story(await has.sessions.story(who, session_id))


@router.head("/sessions/{session_id}/segments/{number}/media", include_in_schema=False)
@router.get(
    "/sessions/{session_id}/segments/{number}/media",
    operation_id="segmentMedia",
    response_class=Response,
    responses=media("video/mp4", "video/webm"),
)
async def segment_media(session_id: str, number: int, request: Request, who: Reader, has: Has) -> Response:
    """Serve a segment as far as it is written. It only grows: a range that was there stays as it is."""
    part = await has.sessions.segment(who, session_id, number)
    # Not to be stored: an open segment grows, and a cache would go on answering with the shorter one.
    return serve(request, await open_part(part), Presentation(part.etag, part.content_type, cache="no-store"))


@router.head("/sessions/{session_id}/segments/{number}/thumbnail", include_in_schema=False)
@router.get(
    "/sessions/{session_id}/segments/{number}/thumbnail",
    operation_id="segmentThumbnail",
    response_class=Response,
    responses=media("image/webp"),
)
async def segment_thumbnail(session_id: str, number: int, request: Request, who: Reader, has: Has) -> Response:
    """Serve a segment's thumbnail."""
    part = await has.sessions.thumbnail(who, session_id, number)
    return serve(request, await open_part(part), Presentation(part.etag, part.content_type))
