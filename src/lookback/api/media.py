"""Serve media that is held open: ranges, conditions, file names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from fastapi.responses import Response, StreamingResponse

from lookback.api.errors import PreconditionFailedError, RangeOutsideError, problem
from lookback.api.ranges import NotModified, Part, PreconditionFailed, Unsatisfiable, select

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from fastapi import Request
    from starlette.types import Receive, Scope, Send

    from lookback.api.ports import OpenMedia

_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\/:*?<>|]+')
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Presentation:
    """How media is labelled. `etag` has its quotes; `name` is the file name for people, or None for no name."""

    etag: str
    content_type: str
    name: str | None = None
    disposition: Literal["inline", "attachment"] = "inline"
    cache: str = "private, max-age=3600"

    def headers(self) -> dict[str, str]:
        """Return the header fields that every response about it carries."""
        fields = {"ETag": self.etag, "Accept-Ranges": "bytes", "Cache-Control": self.cache}
        return fields | ({"Content-Disposition": disposition(self.disposition, self.name)} if self.name else {})


class _MediaResponse(StreamingResponse):
    """Streams a part of open media and lets go of it, also when the client leaves in the middle."""

    def __init__(self, media: OpenMedia, part: Part, status: int, headers: Mapping[str, str], kind: str) -> None:
        self._media = media
        self._chunks: AsyncIterator[bytes] = media.chunks(part.start, part.stop)
        super().__init__(self._chunks, status, headers, kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if aclose := getattr(self._chunks, "aclose", None):
                await aclose()
            self._media.close()


def serve(request: Request, media: OpenMedia, look: Presentation) -> Response:
    """Answer a GET or HEAD for the media, which is closed in the end; raises PreconditionFailedError."""
    head = request.method == "HEAD"
    selection = select(request.headers, look.etag, media.size, ranges=not head)
    if isinstance(selection, PreconditionFailed):
        media.close()
        raise PreconditionFailedError("The file is another one than the request is about")
    if isinstance(selection, Unsatisfiable):
        size = media.size
        media.close()
        return problem(RangeOutsideError(f"The file has {size} bytes"), headers={"Content-Range": f"bytes */{size}"})
    if isinstance(selection, NotModified):
        media.close()
        return Response(None, 304, look.headers())
    return _send(media, look, selection if isinstance(selection, Part) else None, head=head)


def _send(media: OpenMedia, look: Presentation, part: Part | None, *, head: bool) -> Response:
    size, headers = media.size, look.headers()
    whole = part or Part(0, size)
    headers["Content-Length"] = str(whole.stop - whole.start)
    if part:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    if head:
        media.close()
        return Response(None, 200, headers, look.content_type)
    return _MediaResponse(media, whole, 206 if part else 200, headers, look.content_type)


def disposition(kind: Literal["inline", "attachment"], name: str) -> str:
    """Return a Content-Disposition: the name in ASCII and, if that loses something, in UTF-8 (RFC 6266, 8187)."""
    name = " ".join(_UNSAFE.sub(" ", name).split()) or "clip"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    # Once more: full-width quotes and slashes have become plain ones.
    plain = " ".join(_UNSAFE.sub(" ", plain).split())
    plain = f"clip{plain}" if plain.startswith(".") or not plain else plain
    # A percent sign in the plain form is read differently by different browsers (RFC 6266 appendix D).
    plain = plain.replace("%", "")
    full = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'{kind}; filename="{plain}"{full}'


def file_name(title: str, extension: str) -> str:
    """Return the name under which people find a file again."""
    stem = " ".join(_UNSAFE.sub(" ", title).split())[:_LONGEST_NAME].strip(" .")
    return f"{stem or 'clip'}.{extension}"
