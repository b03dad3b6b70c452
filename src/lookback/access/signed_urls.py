"""Links that <video> and <img> can follow without a header: they act for one user, on one path, for some hours."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from lookback.access.principal import Link, Principal
from lookback.errors import UnauthenticatedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SECOND_US = 1_000_000
# A link stays the same for this long, so that players and caches are not restarted by a new one ...
_STEP_SECONDS = 6 * 3600
# ... and is good for one to two of these steps.
_STEPS = 2
_EXPIRY = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class MediaLinks:
    """Signs and checks links. `base` stands in front of the path; `clock` gives UTC microseconds."""

    secret: str
    clock: Callable[[], int]
    base: str = ""

    def link(self, path: str, who: str, purpose: str, by: Link | None = None) -> str:
        """Return the path with a query that lets its holder read it as the user `who`, for this purpose only.

        `by` is what the holder is to stand for, too; a visitor's `who` is "".
        """
        expires = (self.clock() // _SECOND_US // _STEP_SECONDS + _STEPS) * _STEP_SECONDS
        query = {"user": who, "expires": expires, "for": purpose}
        if by is not None:
            query |= {"by": by.sight, **({"key": by.share_key} if by.share_key else {})}
        return f"{self.base}{path}?{urlencode({**query, 'signature': self._sign(path, who, expires, purpose, by)})}"

    def principal(self, path: str, query: Mapping[str, str], purposes: frozenset[str]) -> Principal:
        """Return who a signed link speaks for; raises UnauthenticatedError when it is wrong or too old."""
        who, purpose, expires = query.get("user", ""), query.get("for", ""), query.get("expires", "")
        if not _EXPIRY.fullmatch(expires) or purpose not in purposes:
            raise UnauthenticatedError("The link does not hold")
        by = Link(query["by"], query.get("key", "")) if "by" in query else None
        expected = self._sign(path, who, int(expires), purpose, by)
        if not hmac.compare_digest(expected.encode(), query.get("signature", "").encode()):
            raise UnauthenticatedError("The link does not hold")
        if int(expires) * _SECOND_US <= self.clock():
            raise UnauthenticatedError("The link has expired; ask for a new one")
        return Principal(user_id=who, link=by)

    def issued_us(self, query: Mapping[str, str]) -> int:
        """Return when a link that holds was issued at the earliest, in UTC microseconds."""
        return (int(query["expires"]) - _STEPS * _STEP_SECONDS) * _SECOND_US

    def _sign(self, path: str, who: str, expires: int, purpose: str, by: Link | None) -> str:
        if by is None:
            message = "\0".join(("lookback-link-1", path, who, str(expires), purpose))
        else:  # JSON, so that no part of it can be taken for another whatever it contains
            message = f"lookback-link-2{json.dumps([path, who, expires, purpose, by.sight, by.share_key])}"
        return hmac.new(self.secret.encode(), message.encode(), hashlib.sha256).hexdigest()
