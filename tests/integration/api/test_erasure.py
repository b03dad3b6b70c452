"""A person is erased from a real server: files, rows, tokens and links; and takes along what there was before."""

from __future__ import annotations

import io
import json
import time
import zipfile
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import jwt
import pytest
from tests.support.installation import Installation, one_installation
from tests.support.people import BASE, Person, Refused
from tests.support.waiting import eventually

from lookback.buffer.layout import safe_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.people import Json


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A server behind a proxy, where one may save and start twice a minute."""
    settings = {
        "REPLAY_SEGMENT_DURATION_SECONDS": "2",
        "LOOKBACK_CAPTURES_PER_MINUTE": "2",
        "LOOKBACK_STARTS_PER_MINUTE": "2",
        "LOOKBACK_TRUSTED_PROXIES": "127.0.0.0/8, ::1",
    }
    with one_installation(tmp_path_factory.mktemp("small"), **settings) as installation:
        yield installation


@asynccontextmanager
async def with_a_clip(small: Installation, user_id: str) -> AsyncIterator[tuple[Person, Json]]:
    """Somebody whose share goes on, with a clip of it."""
    async with small.person(user_id) as person:
        session = await person.starts_the_demo("office")
        await person.sees_buffered(session, 1.5)
        clip = await person.captures(session, durationSeconds=1, title="Mine")
        yield person, await person.sees_stored(clip)


def paths_of(small: Installation, user_id: str) -> list[Path]:
    """Everything on disk with the user's name in its path."""
    return [path for path in small.home.rglob("*") if safe_name(user_id) in path.parts]


def later_token(small: Installation, user_id: str) -> str:
    """A token of the near future, as far ahead as a clock may be."""
    now = time.time()
    claims = {"sub": user_id, "name": "Back", "iat": now + 29.5, "exp": now + 3600}
    return jwt.encode(claims, small._secret, "HS256")


async def test_nothing_is_left_and_tokens_and_links_hold_no_more(small: Installation) -> None:
    async with with_a_clip(small, "anna") as (anna, clip):
        assert paths_of(small, "anna")
        async with small.person("root", admin=True) as root:
            answer = await root.answer("DELETE", "admin/users/anna/data")
            assert (answer.status_code, answer.content) == (204, b"")
            assert paths_of(small, "anna") == []
            assert not list((small.buffer / ".pins").glob("*"))
            await told_without_names(root, clip)
        for path in ("me", "sessions", f"clips/{clip['clipId']}"):
            refused = await anna.http.get(f"{BASE}/{path}")
            assert (refused.status_code, refused.json()["detail"]) == (401, "It was revoked; sign in again")
        async with anna.stranger() as stranger:
            for url in (clip["videoUrl"], clip["posterUrl"]):
                assert (await stranger.get(url)).status_code == 401
        for file in small.home.glob("lookback.db*"):
            assert b"anna" not in file.read_bytes(), file
    await comes_back(small)


async def told_without_names(root: Person, clip: Json) -> None:
    told = (await root.answer("GET", "admin/audit", params={"limit": 200})).json()["items"]
    (erased,) = [e for e in told if e["action"] == "user.erased"]
    assert erased["actor"] == {"kind": "user", "userId": "root"}
    hers = [e for e in told if e["subject"] == erased["subject"]]
    assert {"session.started", "clip.captured", "user.erasure-begun"} <= {e["action"] for e in hers}
    assert clip["clipId"] in [e["target"] for e in hers]
    assert [e["address"] for e in hers if e["actor"]["userId"] == erased["subject"]] == [None] * len(
        [e for e in hers if e["actor"]["userId"] == erased["subject"]]
    )
    assert "anna" not in json.dumps(told)


async def comes_back(small: Installation) -> None:
    """With a token from after it she is somebody new, as soon as its time is there."""

    async def signed_in() -> httpx.Response | None:
        headers = {"Authorization": f"Bearer {later_token(small, 'anna')}"}
        async with httpx.AsyncClient(base_url=small.url, headers=headers) as http:
            answer = await http.get(f"{BASE}/me")
        return answer if answer.is_success else None

    me = (await eventually(signed_in, within=20, what="a token that holds again")).json()
    assert (me["userId"], me["name"], me["usedBytes"]) == ("anna", "Back", 0)


async def test_one_erases_oneself_and_nobody_else(small: Installation) -> None:
    async with small.person("gus") as gus:
        with pytest.raises(Refused) as refusal:
            await gus.answer("DELETE", "admin/users/hans/data")
        assert (refusal.value.status, refusal.value.problem["detail"]) == (
            403,
            "Permission denied - MANAGE_REPLAY_LIMITS",
        )
        with pytest.raises(Refused, match="MANAGE_REPLAY_LIMITS"):
            await gus.answer("GET", "admin/users/hans/export")
        await gus.answer("DELETE", "me/data")
        assert (await gus.http.get(f"{BASE}/me")).status_code == 401
    async with small.person("hans") as hans:
        await hans.answer("DELETE", "admin/users/hans/data")
        assert (await hans.http.get(f"{BASE}/me")).status_code == 401


async def test_one_takes_everything_along(small: Installation) -> None:
    async with with_a_clip(small, "ina") as (ina, clip):
        for path in ("me/export", "admin/users/ina/export"):
            answer = await ina.answer("GET", path)
            assert answer.headers["content-type"] == "application/zip"
            with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
                assert file.testzip() is None
                video = file.read(f"clips/{clip['clipId']}.mp4")
                assert json.loads(file.read("profile.json"))["name"] == "Ina"
            assert Person.digest(video) == clip["sha256"]


async def test_who_saves_or_starts_too_often_is_told_to_wait(small: Installation) -> None:
    async with with_a_clip(small, "kai") as (kai, clip):
        await kai.answer("POST", "capture", json={"sessionId": clip["sessionId"], "durationSeconds": 1})
        refused = await kai.http.post(f"{BASE}/capture", json={"sessionId": "x", "durationSeconds": 1})
        problem = refused.json()
        assert (refused.status_code, problem["code"], problem["limit"]) == (429, "rate-limit", 2)
        assert problem["detail"] == "Too many captures in a minute"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        for path, body in (("/livekit-replay/start", "{}"), ("/whip/office", "v=0")):
            await kai.http.post(path, content=body)
        whip = await kai.http.post("/whip/office", content="v=0", headers={"Content-Type": "application/sdp"})
        assert (whip.status_code, whip.json()["detail"]) == (429, "Too many starts in a minute")
    async with small.person("kim") as kim:
        with pytest.raises(Refused) as refusal:
            await kim.answer("POST", "capture", json={"roomName": "x", "durationSeconds": 1})
        assert refusal.value.status == 404, "each has their own minute"


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("10.9.9.9, 203.0.113.9, 127.0.0.2", "203.0.113.9"),
        ("2001:db8::7", "2001:db8::7"),
        ("'; DROP TABLE audit_entries", None),
    ],
)
async def test_behind_a_proxy_the_address_is_what_the_proxy_says(
    small: Installation, said: str, address: str | None
) -> None:
    async with small.person("root", admin=True) as root:
        room = f"room of {said}"[:60]
        path = f"rooms/{room}"
        await root.answer("PUT", path, json={"communityId": "c"}, headers={"X-Forwarded-For": said})
        items = (await root.answer("GET", "admin/audit", params={"action": "room.registered"})).json()["items"]
        assert [e["address"] for e in items if e["roomName"] == room] == [address]
