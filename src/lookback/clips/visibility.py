"""Who may see which clip, and who may change it. Everything that shows a clip asks here; what is not seen is absent."""

from __future__ import annotations

import hmac
from enum import StrEnum
from typing import TYPE_CHECKING

from lookback.access.principal import Permission
from lookback.clips.model import Visibility
from lookback.errors import NotFoundError

if TYPE_CHECKING:
    from lookback.access.principal import Principal
    from lookback.clips.model import Clip


class Sight(StrEnum):
    """By which right somebody sees a clip, strongest first."""

    OWNER = "owner"
    MANAGER = "manager"
    MEMBER = "member"
    LINK = "link"


def sight_of(who: Principal, clip: Clip) -> Sight | None:
    """By which right `who` sees the clip; None when they do not. It makes no difference whether it is deleted.

    A signed link for a player stands for the right by which it was given, as long as the clip grants it: when a clip
    is private again, links of members and of visitors lead nowhere.
    """
    given = who.link.sight if who.link is not None else None
    if given == Sight.LINK:
        return Sight.LINK if has_link(clip, who.link.share_key if who.link else "") else None
    if clip.user_id == who.user_id:
        return Sight.OWNER
    if given == Sight.MANAGER or who.allowed(Permission.MANAGE_REPLAY_LIMITS, clip.community_id):
        return Sight.MANAGER
    if clip.visibility is Visibility.COMMUNITY and (given == Sight.MEMBER or clip.community_id in who.belongs_to):
        return Sight.MEMBER
    return None


def has_link(clip: Clip, share_key: str) -> bool:
    """Whether the key is the one of the clip's link."""
    known = clip.share_key if clip.visibility is Visibility.LINK else None
    return known is not None and hmac.compare_digest(known.encode(), share_key.encode())


def visible(who: Principal, clip: Clip | None, *, deleted: bool = False) -> Clip:
    """Return the clip; raises NotFoundError unless `who` sees it. `deleted`: even if it is."""
    if clip is None or sight_of(who, clip) is None or (clip.deleted_at_us is not None and not deleted):
        raise NotFoundError("There is no such clip")
    return clip


def changeable(who: Principal, clip: Clip | None, *, deleted: bool = False) -> Clip:
    """Return the clip; raises NotFoundError unless `who` sees it, PermissionDeniedError unless they may change it."""
    clip = visible(who, clip, deleted=deleted)
    if sight_of(who, clip) is not Sight.OWNER:
        who.require(Permission.MANAGE_REPLAY_LIMITS, clip.community_id)
    return clip


def manages(who: Principal, clip: Clip) -> bool:
    """Whether `who` may change the clip."""
    return sight_of(who, clip) in {Sight.OWNER, Sight.MANAGER}
