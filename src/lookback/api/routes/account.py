"""/me: who the token speaks for."""

from fastapi import APIRouter, Request

from lookback.api.answers import MeAnswer, NoticeAnswer
from lookback.api.people_wire import MyCommunityAnswer, permissions_of
from lookback.api.routes.documented import problems
from lookback.api.security import Has, Who

router = APIRouter(tags=["account"])


@router.get("/me", operation_id="me", responses=problems(401))
async def me(who: Who, has: Has, request: Request) -> MeAnswer:
    """Say who the token speaks for, what they may and why, and how much of their room for clips is used."""
    account = await has.accounts.account(who)
    return MeAnswer(
        user_id=who.user_id,
        name=who.name,
        admin=who.admin,
        quota_bytes=account.quota_bytes,
        used_bytes=account.used_bytes,
        reserved_bytes=account.reserved_bytes,
        permissions=permissions_of(who),
        communities=[
            MyCommunityAnswer(community_id=row.community_id, name=row.name) for row in await has.communities.own(who)
        ],
        joins_livekit=request.app.state.livekit_url is not None,
        notices=[
            NoticeAnswer(kind=notice.kind, level=notice.level, sentence=notice.sentence)
            for notice in has.notices.now(who)
        ],
    )
