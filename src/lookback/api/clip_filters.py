"""How lists of clips are narrowed and ordered in a query string."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lookback.api.wire import Name, QueryInstant
from lookback.api.wishes import Tag
from lookback.clips.model import Visibility
from lookback.clips.ports import Selection, Sort

_Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


class ClipFilters(BaseModel):
    """What every list of clips takes."""

    model_config = ConfigDict(frozen=True)

    limit: int = Field(default=24, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=500, description="nextCursor of the page before.")
    q: _Text = Field(default="", description="Words of which each is somewhere in title, room, sharer or tags.")
    room: Name | None = None
    tag: Tag | None = None
    visibility: Visibility | None = None
    from_: QueryInstant | None = Field(default=None, alias="from", description="Saved then or later.")
    to: QueryInstant | None = Field(default=None, description="Saved before then.")
    sort: Sort = Sort.NEWEST

    def selection(self, *, user_id: str | None, community_id: str | None) -> Selection:
        """Return the user's own clips, or the community's, as far as the filters go."""
        return Selection(
            user_id=user_id,
            community_id=community_id,
            query=self.q,
            room_name=self.room,
            tag=self.tag.removeprefix("#") if self.tag is not None else None,
            visibility=self.visibility,
            from_us=self.from_,
            until_us=self.to,
        )


class OwnClips(ClipFilters):
    """Own clips, all or those of one community's rooms."""

    community: Name | None = None


class CommunityClips(ClipFilters):
    """The clips of a community."""

    community: Name
