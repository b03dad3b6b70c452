"""Communities at the HTTP edge: their rules, their rooms, and what holds for buffers in them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.people import BASE, Refused
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.installation import Installation
    from tests.support.people import Json, Person

DEFAULTS = {
    "enabled": True,
    "maxConcurrent": 10,
    "windowMinutes": 10,
    "maxClipMinutes": 10,
    "viewersMayCapture": False,
    "autoStart": "off",
    "clipRetentionDays": None,
    "recorder": "direct",
    "defaultQuotaBytes": None,
}


@pytest.fixture
async def root(server: Installation) -> AsyncIterator[Person]:
    async with server.person("root", admin=True) as person:
        yield person


@pytest.fixture
async def mod(server: Installation) -> AsyncIterator[Person]:
    """Who manages the community `town` by token."""
    async with server.person("mod", communities={"town": ["moderator"], "village": ["moderator"]}) as person:
        yield person


async def asks(who: Person, method: str, path: str, body: Any = None) -> Json:
    """The answer's JSON."""
    answer: Json = (await who.answer(method, path, json=body)).json()
    return answer


async def refusal(who: Person, method: str, path: str, body: Any = None) -> Json:
    """The problem that the server answers with."""
    with pytest.raises(Refused) as refused:
        await who.answer(method, path, json=body)
    return refused.value.problem


# ---- rules


async def test_a_community_has_the_defaults_and_is_changed_bit_by_bit(mod: Person) -> None:
    config = "admin/community/village/config"
    assert await asks(mod, "GET", config) == {"communityId": "village", "name": None, **DEFAULTS}
    changed = await asks(mod, "PATCH", config, {"maxConcurrent": 5, "windowMinutes": 2.5, "name": "Dorf"})
    expected = {"communityId": "village", **DEFAULTS, "name": "Dorf", "maxConcurrent": 5, "windowMinutes": 2.5}
    assert changed == expected
    assert await asks(mod, "PATCH", config, {}) == expected
    assert await asks(mod, "PATCH", config, {"maxConcurrent": None, "name": None}) == {
        **expected,
        "maxConcurrent": None,
        "name": None,
    }


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        ({"enabled": "yes"}, "enabled: "),
        ({"enabled": None}, "enabled: "),
        ({"maxConcurrent": 0}, "maxConcurrent: "),
        ({"maxConcurrent": 2.5}, "maxConcurrent: "),
        ({"maxConcurrent": "5"}, "maxConcurrent: "),
        ({"maxConcurrent": True}, "maxConcurrent: "),
        ({"windowMinutes": 0}, "windowMinutes: "),
        ({"windowMinutes": None}, "windowMinutes: "),
        ({"windowMinutes": 61}, "windowMinutes: the operator allows at most 60"),
        ({"maxClipMinutes": -1}, "maxClipMinutes: "),
        ({"autoStart": "always"}, "autoStart: "),
        ({"clipRetentionDays": 0}, "clipRetentionDays: "),
        ({"recorder": "vcr"}, "recorder: "),
        ({"defaultQuotaBytes": 1 << 60}, "defaultQuotaBytes: "),
        ({"name": ""}, "name: "),
        ({"maxconcurrent": 5}, "maxconcurrent: There is no such member"),
        ({"max_concurrent": 5}, "max_concurrent: There is no such member"),
        ({"communityId": "other"}, "communityId: There is no such member"),
        ([], "Input should be"),
        (None, "Field required"),
    ],
)
async def test_what_makes_no_sense_is_told_and_changes_nothing(mod: Person, patch: Any, reason: str) -> None:
    before = await asks(mod, "GET", "admin/community/town/config")
    body = {"enabled": False, **patch} if isinstance(patch, dict) and "enabled" not in patch else patch
    told = await refusal(mod, "PATCH", "admin/community/town/config", body)
    assert (told["status"], told["code"]) == (422, "invalid-config")
    assert reason in told["detail"]
    assert await asks(mod, "GET", "admin/community/town/config") == before


async def test_what_is_not_json_is_no_setting(mod: Person) -> None:
    answer = await mod.http.patch(
        f"{BASE}/admin/community/town/config", content="{", headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "validation")


async def test_others_are_told_which_roles_they_would_need(bob: Person) -> None:
    told = await refusal(bob, "PATCH", "admin/community/town/config", {"enabled": False})
    assert (told["status"], told["detail"]) == (403, "Permission denied - MANAGE_REPLAY_LIMITS")
    assert told["grantedBy"] == ["moderator"]


# ---- rooms


async def test_rooms_are_registered_listed_and_forgotten(mod: Person, bob: Person) -> None:
    for room in ("r/2", "r/1", "r/1\u202e", "r/1\U0001f600"):
        made = await asks(mod, "PUT", f"rooms/{room}", {"communityId": "village"})
        assert (made["roomName"], made["communityId"]) == (room, "village")
    listed = await asks(mod, "GET", "admin/community/village/rooms?limit=1")
    names = [room["roomName"] for room in listed["items"]]
    while listed["nextCursor"]:
        listed = await asks(mod, "GET", f"admin/community/village/rooms?limit=1&cursor={listed['nextCursor']}")
        names += [room["roomName"] for room in listed["items"]]
    assert names == ["r/1", "r/1\u202e", "r/1\U0001f600", "r/2"]
    assert (await refusal(mod, "GET", "admin/community/village/rooms?cursor=AAAA"))["status"] == 400
    assert (await asks(mod, "GET", "rooms/r/1"))["communityId"] == "village"
    assert (await refusal(bob, "GET", "rooms/r/1"))["status"] == 404
    assert (await refusal(bob, "PUT", "rooms/r/1", {"communityId": "bobs"}))["status"] == 403
    await mod.answer("DELETE", "rooms/r/1")
    assert (await refusal(mod, "DELETE", "rooms/r/1"))["status"] == 404


async def test_a_start_must_agree_with_the_rooms_community(mod: Person, bob: Person) -> None:
    await asks(mod, "PUT", "rooms/town hall", {"communityId": "town"})
    for claimed, room in [("village", "town hall"), ("town", "somewhere else")]:
        body = {"roomName": room, "communityId": claimed, "source": "synthetic"}
        assert (await refusal(bob, "POST", "start", body))["status"] == 400


async def test_everybody_lists_their_communities(mod: Person, bob: Person, root: Person) -> None:
    await asks(mod, "PATCH", "admin/community/town/config", {"name": "Town"})
    items = (await asks(mod, "GET", "communities"))["items"]
    assert [(item["communityId"], "MANAGE_REPLAY_LIMITS" in item["permissions"]) for item in items] == [
        ("town", True),
        ("village", True),
    ]
    assert items[0]["name"] == "Town"
    assert (await asks(bob, "GET", "communities"))["items"] == []
    assert {"town"} <= {item["communityId"] for item in (await asks(root, "GET", "communities"))["items"]}


# ---- what holds for buffers


async def test_a_full_community_says_so_and_lets_in_as_many_as_may(server: Installation, mod: Person) -> None:
    await asks(mod, "PUT", "rooms/full", {"communityId": "town"})
    await asks(mod, "PATCH", "admin/community/town/config", {"maxConcurrent": 2})

    async def start(number: int) -> Json:
        async with server.person(f"sharer-{number}") as sharer:
            body = {"roomName": "full", "communityId": "town", "source": "synthetic"}
            answer = await sharer.http.post(f"{BASE}/start", json=body)
            return {"status": answer.status_code, "after": answer.headers.get("retry-after"), **answer.json()}

    done = await asyncio.gather(*(start(number) for number in range(20)))
    started = [answer for answer in done if "sessionId" in answer]
    refused = [answer for answer in done if "sessionId" not in answer]
    assert (len(started), len(refused)) == (2, 18)
    told = {(r["status"], r["code"], r["detail"], r["limit"], r["used"], r["after"]) for r in refused}
    assert told == {(429, "community-limit", "Community replay buffer limit reached", 2, 2, "30")}

    await asks(mod, "PATCH", "admin/community/town/config", {"enabled": False})
    ended = await eventually(lambda: _all_ended(mod), what="the end of all buffers of the community")
    assert {s["reason"] for s in ended} == {"Replay buffers are switched off in this community"}
    off = await refusal(mod, "POST", "start", {"roomName": "full", "source": "synthetic"})
    assert (off["status"], off["code"]) == (422, "buffer-disabled")
    await asks(mod, "PATCH", "admin/community/town/config", {"enabled": True, "maxConcurrent": 10})


async def _all_ended(mod: Person) -> list[Json] | None:
    room = await asks(mod, "GET", "status/full")
    return room["sessions"] if not room["active"] and len(room["sessions"]) == 2 else None


async def test_a_buffer_is_known_to_all_seen_by_some_and_ended_by_its_managers(
    server: Installation, mod: Person, bob: Person
) -> None:
    await asks(mod, "PUT", "rooms/square", {"communityId": "town"})
    session = await asks(
        mod, "POST", "start", {"roomName": "square", "participantIdentity": "carol", "source": "synthetic"}
    )
    assert (session["userId"], session["communityId"]) == ("carol", "town")
    try:
        told = await asks(bob, "GET", "status/square")
        assert (told["active"], told["sessions"]) == (True, [])
        (known,) = told["buffers"]
        assert (known["userId"], known["participantIdentity"], known["since"]) == (
            "carol",
            "carol",
            session["startedAt"],
        )
        sid = session["sessionId"]
        assert (await refusal(bob, "POST", f"stop/{sid}"))["status"] == 404
        assert (await refusal(bob, "GET", f"sessions/{sid}/timeline"))["status"] == 404
        async with server.person("carol") as carol:
            seen = await carol.sees_buffered(session, 2.5)
            assert seen["sessionId"] == sid

        async with server.person("dave", communities={"town": ["member"]}) as dave:
            assert (await refusal(dave, "POST", "capture", {"roomName": "square", "durationSeconds": 1}))[
                "status"
            ] == 404
            rules = {"viewersMayCapture": True, "maxClipMinutes": 1}
            await asks(mod, "PATCH", "admin/community/town/config", rules)
            clip = await asks(dave, "POST", "capture", {"roomName": "square", "durationSeconds": 1})
            assert (clip["userId"], clip["communityId"], clip["sessionId"]) == ("dave", "town", sid)
            assert (await asks(dave, "GET", f"sessions/{sid}/timeline"))["sessionId"] == sid
            long = await refusal(dave, "POST", "capture", {"roomName": "square", "durationSeconds": 61})
            assert (long["status"], long["maxSeconds"]) == (400, 60)
            assert (await refusal(dave, "POST", f"stop/{sid}"))["status"] == 404
    finally:
        ended = await asks(mod, "POST", f"stop/{session['sessionId']}")
    assert (ended["status"], ended["reason"]) == ("draining", "Stopped by somebody who manages the replay buffers here")


async def test_nobody_starts_a_buffer_for_somebody_else(bob: Person) -> None:
    body = {"roomName": "square", "participantIdentity": "alice", "source": "synthetic"}
    told = await refusal(bob, "POST", "start", body)
    assert (told["status"], told["detail"]) == (403, "Permission denied - MANAGE_REPLAY_LIMITS")
