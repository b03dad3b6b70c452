"""Requests that make sense, and those that do not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.people import BASE, Refused, microseconds

if TYPE_CHECKING:
    import httpx
    from tests.support.installation import Installation
    from tests.support.people import Json, Person


async def refused(person: Person, method: str, path: str, **more: Any) -> Refused:
    with pytest.raises(Refused) as refusal:
        await person.answer(method, path, **more)
    return refusal.value


async def test_of_fifty_starts_at_once_exactly_one_is_made(server: Installation) -> None:
    wish = {"roomName": "rush", "source": "synthetic"}
    async with server.person("crowd") as crowd:
        answers = await asyncio.gather(*(crowd.http.post(f"{BASE}/start", json=wish) for _ in range(50)))
        made = [answer.json() for answer in answers if answer.status_code == 201]
        assert len(made) == 1
        try:
            problems = [answer.json() for answer in answers if answer.status_code != 201]
            assert {p["status"] for p in problems} == {400}
            assert {p["code"] for p in problems} == {"already-active"}
            assert {p["detail"] for p in problems} == {"User already has an active replay buffer"}
            assert {p["sessionId"] for p in problems} == {made[0]["sessionId"]}
        finally:
            stopped = await crowd.stops(made[0])
    assert stopped["status"] == "draining"
    assert stopped["reason"] == "Stopped by its user"
    assert microseconds(stopped["drainsAt"]) - microseconds(stopped["endedAt"]) == 600_000_000


async def test_stopping_twice_says_the_same(alice: Person, saved: Json) -> None:
    first, second = [(await alice.answer("POST", f"stop/{saved['sessionId']}")).json() for _ in range(2)]
    assert first == second
    assert first["status"] == "draining"


async def test_without_livekit_the_default_source_is_said_to_be_missing(alice: Person) -> None:
    refusal = await refused(alice, "POST", "start", json={"roomName": "x"})
    assert (refusal.status, refusal.code) == (503, "livekit-unavailable")
    assert await alice.session_in("x") is None


async def test_the_same_key_is_the_same_clip(alice: Person, saved: Json) -> None:
    wish = {"sessionId": saved["sessionId"], "durationSeconds": 1, "title": "Keyed"}
    made = await asyncio.gather(
        *(alice.answer("POST", "capture", json=wish, headers={"Idempotency-Key": "k1"}) for _ in range(5))
    )
    again = await alice.answer("POST", "capture", json=wish, headers={"Idempotency-Key": "k1"})
    assert sorted(answer.status_code for answer in made) == [200, 200, 200, 200, 201]
    assert again.status_code == 200
    assert len({answer.json()["clipId"] for answer in (*made, again)}) == 1
    assert again.headers["location"] == f"{BASE}/clips/{again.json()['clipId']}"


async def test_a_clip_is_renamed_deleted_and_restored(alice: Person, saved: Json) -> None:
    wish = {"sessionId": saved["sessionId"], "durationSeconds": 1, "title": "Short-lived"}
    clip = (await alice.answer("POST", "capture", json=wish)).json()
    where = f"clips/{clip['clipId']}"
    assert (await alice.answer("PATCH", where, json={"title": "  Neu  "})).json()["title"] == "Neu"
    assert (await alice.answer("DELETE", where)).status_code == 204
    assert clip["clipId"] not in [c["clipId"] for c in await alice.clips()]
    assert (await alice.answer("POST", f"{where}/restore")).json()["deletedAt"] is None
    found = (await alice.answer("GET", "my-clips", params={"q": "neu"})).json()["items"]
    assert [c["clipId"] for c in found] == [clip["clipId"]]


async def test_the_library_is_read_page_by_page(server: Installation, alice: Person, saved: Json) -> None:
    for number in range(3):
        wish = {"sessionId": saved["sessionId"], "durationSeconds": 1, "title": f"Page {number}"}
        await alice.answer("POST", "capture", json=wish)
    titles: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": 2, "q": "page"} | ({"cursor": cursor} if cursor else {})
        page = (await alice.answer("GET", "my-clips", params=params)).json()
        titles += [clip["title"] for clip in page["items"]]
        if (cursor := page["nextCursor"]) is None:
            break
    assert titles == ["Page 2", "Page 1", "Page 0"]
    assert server.api_pid


INVALID: list[tuple[str, str, Any, str]] = [
    ("POST", "start", {}, "roomName"),
    ("POST", "start", {"roomName": ""}, "roomName"),
    ("POST", "start", {"roomName": "x" * 256}, "roomName"),
    ("POST", "start", {"roomName": "a\nb"}, "roomName"),
    ("POST", "start", {"roomName": 7}, "roomName"),
    ("POST", "start", {"roomName": "x", "colour": "blue"}, "colour"),
    ("POST", "start", {"room_name": "x"}, "room"),
    ("POST", "start", {"roomName": "x", "source": "screen"}, "source"),
    ("POST", "start", [], ""),
    ("POST", "capture", {"roomName": "x"}, "range"),
    ("POST", "capture", {"durationSeconds": 1}, "sessionId or roomName"),
    ("POST", "capture", {"roomName": "x", "sessionId": "y", "durationSeconds": 1}, "sessionId or roomName"),
    ("POST", "capture", {"roomName": "x", "durationSeconds": 0}, "durationSeconds"),
    ("POST", "capture", {"roomName": "x", "durationSeconds": -1}, "durationSeconds"),
    ("POST", "capture", {"roomName": "x", "durationSeconds": "5"}, "durationSeconds"),
    ("POST", "capture", {"roomName": "x", "durationSeconds": True}, "durationSeconds"),
    ("POST", "capture", {"roomName": "x", "durationSeconds": 1, "durationMinutes": 1}, "one range"),
    ("POST", "capture", {"roomName": "x", "durationSeconds": 1, "start": 0, "end": 1}, "one range"),
    ("POST", "capture", {"roomName": "x", "start": 5}, "go together"),
    ("POST", "capture", {"roomName": "x", "start": 5, "end": 5}, "first"),
    ("POST", "capture", {"roomName": "x", "start": "yesterday", "end": 5}, "start"),
    ("POST", "capture", {"roomName": "x", "start": "2026-11-22T20:14:03", "end": 5}, "time zone"),
    ("POST", "capture", {"roomName": "x", "start": -1, "end": 5}, "1970"),
    ("POST", "capture", {"roomName": "x", "start": 1, "end": 1e300}, "end"),
    ("POST", "capture", {"roomName": "x", "playhead": 5}, "one range"),
    ("POST", "capture", {"roomName": "x", "durationSeconds": 1, "postRollSeconds": 301}, "postRollSeconds"),
    ("POST", "capture", {"roomName": "x", "durationSeconds": 1, "title": "   "}, "title"),
    ("POST", "capture", {"roomName": "x", "durationSeconds": 1, "allowGaps": "perhaps"}, "allowGaps"),
    ("GET", "my-clips?limit=0", None, "limit"),
    ("GET", "my-clips?limit=101", None, "limit"),
    ("GET", "my-clips?limit=x", None, "limit"),
    ("GET", "my-clips?cursor=nonsense", None, ""),
    ("GET", "my-clips?cursor=%00%FF", None, ""),
]


@pytest.mark.parametrize(("method", "path", "body", "word"), INVALID)
async def test_a_request_that_makes_no_sense_is_told_why(
    alice: Person, method: str, path: str, body: Any, word: str
) -> None:
    answer = await alice.http.request(method, f"{BASE}/{path}", json=body)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["type"]) == (
        400,
        "validation",
        "urn:lookback:error:validation",
    )
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in problem["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"null", b'"x"', b'{"roomName": "\\ud800"}', b"[" * 50_000])
async def test_a_body_that_is_none_is_told_so(alice: Person, body: bytes) -> None:
    answer = await alice.http.post(f"{BASE}/start", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "validation")


async def test_a_body_of_any_length_is_not_read(alice: Person) -> None:
    answer = await alice.http.post(f"{BASE}/start", content=b"x" * 300_000)
    assert (answer.status_code, answer.json()["limit"]) == (413, 256 * 1024)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/livekit-replay/nothing", 404),
        ("POST", "/livekit-replay/nothing", 404),
        ("DELETE", "/livekit-replay/clips", 405),
        ("GET", "/webhooks/nothing", 404),
        ("GET", "/livekit-replay/start", 405),
        ("GET", "/livekit-replay/capture", 405),
        ("PUT", "/livekit-replay/clips/x", 405),
        ("POST", "/livekit-replay/clips/x", 405),
        ("DELETE", "/livekit-replay/my-clips", 405),
        ("GET", "/whip/room", 405),
        ("PUT", "/whip/room/session", 405),
        ("POST", "/healthz", 405),
        ("POST", "/", 405),
    ],
)
async def test_an_address_or_method_that_is_none_is_a_problem(
    alice: Person, method: str, path: str, status: int
) -> None:
    answer = await alice.http.request(method, path, headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert answer.json()["code"] == {404: "not-found", 405: "method-not-allowed"}[status]
    assert answer.headers["content-type"] == "application/problem+json"
    assert status == 404 or answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/livekit-replay/clips/x", "GET, PATCH, DELETE"),
        ("/livekit-replay/clips/x/video", "GET, HEAD"),
        ("/whip/room", "POST, OPTIONS"),
        ("/", "GET, HEAD"),
    ],
)
async def test_a_refused_method_is_told_all_that_are_taken(alice: Person, path: str, allowed: str) -> None:
    answer = await alice.http.put(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_a_segment_number_that_is_none_is_refused(alice: Person, saved: Json) -> None:
    where = f"sessions/{saved['sessionId']}/segments"
    assert (await refused(alice, "GET", f"{where}/x/media")).status == 400
    for number in ("0", "-1", "999999", "9" * 100):
        assert (await refused(alice, "GET", f"{where}/{number}/media")).status == 404


async def test_the_range_names_what_can_be_had(alice: Person, saved: Json) -> None:
    wish = {"sessionId": saved["sessionId"], "start": 0, "end": 1000}
    refusal = await refused(alice, "POST", "capture", json=wish)
    assert (refusal.status, refusal.code) == (400, "no-segments")
    assert refusal.problem["detail"] == "No segments found in specified time range"
    assert microseconds(refusal.problem["oldestAvailable"]) < microseconds(refusal.problem["newestAvailable"])


async def test_cross_origin_requests_are_let_in_by_settings_only(stranger: httpx.AsyncClient) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = await stranger.options(f"{BASE}/start", headers=asked)
    assert "access-control-allow-origin" not in answer.headers
