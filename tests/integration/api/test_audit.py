"""The audit trail over HTTP: who did what, when and from where."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.people import BASE, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx
    from tests.support.installation import Installation
    from tests.support.people import Json, Person


@pytest.fixture
async def root(server: Installation) -> AsyncIterator[Person]:
    async with server.person("root", admin=True) as person:
        yield person


async def entries(person: Person, **query: Any) -> list[Json]:
    items: list[Json] = (await person.answer("GET", "admin/audit", params=query)).json()["items"]
    return items


async def test_the_life_of_a_share_and_its_clip_is_in_the_trail(root: Person, saved: Json) -> None:
    told = await entries(root, user="alice", limit=200)  # of everything alice did on this server
    about = {e["action"]: e for e in told if e["target"] in (saved["clipId"], saved["sessionId"])}
    assert {"session.started", "session.stopped", "clip.captured"} <= about.keys()
    assert about["clip.captured"]["target"] == saved["clipId"]
    for entry in about.values():
        assert entry["actor"] == {"kind": "user", "userId": "alice"}
        assert (entry["subject"], entry["address"], entry["roomName"]) == ("alice", "127.0.0.1", "office")
    assert about["session.started"]["target"] == about["session.stopped"]["target"] == saved["sessionId"]
    assert about["session.stopped"]["facts"]["cause"].startswith("Stopped")


async def test_nothing_that_somebody_wrote_is_in_it(root: Person, alice: Person, saved: Json) -> None:
    await alice.answer("PATCH", f"clips/{saved['clipId']}", json={"title": "Streng geheim"})
    await alice.answer("PATCH", f"clips/{saved['clipId']}", json={"title": saved["title"]})
    told = (await root.answer("GET", "admin/audit", params={"limit": 200})).text
    assert "clip.changed" in told
    assert "Streng geheim" not in told
    assert saved["title"] not in told


async def test_every_entry_looks_alike(root: Person, saved: Json) -> None:
    for entry in await entries(root, user=saved["userId"]):
        assert list(entry) == [
            "id", "at", "action", "actor", "subject", "target", "communityId", "roomName", "address", "facts",
        ]  # fmt: skip
        assert isinstance(entry["id"], int)


async def test_pages_join(root: Person, saved: Json) -> None:
    everything = [e["id"] for e in await entries(root, user=saved["userId"], limit=200)]
    assert everything == sorted(everything, reverse=True)
    seen: list[int] = []
    cursor: str | None = None
    for _ in range(len(everything)):
        query = {"user": saved["userId"], "limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await root.answer("GET", "admin/audit", params=query)).json()
        seen += [e["id"] for e in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert seen == everything


async def test_it_is_narrowed_by_action_and_time(root: Person, saved: Json) -> None:
    captured = await entries(root, action="clip.captured", user=saved["userId"])
    assert {e["action"] for e in captured} == {"clip.captured"}
    assert saved["clipId"] in [e["target"] for e in captured]
    at = captured[-1]["at"]
    assert captured[-1] not in await entries(root, to=at, user=saved["userId"])
    assert captured[-1] in await entries(root, **{"from": at}, user=saved["userId"], limit=200)
    assert await entries(root, to=1, user=saved["userId"]) == [], "epoch milliseconds, too"
    assert await entries(root, community="nowhere") == []


@pytest.mark.parametrize(
    "query",
    ["cursor=x", "cursor=-1", "action=clip.stolen", "from=yesterday", "to=2026-01-01", "limit=0", "limit=201", "user="],
)
async def test_what_makes_no_sense_is_refused(root: Person, query: str) -> None:
    answer = await root.http.get(f"{BASE}/admin/audit?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "validation"), answer.text


@pytest.mark.parametrize("path", ["admin/audit", "admin/audit/export", "admin/audit?user=alice"])
async def test_it_is_for_auditors_only(alice: Person, stranger: httpx.AsyncClient, path: str) -> None:
    with pytest.raises(Refused) as refusal:
        await alice.answer("GET", path)
    assert (refusal.value.status, refusal.value.problem["detail"]) == (403, "Permission denied - VIEW_AUDIT")
    assert "auditor" in refusal.value.problem["grantedBy"]
    assert (await stranger.get(f"{BASE}/{path}")).status_code == 401


async def test_auditors_of_a_community_see_its_entries(root: Person, server: Installation) -> None:
    await root.answer("PUT", "rooms/audited-room", json={"communityId": "audited"})
    await root.answer("PUT", "admin/community/audited/members/carol", json={"roles": ["auditor"]})
    async with server.person("carol") as carol:
        told = await entries(carol, community="audited")
        assert [e["action"] for e in told] == ["member.changed", "room.registered"]
        assert {e["communityId"] for e in told} == {"audited"}
        for path in ("admin/audit", "admin/audit?community=another", "admin/audit/export"):
            with pytest.raises(Refused, match="VIEW_AUDIT"):
                await carol.answer("GET", path)
        exported = await carol.answer("GET", "admin/audit/export?community=audited")
        assert [json.loads(line)["action"] for line in exported.text.splitlines()] == [
            "room.registered",
            "member.changed",
            "audit.exported",
        ]


async def test_it_is_taken_along_as_json_lines_oldest_first(root: Person, saved: Json) -> None:
    answer = await root.answer("GET", "admin/audit/export", params={"user": saved["userId"]})
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.jsonl"'
    assert answer.headers["cache-control"] == "no-store"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    listed = await entries(root, user=saved["userId"], limit=200)
    assert lines == list(reversed(listed))
    assert lines[-1]["action"] == "audit.exported"


async def test_an_address_is_not_what_a_caller_says(root: Person) -> None:
    await root.answer("PUT", "rooms/said", json={"communityId": "x"}, headers={"X-Forwarded-For": "203.0.113.9"})
    (entry,) = [e for e in await entries(root, action="room.registered") if e["roomName"] == "said"]
    assert entry["address"] == "127.0.0.1"
