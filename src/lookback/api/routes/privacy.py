"""/me/consent, and what is kept of a person: taken along, or erased."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import StreamingResponse

from lookback.access.principal import Principal
from lookback.api import audit_wire
from lookback.api.audit_wire import ConsentAnswer, ConsentWish
from lookback.api.personal_archive import archive
from lookback.api.ports import Services
from lookback.api.routes.documented import download, problems
from lookback.api.security import Has, Who
from lookback.api.wire import PRINTABLE

router = APIRouter(tags=["privacy"])

UserId = Annotated[str, Path(min_length=1, max_length=255, pattern=PRINTABLE)]
_ARCHIVE = {**download("application/zip"), **problems(401, 403, 503)}


@router.get("/me/consent", operation_id="consent", responses=problems(401))
async def get_consent(who: Who, has: Has) -> ConsentAnswer:
    """Return what one has said about being buffered."""
    return audit_wire.consent(await has.consent.said(who))


@router.put("/me/consent", operation_id="sayConsent", responses=problems(400, 401))
async def put_consent(wish: ConsentWish, who: Who, has: Has) -> ConsentAnswer:
    """Allow or forbid to be buffered, altogether or in a room. Running sessions that this forbids end at once."""
    return audit_wire.consent(await has.consent.say(who, wish.statement()))


@router.delete("/me/data", status_code=204, operation_id="eraseMe", responses=problems(401, 503))
async def erase_me(who: Who, has: Has) -> None:
    """Erase everything that is kept of oneself. Tokens issued before, and half a minute after, hold no more."""
    await has.erasures.erase(who, who.user_id)


@router.delete(
    "/admin/users/{user_id}/data", status_code=204, operation_id="eraseUser", responses=problems(401, 403, 503)
)
async def erase_user(user_id: UserId, who: Who, has: Has) -> None:
    """Erase everything that is kept of a person. What cannot be removed now (503) is removed later by itself."""
    await has.erasures.erase(who, user_id)


@router.get("/me/export", operation_id="exportMe", response_class=StreamingResponse, responses=_ARCHIVE)
async def export_me(who: Who, has: Has) -> StreamingResponse:
    """Send everything that is kept of oneself as a ZIP file: JSON, and the clips."""
    return await _export(has, who, who.user_id)


@router.get(
    "/admin/users/{user_id}/export", operation_id="exportUser", response_class=StreamingResponse, responses=_ARCHIVE
)
async def export_user(user_id: UserId, who: Who, has: Has) -> StreamingResponse:
    """Send everything that is kept of a person as a ZIP file: JSON, and the clips."""
    return await _export(has, who, user_id)


async def _export(has: Services, who: Principal, user_id: str) -> StreamingResponse:
    data = await has.personal_data.of(who, user_id)
    headers = {"Content-Disposition": 'attachment; filename="lookback-export.zip"', "Cache-Control": "no-store"}
    return StreamingResponse(archive(data), media_type="application/zip", headers=headers)
