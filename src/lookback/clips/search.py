"""What is the same to somebody who searches: neither case nor the way a letter is encoded makes a difference."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lookback.clips.model import Clip

_MOST_WORDS = 16
_EDGE = "\x1f"  # around each tag; `fold` leaves none in a text, nor do words have one


def fold(text: str) -> str:
    """The text as it is compared: compatibility characters made plain, without case, white space made one space."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", plain).split())


def query_words(query: str) -> list[str]:
    """What a clip's text must contain, each of them anywhere."""
    return list(dict.fromkeys(fold(query).split()))[:_MOST_WORDS]


def folded_tag(tag: str) -> str:
    """What the text of a clip with this tag contains, and of no other."""
    return f"{_EDGE}{fold(tag)}{_EDGE}"


def searched_text(clip: Clip) -> str:
    """Title, room, sharer and tags of a clip, as they are compared."""
    sharer = (clip.sharer_id, clip.sharer_name) if clip.sharer_id is not None else (clip.user_id, clip.user_name)
    said = (fold(part) for part in (clip.title, clip.room_name, *sharer) if part)
    tags = _EDGE.join(fold(tag) for tag in clip.tags)
    return "\n".join((*said, f"{_EDGE}{tags}{_EDGE}"))
