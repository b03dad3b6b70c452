"""/my-clips, /clips, /shared: what was saved, found again, named, shared, deleted and brought back."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from lookback.access.principal import Link, Principal
from lookback.api import present
from lookback.api.answers import ClipAnswer, ClipListAnswer, DeletedAnswer, RestoredAnswer, SharedClipAnswer
from lookback.api.clip_filters import CommunityClips, OwnClips
from lookback.api.routes.documented import problems
from lookback.api.security import Has, Who
from lookback.api.wire import PRINTABLE
from lookback.api.wishes import ClipChangeWish, ClipsWish
from lookback.clips.visibility import Sight

router = APIRouter(tags=["clips"])


@router.get("/my-clips", operation_id="listClips", responses=problems(400, 401))
async def list_clips(wish: Annotated[OwnClips, Query()], who: Who, has: Has) -> ClipListAnswer:
    """List own clips. Pages join without hole or repetition, whatever is saved, renamed or deleted meanwhile."""
    wanted = wish.selection(user_id=who.user_id, community_id=wish.community)
    clips, following = await has.library.page(who, wanted, sort=wish.sort, limit=wish.limit, cursor=wish.cursor)
    return ClipListAnswer(items=[present.clip(clip, who, has.links) for clip in clips], next_cursor=following)


@router.get("/clips", operation_id="listCommunityClips", responses=problems(400, 401, 404))
async def list_community_clips(wish: Annotated[CommunityClips, Query()], who: Who, has: Has) -> ClipListAnswer:
    """List the clips of a community: what its members may see, and for those who manage it all of them."""
    wanted = wish.selection(user_id=None, community_id=wish.community)
    clips, following = await has.library.page(who, wanted, sort=wish.sort, limit=wish.limit, cursor=wish.cursor)
    return ClipListAnswer(items=[present.clip(clip, who, has.links) for clip in clips], next_cursor=following)


@router.post("/clips/delete", operation_id="deleteClips", responses=problems(400, 401))
async def delete_clips(wish: ClipsWish, who: Who, has: Has) -> DeletedAnswer:
    """Delete several clips. They can be restored for ten minutes."""
    bulk = await has.library.delete_all(who, wish.clip_ids)
    return DeletedAnswer(deleted=list(bulk.done), not_found=list(bulk.not_found))


@router.post("/clips/restore", operation_id="restoreClips", responses=problems(400, 401))
async def restore_clips(wish: ClipsWish, who: Who, has: Has) -> RestoredAnswer:
    """Bring several deleted clips back, as many as there is room for."""
    bulk = await has.library.restore_all(who, wish.clip_ids)
    return RestoredAnswer(restored=list(bulk.done), not_found=list(bulk.not_found), over_quota=list(bulk.over_quota))


@router.get("/clips/{clip_id}", operation_id="getClip", responses=problems(401, 404))
async def get_clip(clip_id: str, who: Who, has: Has) -> ClipAnswer:
    """Describe a clip."""
    return present.clip(await has.library.get(who, clip_id), who, has.links)


@router.patch("/clips/{clip_id}", operation_id="changeClip", responses=problems(400, 401, 403, 404))
async def change_clip(clip_id: str, wish: ClipChangeWish, who: Who, has: Has) -> ClipAnswer:
    """Give a clip another title, other tags, or let others see it. Ending a link ends it for good."""
    return present.clip(await has.library.change(who, clip_id, wish.wish()), who, has.links)


@router.delete("/clips/{clip_id}", status_code=204, operation_id="deleteClip", responses=problems(401, 403, 404))
async def delete_clip(clip_id: str, who: Who, has: Has) -> None:
    """Take a clip out of the library. It can be restored for ten minutes."""
    await has.library.delete(who, clip_id)


@router.post("/clips/{clip_id}/restore", operation_id="restoreClip", responses=problems(401, 403, 404, 507))
async def restore_clip(clip_id: str, who: Who, has: Has) -> ClipAnswer:
    """Bring a deleted clip back, if there is room for it."""
    return present.clip(await has.library.restore(who, clip_id), who, has.links)


@router.get("/shared/{key}", operation_id="sharedClip", responses=problems(400, 404))
async def shared_clip(
    key: Annotated[str, Path(min_length=1, max_length=64, pattern=PRINTABLE)], has: Has
) -> SharedClipAnswer:
    """Describe a clip to whoever has its link; no token is needed."""
    clip = await has.library.shared(key)
    return present.shared_clip(clip, Principal("", link=Link(Sight.LINK.value, key)), has.links)
