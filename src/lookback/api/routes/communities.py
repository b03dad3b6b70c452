"""/communities, /rooms, /admin/community: whose rooms they are, and which rules hold there."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from lookback.api import people_wire as wire
from lookback.api.errors import mistakes_of
from lookback.api.people_wire import WORD, ConfigPatch
from lookback.api.routes.documented import problems
from lookback.api.security import Has, Who
from lookback.api.wire import PRINTABLE
from lookback.errors import InvalidConfigError

CommunityPath = Annotated[str, Path(min_length=1, max_length=255, pattern=WORD)]
RoomPath = Annotated[str, Path(min_length=1, max_length=255, pattern=PRINTABLE)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Cursor = Annotated[str | None, Query(max_length=1000, description="nextCursor of the page before.")]


class _ConfigRoute(APIRoute):
    """Wrong settings are 422 invalid-config: the request is well understood, and its reason is told."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the framework's handler with another error."""
        handle = super().get_route_handler()

        async def handle_config(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                if any(m["loc"][0] != "body" or m["type"] == "json_invalid" for m in error.errors()):
                    raise
                sentence, mistakes = mistakes_of(error)
                raise InvalidConfigError(sentence, errors=mistakes) from error

        return handle_config


router = APIRouter(tags=["communities"])
config_router = APIRouter(tags=["communities"], route_class=_ConfigRoute)


@router.get("/communities", operation_id="listCommunities", responses=problems(401))
async def list_communities(who: Who, has: Has) -> wire.CommunityListAnswer:
    """List the communities that one belongs to or manages."""
    found = await has.communities.communities(who)
    return wire.CommunityListAnswer(items=[wire.community(who, row) for row in found])


@router.get("/admin/community/{community_id}/config", operation_id="getConfig", responses=problems(400, 401, 403))
async def get_config(community_id: CommunityPath, who: Who, has: Has) -> wire.ConfigAnswer:
    """Say which rules hold in a community."""
    return wire.config(await has.communities.config(who, community_id))


@config_router.patch(
    "/admin/community/{community_id}/config", operation_id="changeConfig", responses=problems(400, 401, 403, 422)
)
async def change_config(community_id: CommunityPath, patch: ConfigPatch, who: Who, has: Has) -> wire.ConfigAnswer:
    """Change rules of a community; what is left out stays. Buffers that run follow within a second."""
    return wire.config(await has.communities.change(who, community_id, patch.changes()))


@router.get("/admin/community/{community_id}/rooms", operation_id="listRooms", responses=problems(400, 401, 403))
async def list_rooms(
    community_id: CommunityPath, who: Who, has: Has, limit: Limit = 200, cursor: Cursor = None
) -> wire.RoomListAnswer:
    """List the rooms that are registered for a community."""
    found = await has.communities.rooms(who, community_id, limit=limit + 1, after=wire.parse_cursor(cursor))
    more = wire.cursor(found[limit - 1].room_name) if len(found) > limit else None
    return wire.RoomListAnswer(items=[wire.room(row) for row in found[:limit]], next_cursor=more)


@router.get("/rooms/{room_name:path}", operation_id="getRoom", responses=problems(400, 401, 404, 503))
async def get_room(room_name: RoomPath, who: Who, has: Has) -> wire.RoomAnswer:
    """Say which community a room belongs to, to those who belong there."""
    return wire.room(await has.communities.room(who, room_name))


@router.put("/rooms/{room_name:path}", operation_id="registerRoom", responses=problems(400, 401, 403, 503))
async def register_room(room_name: RoomPath, wish: wire.RoomWish, who: Who, has: Has) -> wire.RoomAnswer:
    """Let a room belong to a community; what runs in it stays where it began."""
    return wire.room(await has.communities.register(who, room_name, wish.community_id))


@router.delete(
    "/rooms/{room_name:path}", status_code=204, operation_id="forgetRoom", responses=problems(400, 401, 403, 404)
)
async def forget_room(room_name: RoomPath, who: Who, has: Has) -> None:
    """Take back what was registered."""
    await has.communities.forget_room(who, room_name)
