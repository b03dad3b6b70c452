"""Somebody who looks at /studio of a running server, without a browser."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from html import unescape
from itertools import count
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.installation import Installation

STUDIO = {
    "LOOKBACK_STUDIO": "true",
    "REPLAY_SEGMENT_DURATION_SECONDS": "2",
    "LOOKBACK_TRUSTED_PROXIES": "127.0.0.1",  # so that each looker comes from an address of their own
}
_LINK = re.compile(r'(?:href|src|action)="([^"#]+)"')
_LEFT_OUT = re.compile(r"^data:|/logout$|sortBy=|pageSize=|/audit_entries/list\?")
_numbers = count(1)


class Looker:
    """A client that keeps its cookies and follows no redirect by itself."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def enters(self, token: str, **headers: str) -> httpx.Response:
        """Send the form."""
        return await self.http.post("/studio/login", data={"token": token}, headers=headers)

    async def sees(self, path: str) -> str:
        """What a page says, which is there."""
        answer = await self.http.get(f"/studio/{path}")
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.headers.get('location')}"
        return answer.text

    async def sees_if(self, path: str) -> str | None:
        """What a page says, or None while there is an error in its place."""
        answer = await self.http.get(f"/studio/{path}")
        return answer.text if answer.is_success else None

    async def is_sent_to_the_form(self, path: str = "clips/list") -> bool:
        """Whether that is all there is at an address."""
        answer = await self.http.get(f"/studio/{path}")
        return answer.status_code == 303 and answer.headers["location"].endswith("/studio/login") and not answer.content

    async def crawls(self) -> dict[str, str]:
        """Every page and file that links lead to, by its address. Links lead nowhere else.

        Not the way out, not the same rows in another order, and of the trail what is newest: looking makes it longer.
        """
        base, found = f"{str(self.http.base_url).rstrip('/')}/studio/", dict[str, str]()
        ahead = [base]
        while ahead:
            url = ahead.pop()
            answer = await self.http.get(url)
            assert answer.status_code == 200, f"{url}: {answer.status_code}"
            found[url] = answer.text
            if answer.headers["content-type"].startswith("text/html"):
                links = {unescape(link) for link in _LINK.findall(answer.text)}
                assert [link for link in links if not link.startswith((base, "data:,"))] == []
                ahead += [link for link in links if link not in {*found, *ahead} and not _LEFT_OUT.search(link)]
        return found


@asynccontextmanager
async def a_looker(server: Installation, token: str | None = None) -> AsyncIterator[Looker]:
    """Somebody at the door, or inside with a token that is taken."""
    came_from = {"X-Forwarded-For": f"192.0.2.{next(_numbers)}"}
    async with httpx.AsyncClient(base_url=server.url, headers=came_from, timeout=30.0) as http:
        looker = Looker(http)
        if token is not None:
            answer = await looker.enters(token)
            assert (answer.status_code, answer.headers["location"]) == (303, f"{server.url}/studio/")
        yield looker
