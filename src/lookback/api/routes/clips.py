"""/capture, and the media of what was saved; routes/library.py has the rest of it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request, Response
from pydantic import StringConstraints

from lookback.api import present
from lookback.api.answers import ClipAnswer, RenditionAnswer
from lookback.api.media import Presentation, file_name, serve
from lookback.api.routes.documented import media, problems
from lookback.api.security import Has, Reader, Saver, Who
from lookback.api.wire import PRINTABLE
from lookback.api.wishes import CaptureRequest, RenditionWish
from lookback.clips.ports import Deed

router = APIRouter(tags=["clips"])

IdempotencyKey = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=PRINTABLE)] | None,
    Header(description="The same key returns the same clip."),
]
_CAPTURE_PROBLEMS = problems(400, 401, 403, 404, 409, 425, 429, 503, 507)
_SAME: dict[int | str, dict[str, Any]] = {
    200: {"model": ClipAnswer, "description": "The clip that was made with this Idempotency-Key before"}
}


@router.post("/capture", status_code=201, operation_id="capture", responses={**_SAME, **_CAPTURE_PROBLEMS})
async def capture(
    wish: CaptureRequest, who: Saver, has: Has, response: Response, idempotency_key: IdempotencyKey = None
) -> ClipAnswer:
    """Save a range of a session. The clip plays as soon as this returns."""
    clip, created = await has.captures.capture(who, wish.wish(idempotency_key))
    response.status_code = 201 if created else 200
    response.headers["Location"] = f"{present.BASE}/clips/{clip.clip_id}"
    return present.clip(clip, who, has.links)


@router.head("/clips/{clip_id}/video", include_in_schema=False)
@router.get(
    "/clips/{clip_id}/video",
    operation_id="clipVideo",
    response_class=Response,
    responses=media("video/mp4", "video/webm"),
)
async def clip_video(clip_id: str, request: Request, who: Reader, has: Has) -> Response:
    """Serve the video. The bytes behind one ETag never change, wherever they are stored."""
    wanted: Literal["attachment", "inline"] = (
        "attachment" if request.query_params.get("for") == "download" else "inline"
    )
    deed = _begun(request, "downloaded" if wanted == "attachment" else "viewed")
    clip, video = await has.playback.video(who, clip_id, deed)
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
    responses=problems(400, 401, 403, 404, 409, 503, 507),
)
async def request_rendition(clip_id: str, wish: RenditionWish, who: Who, has: Has) -> RenditionAnswer:
    """Make a derived file in the background."""
    made = await has.renditions.request(who, clip_id, wish.format)
    return present.rendition(await has.library.get(who, clip_id), made, who, has.links)


@router.get("/clips/{clip_id}/renditions/{rendition_id}", operation_id="getRendition", responses=problems(401, 404))
async def get_rendition(clip_id: str, rendition_id: str, who: Who, has: Has) -> RenditionAnswer:
    """Say how far a rendition is."""
    made = await has.renditions.get(who, clip_id, rendition_id)
    return present.rendition(await has.library.get(who, clip_id), made, who, has.links)


@router.delete(
    "/clips/{clip_id}/renditions/{rendition_id}",
    status_code=204,
    operation_id="cancelRendition",
    responses=problems(401, 403, 404),
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
    clip, video = await has.playback.rendition(who, clip_id, rendition_id, _begun(request, "downloaded"))
    look = Presentation(f'"{rendition_id}"', "video/mp4", file_name(clip.title, "mp4"), "attachment")
    return serve(request, video, look)


def _begun(request: Request, deed: Deed) -> Deed | None:
    """What begins with this request: players and downloads ask for the start first, and then for further ranges."""
    start = request.headers.get("range", "bytes=0-").replace(" ", "").startswith("bytes=0-")
    return deed if request.method == "GET" and start else None
