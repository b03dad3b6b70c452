"""/admin/.../roles and /admin/.../members: in a community, and the same for the whole instance."""

from typing import Annotated

from fastapi import APIRouter, Path

from lookback.access.principal import Principal
from lookback.api import people_wire as wire
from lookback.api.people_wire import WORD
from lookback.api.ports import Services
from lookback.api.routes.communities import CommunityPath, Cursor, Limit
from lookback.api.routes.documented import problems
from lookback.api.security import Has, Who
from lookback.api.wire import PRINTABLE

router = APIRouter(tags=["roles"])

RolePath = Annotated[str, Path(min_length=1, max_length=64, pattern=WORD)]
UserPath = Annotated[str, Path(min_length=1, max_length=255, pattern=PRINTABLE)]
COMMUNITY = "/admin/community/{community_id}"


@router.get(f"{COMMUNITY}/roles", operation_id="listCommunityRoles", responses=problems(400, 401, 403))
async def list_community_roles(community_id: CommunityPath, who: Who, has: Has) -> wire.RoleListAnswer:
    """List what every role means in a community."""
    return await _roles(has, who, community_id)


@router.get("/admin/roles", operation_id="listRoles", responses=problems(401, 403))
async def list_roles(who: Who, has: Has) -> wire.RoleListAnswer:
    """List what every role means everywhere."""
    return await _roles(has, who, None)


@router.put(f"{COMMUNITY}/roles/{{role}}", operation_id="putCommunityRole", responses=problems(400, 401, 403))
async def put_community_role(
    community_id: CommunityPath, role: RolePath, wish: wire.RoleWish, who: Who, has: Has
) -> wire.RoleAnswer:
    """Say what a role means in a community; `everybody` is the role of all who are signed in."""
    return wire.role(await has.roles.put_role(who, community_id, role, wish.permissions))


@router.put("/admin/roles/{role}", operation_id="putRole", responses=problems(400, 401, 403))
async def put_role(role: RolePath, wish: wire.RoleWish, who: Who, has: Has) -> wire.RoleAnswer:
    """Say what a role means where no community says otherwise."""
    return wire.role(await has.roles.put_role(who, None, role, wish.permissions))


@router.delete(
    f"{COMMUNITY}/roles/{{role}}",
    status_code=204,
    operation_id="removeCommunityRole",
    responses=problems(400, 401, 403, 404),
)
async def remove_community_role(community_id: CommunityPath, role: RolePath, who: Who, has: Has) -> None:
    """Take back what a community says a role means."""
    await has.roles.remove_role(who, community_id, role)


@router.delete(
    "/admin/roles/{role}", status_code=204, operation_id="removeRole", responses=problems(400, 401, 403, 404)
)
async def remove_role(role: RolePath, who: Who, has: Has) -> None:
    """Take back what a role means everywhere."""
    await has.roles.remove_role(who, None, role)


@router.get(f"{COMMUNITY}/members", operation_id="listCommunityMembers", responses=problems(400, 401, 403))
async def list_community_members(
    community_id: CommunityPath, who: Who, has: Has, limit: Limit = 200, cursor: Cursor = None
) -> wire.MemberListAnswer:
    """List who has roles in a community."""
    return await _members(has, who, community_id, limit, cursor)


@router.get("/admin/members", operation_id="listMembers", responses=problems(400, 401, 403))
async def list_members(who: Who, has: Has, limit: Limit = 200, cursor: Cursor = None) -> wire.MemberListAnswer:
    """List who has roles everywhere."""
    return await _members(has, who, None, limit, cursor)


@router.put(
    f"{COMMUNITY}/members/{{user_id:path}}", operation_id="putCommunityMember", responses=problems(400, 401, 403)
)
async def put_community_member(
    community_id: CommunityPath, user_id: UserPath, wish: wire.MemberWish, who: Who, has: Has
) -> wire.MemberAnswer:
    """Let somebody have exactly these roles in a community."""
    return wire.member(await has.roles.put_member(who, community_id, user_id, wish.roles))


@router.put("/admin/members/{user_id:path}", operation_id="putMember", responses=problems(400, 401, 403))
async def put_member(user_id: UserPath, wish: wire.MemberWish, who: Who, has: Has) -> wire.MemberAnswer:
    """Let somebody have exactly these roles everywhere."""
    return wire.member(await has.roles.put_member(who, None, user_id, wish.roles))


@router.delete(
    f"{COMMUNITY}/members/{{user_id:path}}",
    status_code=204,
    operation_id="removeCommunityMember",
    responses=problems(400, 401, 403, 404),
)
async def remove_community_member(community_id: CommunityPath, user_id: UserPath, who: Who, has: Has) -> None:
    """Take all roles in a community from somebody."""
    await has.roles.remove_member(who, community_id, user_id)


@router.delete(
    "/admin/members/{user_id:path}",
    status_code=204,
    operation_id="removeMember",
    responses=problems(400, 401, 403, 404),
)
async def remove_member(user_id: UserPath, who: Who, has: Has) -> None:
    """Take all roles that hold everywhere from somebody."""
    await has.roles.remove_member(who, None, user_id)


async def _roles(has: Services, who: Principal, community_id: str | None) -> wire.RoleListAnswer:
    return wire.RoleListAnswer(items=[wire.role(row) for row in await has.roles.roles(who, community_id)])


async def _members(
    has: Services, who: Principal, community_id: str | None, limit: int, cursor: str | None
) -> wire.MemberListAnswer:
    found = await has.roles.members(who, community_id, limit=limit + 1, after=wire.parse_cursor(cursor))
    more = wire.cursor(found[limit - 1].user_id) if len(found) > limit else None
    return wire.MemberListAnswer(items=[wire.member(row) for row in found[:limit]], next_cursor=more)
