"""A person who uses the public API of a running server, in the words of a test."""

from __future__ import annotations

import hashlib
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BASE = "/livekit-replay"
Json = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Refused(Exception):  # noqa: N818 - it is an answer
    """The server answered with a problem document."""

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(f"{status}: {json.dumps(problem)}")
        self.status, self.problem = status, problem
        self.code = str(problem.get("code"))


class Person:
    """Somebody with a token. Methods that a server refuses raise Refused with what it said."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self.http, self.token = http, token

    async def starts_the_demo(self, room: str = "demo") -> Json:
        """Keep the last minutes of the generated screen share."""
        return await self._json("POST", "start", {"roomName": room, "source": "synthetic"})

    async def stops(self, session: Json) -> Json:
        """End the share; its last minutes stay."""
        return await self._json("POST", f"stop/{session['sessionId']}")

    async def session_in(self, room: str) -> Json | None:
        """The newest own session in a room."""
        sessions: list[Json] = (await self._json("GET", "sessions"))["items"]
        return next((s for s in sessions if s["roomName"] == room), None)

    async def sees(self, session: Json) -> Json:
        """The session as the server tells it now."""
        status = await self._json("GET", f"status/{quote(session['roomName'], safe='')}")
        return next(s for s in status["sessions"] if s["sessionId"] == session["sessionId"])

    async def sees_buffered(self, session: Json, seconds: float, *, within: float = 30.0) -> Json:
        """Wait until so much can be saved."""
        return await eventually(
            lambda: self._sees_if(session, lambda s: s["bufferedSeconds"] >= seconds),
            within=within,
            what=f"{seconds} s in the buffer",
        )

    async def sees_status(self, session: Json, *wanted: str, within: float = 20.0) -> Json:
        """Wait until the session is in one of these states."""
        return await eventually(
            lambda: self._sees_if(session, lambda s: s["status"] in wanted), within=within, what=" or ".join(wanted)
        )

    async def sees_buffered_until(self, session: Json, instant_us: int, *, within: float = 30.0) -> Json:
        """Wait until this instant can be saved."""
        return await eventually(
            lambda: self._sees_if(
                session, lambda s: s["bufferedUntil"] and microseconds(s["bufferedUntil"]) >= instant_us
            ),
            within=within,
            what="the instant in the buffer",
        )

    async def sees_gap(self, session: Json, cause: str, *, within: float = 30.0) -> Json:
        """Wait until the session tells of a gap with this cause."""
        return await eventually(
            lambda: self._sees_if(session, lambda s: any(gap["cause"] == cause for gap in s["gaps"])),
            within=within,
            what=f"a gap by {cause}",
        )

    async def captures(self, session: Json, *, key: str | None = None, **wish: Any) -> Json:
        """Save a range; `wish` in the API's own names, such as durationSeconds=10."""
        headers = {"Idempotency-Key": key} if key else {}
        return await self._json("POST", "capture", {"sessionId": session["sessionId"], **wish}, headers=headers)

    async def clip(self, clip: Json) -> Json:
        """The clip as the library has it now."""
        return await self._json("GET", f"clips/{clip['clipId']}")

    async def clips(self) -> list[Json]:
        """The first page of the library."""
        page = await self._json("GET", "my-clips")
        items: list[Json] = page["items"]
        return items

    async def sees_stored(self, clip: Json, *, within: float = 30.0) -> Json:
        """Wait until the clip is one physical file with a hash and a poster."""
        return await eventually(lambda: self._stored(clip), within=within, what="the clip's own file")

    async def deletes(self, clip: Json) -> None:
        """Put the clip into the bin."""
        await self.answer("DELETE", f"clips/{clip['clipId']}")

    async def wants_mp4(self, clip: Json, *, within: float = 60.0) -> Json:
        """Order an MP4 rendition and wait for it."""
        made = await self._json("POST", f"clips/{clip['clipId']}/renditions", {"format": "mp4"})
        where = f"clips/{clip['clipId']}/renditions/{made['renditionId']}"
        return await eventually(lambda: self._rendition(where), within=within, what="the MP4 rendition")

    async def downloads(self, clip: Json) -> bytes:
        """All bytes behind the signed link, without any token."""
        return await self.fetches(clip["videoUrl"])

    async def fetches(self, url: str) -> bytes:
        """What is behind a signed link."""
        async with self.stranger() as stranger:
            answer = await stranger.get(url)
        assert answer.status_code == httpx.codes.OK, answer.text
        assert int(answer.headers["content-length"]) == len(answer.content)
        return answer.content

    @staticmethod
    def digest(media: bytes) -> str:
        """SHA-256 as the API writes it."""
        return hashlib.sha256(media).hexdigest()

    @asynccontextmanager
    async def stranger(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the same server that sends no token."""
        async with httpx.AsyncClient(base_url=self.http.base_url, timeout=self.http.timeout) as client:
            yield client

    async def answer(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Any request below the API's base; raises Refused for a problem document."""
        answer = await self.http.request(method, path if path.startswith("/") else f"{BASE}/{path}", **more)
        if answer.is_error:
            raise Refused(answer.status_code, answer.json() if "json" in answer.headers["content-type"] else {})
        return answer

    async def _json(self, method: str, path: str, body: Json | None = None, **more: Any) -> Json:
        answer = await self.answer(method, path, json=body, **more)
        found: Json = answer.json()
        return found

    async def _sees_if(self, session: Json, true: Any) -> Json | None:
        seen = await self.sees(session)
        return seen if true(seen) else None

    async def _stored(self, clip: Json) -> Json | None:
        seen = await self.clip(clip)
        assert seen["status"] != "failed", seen
        return seen if seen["storage"] == "file" and seen["sha256"] and seen["posterUrl"] else None

    async def _rendition(self, where: str) -> Json | None:
        seen = await self._json("GET", where)
        assert seen["status"] not in {"failed", "cancelled"}, seen
        return seen if seen["status"] == "ready" else None


def microseconds(instant: str) -> int:
    """An instant as the API writes it, in UTC microseconds."""
    return (datetime.fromisoformat(instant) - _EPOCH) // timedelta(microseconds=1)


def seconds_of(interval: Json) -> float:
    """Length of an interval of the API in seconds."""
    return (microseconds(interval["end"]) - microseconds(interval["start"])) / 1_000_000
