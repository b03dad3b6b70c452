"""/admin/space, /admin/cleanup: how full the disks are, and what is deleted because of it."""

from fastapi import APIRouter

from lookback.api import space_wire
from lookback.api.routes.documented import problems
from lookback.api.security import Has, Who
from lookback.api.space_wire import CleanupAnswer, CleanupWish, SpaceAnswer

router = APIRouter(tags=["space"])


@router.get("/admin/space", operation_id="space", responses=problems(401, 403))
async def space(who: Who, has: Has) -> SpaceAnswer:
    """Say how full the disks are, and what that has led to. Needs MANAGE_REPLAY_LIMITS everywhere."""
    return space_wire.space(await has.space.report(who))


@router.post("/admin/cleanup", operation_id="cleanup", responses=problems(401, 403))
async def cleanup(wish: CleanupWish, who: Who, has: Has) -> CleanupAnswer:
    """Delete what has expired now, or say what would go. Needs MANAGE_REPLAY_LIMITS everywhere."""
    swept = await has.space.cleanup(who, dry_run=wish.dry_run, free_bytes=wish.free_bytes)
    return space_wire.cleanup(swept, dry_run=wish.dry_run)
