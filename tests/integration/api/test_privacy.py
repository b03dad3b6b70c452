"""What is somebody else's does not exist, and who is nobody is told so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.people import BASE, Refused

if TYPE_CHECKING:
    import httpx
    from tests.support.people import Json, Person

PRIVATE = [
    ("GET", "sessions/{session}/timeline"),
    ("GET", "sessions/{session}/segments/1/media"),
    ("GET", "sessions/{session}/segments/1/thumbnail"),
    ("POST", "stop/{session}"),
    ("GET", "clips/{clip}"),
    ("PATCH", "clips/{clip}"),
    ("DELETE", "clips/{clip}"),
    ("POST", "clips/{clip}/restore"),
    ("GET", "clips/{clip}/video"),
    ("HEAD", "clips/{clip}/video"),
    ("GET", "clips/{clip}/poster"),
    ("POST", "clips/{clip}/renditions"),
    ("GET", "clips/{clip}/renditions/r"),
    ("DELETE", "clips/{clip}/renditions/r"),
    ("GET", "clips/{clip}/renditions/r/video"),
    ("PATCH", "/whip/office/{session}"),
    ("DELETE", "/whip/office/{session}"),
]
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}


@pytest.mark.parametrize(("method", "path"), PRIVATE)
async def test_what_is_anothers_looks_like_what_is_not_there(
    bob: Person, stranger: httpx.AsyncClient, saved: Json, method: str, path: str
) -> None:
    body = {"title": "Mine"} if method == "PATCH" else {"format": "mp4"} if path.endswith("renditions") else None
    more = {"content": "x", "headers": FRAGMENT} if path.startswith("/whip") and method == "PATCH" else {"json": body}
    real = path.format(session=saved["sessionId"], clip=saved["clipId"])
    answers = []
    for where in (real, path.format(session="nothing", clip="nothing")):
        url = where if where.startswith("/") else f"{BASE}/{where}"
        answer = await bob.http.request(method, url, **more)
        assert answer.status_code == 404, answer.text
        answers.append(answer.text)
        assert (await stranger.request(method, url, **more)).status_code == 401
    assert answers[0] == answers[1]


async def test_lists_hold_ones_own_things(alice: Person, bob: Person, saved: Json) -> None:
    assert saved["clipId"] in [clip["clipId"] for clip in await alice.clips()]
    assert saved["clipId"] not in [clip["clipId"] for clip in await bob.clips()]
    assert await bob.session_in("office") is None
    status = (await bob.answer("GET", "status/office")).json()
    assert status == {"roomName": "office", "active": False, "sessions": [], "buffers": []}


async def test_nobody_saves_from_anothers_share(bob: Person, saved: Json) -> None:
    for where in ({"sessionId": saved["sessionId"]}, {"roomName": "office"}):
        with pytest.raises(Refused) as refusal:
            await bob.answer("POST", "capture", json={**where, "durationSeconds": 1})
        assert (refusal.value.status, refusal.value.code) == (404, "not-found")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic YTpi", "bearer a.b.c", "Token x"])
async def test_who_is_nobody_is_told_so(stranger: httpx.AsyncClient, header: str) -> None:
    for path in ("me", "sessions", "my-clips", "status/x"):
        answer = await stranger.get(f"{BASE}/{path}", headers={"Authorization": header} if header else {})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


async def test_everybody_learns_who_they_are(alice: Person, saved: Json) -> None:
    me = (await alice.answer("GET", "me")).json()
    assert (me["userId"], me["name"], me["admin"], me["quotaBytes"]) == ("alice", "Alice", False, 5 * 1024**3)
    assert me["usedBytes"] >= saved["sizeBytes"]
