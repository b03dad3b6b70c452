"""/admin/users, /admin/usage: how much may be stored, and who stores how much."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from lookback.api.quota_wire import QuotaAnswer, QuotaWish, UsageAnswer, UserListAnswer, present_usage, present_user
from lookback.api.routes.documented import problems
from lookback.api.security import Has, Who
from lookback.api.wire import PRINTABLE, Name
from lookback.clips.usage import Part

router = APIRouter(prefix="/admin", tags=["limits"])

UserId = Annotated[str, Path(min_length=1, max_length=255, pattern=PRINTABLE)]
_Text = Annotated[
    str, Query(max_length=200, pattern=r"^[^\x00]*$", description="Part of the user's name or id, whatever its case.")
]


@router.get("/users", operation_id="listUsers", responses=problems(400, 401, 403))
async def list_users(
    who: Who,
    has: Has,
    q: _Text = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=500, description="nextCursor of the page before.")] = None,
) -> UserListAnswer:
    """List users with what they may store and do, in the order of their ids."""
    users, following = await has.quotas.users(who, query=q, limit=limit, cursor=cursor)
    return UserListAnswer(items=[present_user(user) for user in users], next_cursor=following)


@router.get("/users/{user_id}/quota", operation_id="getQuota", responses=problems(400, 401, 403, 404))
async def get_quota(user_id: UserId, who: Who, has: Has) -> QuotaAnswer:
    """Say what a user may store, and does."""
    return QuotaAnswer.of(await has.quotas.quota(who, user_id))


@router.patch("/users/{user_id}/quota", operation_id="setQuota", responses=problems(400, 401, 403))
async def set_quota(user_id: UserId, wish: QuotaWish, who: Who, has: Has) -> QuotaAnswer:
    """Give a user a quota of their own, or with null the default again. What is stored already stays."""
    return QuotaAnswer.of(await has.quotas.set_quota(who, user_id, wish.quota_bytes))


@router.get("/usage", operation_id="usage", responses=problems(400, 401, 403))
async def usage(
    who: Who,
    has: Has,
    by: Part = "user",
    community: Annotated[Name | None, Query(description="Of this community only.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> UsageAnswer:
    """Say who stores how much, the largest first."""
    return present_usage(by, await has.quotas.usage(who, by, community_id=community, limit=limit))
