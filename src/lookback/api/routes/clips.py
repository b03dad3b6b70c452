"""/capture, /my-clips, /clips: save a range, and what was saved."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import StringConstraints

from lookback.api import present
from lookback.api.answers import ClipAnswer, ClipListAnswer, RenditionAnswer
from lookback.api.media import Presentation, file_name, serve
from lookback.api.routes.documented import media, problems
from lookback.api.security import Has, Reader, Who
from lookback.api.wire import PRINTABLE
from lookback.api.wishes import CaptureRequest, RenameWish, RenditionWish

router = APIRouter(tags=["clips"])

IdempotencyKey = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=PRINTABLE)] | None,
    Header(description="The same key returns the same clip."),
]
_CAPTURE_PROBLEMS = problems(400, 401, 403, 404, 409, 425, 503, 507)
_SAME: dict[int | str, dict[str, Any]] = {
    200: {"model": ClipAnswer, "description": "The clip that was made with this Idempotency-Key before"}
}


@router.post("/capture", status_code=201, operation_id="capture", responses={**_SAME, **_CAPTURE_PROBLEMS})
async def capture(
    wish: CaptureRequest, who: Who, has: Has, response: Response, idempotency_key: IdempotencyKey = None
) -> ClipAnswer:
    """Save a range of a session. The clip plays as soon as this returns."""
    clip, created = await has.captures.capture(who, wish.wish(idempotency_key))
    response.status_code = 201 if created else 200
    response.headers["Location"] = f"{present.BASE}/clips/{clip.clip_id}"
    return present.clip(clip, has.links)


@router.get("/my-clips", operation_id="listClips", responses=problems(400, 401))
async def list_clips(
    who: Who,
    has: Has,
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
    cursor: Annotated[str | None, Query(max_length=500, description="nextCursor of the page before.")] = None,
    q: Annotated[
        str, Query(max_length=200, pattern=r"^[^\x00]*$", description="Part of the title or of the room's name.")
    ] = "",
) -> ClipListAnswer:
    """List own clips, newest first."""
    clips, following = await has.library.page(who, limit=limit, cursor=cursor, query=q)
    return ClipListAnswer(items=[present.clip(clip, has.links) for clip in clips], next_cursor=following)


@router.get("/clips/{clip_id}", operation_id="getClip", responses=problems(401, 404))
async def get_clip(clip_id: str, who: Who, has: Has) -> ClipAnswer:
    """Return one clip."""
    return present.clip(await has.library.get(who, clip_id), has.links)


@router.patch("/clips/{clip_id}", operation_id="renameClip", responses=problems(400, 401, 404))
async def rename_clip(clip_id: str, wish: RenameWish, who: Who, has: Has) -> ClipAnswer:
    """Give a clip another title."""
    return present.clip(await has.library.rename(who, clip_id, wish.title), has.links)


@router.delete("/clips/{clip_id}", status_code=204, operation_id="deleteClip", responses=problems(401, 404))
async def delete_clip(clip_id: str, who: Who, has: Has) -> None:
    """Take a clip out of the library. It can be restored for ten minutes."""
    await has.library.delete(who, clip_id)


@router.post("/clips/{clip_id}/restore", operation_id="restoreClip", responses=problems(401, 404))
async def restore_clip(clip_id: str, who: Who, has: Has) -> ClipAnswer:
    """Bring a deleted clip back."""
    return present.clip(await has.library.restore(who, clip_id), has.links)


@router.head("/clips/{clip_id}/video", include_in_schema=False)
@router.get(
    "/clips/{clip_id}/video",
    operation_id="clipVideo",
    response_class=Response,
    responses=media("video/mp4", "video/webm"),
)
async def clip_video(clip_id: str, request: Request, who: Reader, has: Has) -> Response:
    """Serve the video. The bytes behind one ETag never change, wherever they are stored."""
    clip, video = await has.playback.video(who, clip_id)
    wanted: Literal["attachment", "inline"] = (
        "attachment" if request.query_params.get("for") == "download" else "inline"
    )
    name = file_name(clip.title, clip.container)
    return serve(request, video, Presentation(clip.etag, clip.content_type, name, wanted))


@router.head("/clips/{clip_id}/poster", include_in_schema=False)
@router.get(
    "/clips/{clip_id}/poster", operation_id="clipPoster", response_class=Response, responses=media("image/webp")
)
async def clip_poster(clip_id: str, request: Request, who: Reader, has: Has) -> Response:
    """Serve the first picture."""
    clip, poster = await has.playback.poster(who, clip_id)
    return serve(request, poster, Presentation(f'"{clip.clip_id}-poster"', "image/webp"))


@router.post(
    "/clips/{clip_id}/renditions",
    status_code=202,
    operation_id="requestRendition",
    responses=problems(400, 401, 404, 409, 503),
)
async def request_rendition(clip_id: str, wish: RenditionWish, who: Who, has: Has) -> RenditionAnswer:
    """Make a derived file in the background."""
    made = await has.renditions.request(who, clip_id, wish.format)
    return present.rendition(await has.library.get(who, clip_id), made, has.links)


@router.get("/clips/{clip_id}/renditions/{rendition_id}", operation_id="getRendition", responses=problems(401, 404))
async def get_rendition(clip_id: str, rendition_id: str, who: Who, has: Has) -> RenditionAnswer:
    """Say how far a rendition is."""
    made = await has.renditions.get(who, clip_id, rendition_id)
    return present.rendition(await has.library.get(who, clip_id), made, has.links)


@router.delete(
    "/clips/{clip_id}/renditions/{rendition_id}",
    status_code=204,
    operation_id="cancelRendition",
    responses=problems(401, 404),
)
async def cancel_rendition(clip_id: str, rendition_id: str, who: Who, has: Has) -> None:
    """Stop making a rendition, and remove what there is of it."""
    await has.renditions.cancel(who, clip_id, rendition_id)


@router.head("/clips/{clip_id}/renditions/{rendition_id}/video", include_in_schema=False)
@router.get(
    "/clips/{clip_id}/renditions/{rendition_id}/video",
    operation_id="renditionVideo",
    response_class=Response,
    responses=media("video/mp4"),
)
async def rendition_video(clip_id: str, rendition_id: str, request: Request, who: Reader, has: Has) -> Response:
    """Serve a rendition that is ready."""
    clip, video = await has.playback.rendition(who, clip_id, rendition_id)
    look = Presentation(f'"{rendition_id}"', "video/mp4", file_name(clip.title, "mp4"), "attachment")
    return serve(request, video, look)
