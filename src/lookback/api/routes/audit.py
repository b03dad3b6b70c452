"""/admin/audit: who did what."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from lookback.access.audit import Action, Entry, Selection
from lookback.api import audit_wire
from lookback.api.audit_wire import AuditPageAnswer
from lookback.api.routes.documented import download, problems
from lookback.api.security import Has, Who
from lookback.api.wire import Name, QueryInstant

router = APIRouter(tags=["audit"], prefix="/admin/audit")


def _selection(
    community: Annotated[Name | None, Query(description="Needed by those who may see this community's only.")] = None,
    user: Annotated[Name | None, Query(description="Who did it, or whom it was about.")] = None,
    action: Action | None = None,
    since: Annotated[QueryInstant | None, Query(alias="from")] = None,
    until: Annotated[QueryInstant | None, Query(alias="to", description="Entries before it.")] = None,
) -> Selection:
    return Selection(community, user, action, since, until)


Wanted = Annotated[Selection, Depends(_selection)]


@router.get("", operation_id="audit", responses=problems(400, 401, 403))
async def page(
    who: Who,
    has: Has,
    wanted: Wanted,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=20, description="nextCursor of the page before.")] = None,
) -> AuditPageAnswer:
    """List entries, newest first: all of them, or one community's."""
    entries, following = await has.audit.page(who, wanted, limit=limit, cursor=cursor)
    return AuditPageAnswer(items=[audit_wire.entry(entry) for entry in entries], next_cursor=following)


@router.get(
    "/export",
    operation_id="exportAudit",
    response_class=StreamingResponse,
    responses={**download("application/jsonl"), **problems(400, 401, 403)},
)
async def export(who: Who, has: Has, wanted: Wanted) -> StreamingResponse:
    """Send all entries as JSON Lines, oldest first, as many as there are now."""
    entries = await has.audit.export(who, wanted)
    headers = {"Content-Disposition": 'attachment; filename="audit.jsonl"', "Cache-Control": "no-store"}
    return StreamingResponse(_lines(entries), media_type="application/jsonl", headers=headers)


async def _lines(entries: AsyncIterator[Entry]) -> AsyncIterator[str]:
    async for entry in entries:
        yield audit_wire.entry(entry).model_dump_json(by_alias=True) + "\n"
