"""What somebody wants to change of a clip, and whether it makes sense."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.clips.model import Visibility
from lookback.clips.search import fold
from lookback.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.clips.model import Clip
    from lookback.clips.ports import ClipChanges

_LONGEST_TITLE = 200
_LONGEST_TAG = 40
_MOST_TAGS = 20


@dataclass(frozen=True, slots=True)
class ClipWish:
    """What is not None is to change."""

    title: str | None = None
    visibility: Visibility | None = None
    tags: tuple[str, ...] | None = None

    def changes(self, clip: Clip, new_key: Callable[[], str]) -> ClipChanges:
        """Return the columns to set; raises ValidationError for what makes no sense.

        A clip that becomes visible by link gets a new key, and one that is no longer loses it: links that were given
        out before lead nowhere for good.
        """
        found: ClipChanges = {}
        if self.title is not None:
            found["title"] = checked_title(self.title)
        if self.tags is not None:
            found["tags"] = checked_tags(self.tags)
        if self.visibility is not None and self.visibility is not clip.visibility:
            if self.visibility is Visibility.COMMUNITY and clip.community_id is None:
                raise ValidationError("The clip's room belongs to no community")
            found["visibility"] = self.visibility
            found["share_key"] = new_key() if self.visibility is Visibility.LINK else None
        return found


def checked_title(title: str) -> str:
    """The title without white space around it; raises ValidationError when it is empty, too long or unprintable."""
    return _checked(title, "title", _LONGEST_TITLE)


def checked_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """The tags, each once whatever its case, without the sign that people write before them; raises ValidationError."""
    if len(tags) > _MOST_TAGS:
        raise ValidationError(f"There are more than {_MOST_TAGS} tags")
    once: dict[str, str] = {}
    for tag in tags:
        plain = _checked(tag.strip().removeprefix("#"), "tag", _LONGEST_TAG)
        once.setdefault(fold(plain), plain)
    return tuple(once.values())


def _checked(text: str, name: str, longest: int) -> str:
    text = text.strip()
    if not text:
        raise ValidationError(f"The {name} is empty")
    if len(text) > longest:
        raise ValidationError(f"The {name} is longer than {longest} characters")
    if any(unicodedata.category(c) in {"Cc", "Cs"} for c in text):
        raise ValidationError(f"The {name} contains control characters")
    return text
