"""Quotas and usage at the HTTP edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.people import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.installation import Installation
    from tests.support.people import Json, Person


@pytest.fixture
async def root(server: Installation) -> AsyncIterator[Person]:
    async with server.person("root", admin=True) as person:
        yield person


@pytest.fixture
async def dora(server: Installation) -> AsyncIterator[Person]:
    async with server.person("dora") as person:
        yield person


async def quota_of(root: Person, user_id: str) -> Json:
    found: Json = (await root.answer("GET", f"admin/users/{user_id}/quota")).json()
    return found


async def set_quota(root: Person, user_id: str, quota_bytes: int | None) -> Json:
    now: Json = (await root.answer("PATCH", f"admin/users/{user_id}/quota", json={"quotaBytes": quota_bytes})).json()
    return now


async def test_a_full_quota_refuses_with_the_numbers_and_what_is_large(root: Person, dora: Person) -> None:
    share = await dora.starts_the_demo("quota")
    await dora.sees_buffered(share, 3)
    clip = await dora.captures(share, durationSeconds=2, title="The large one")
    before = await quota_of(root, "dora")
    assert (before["isDefault"], before["usedBytes"], before["reservedBytes"]) == (True, clip["sizeBytes"], 0)
    assert (await set_quota(root, "dora", clip["sizeBytes"]))["isDefault"] is False
    with pytest.raises(Refused) as refusal:
        await dora.captures(share, durationSeconds=1, title="One more")
    said = refusal.value.problem
    assert (refusal.value.status, refusal.value.code, said["detail"]) == (507, "quota-exceeded", "User quota exceeded")
    assert (said["quotaBytes"], said["usedBytes"]) == (clip["sizeBytes"], clip["sizeBytes"])
    assert said["neededBytes"] > 0
    largest = {"clipId": clip["clipId"], "title": "The large one", "sizeBytes": clip["sizeBytes"]}
    assert said["largestClips"] == [largest]
    assert (await dora.answer("GET", "me")).json()["quotaBytes"] == clip["sizeBytes"]

    await dora.deletes(clip)
    assert (await quota_of(root, "dora"))["usedBytes"] == 0
    other = await dora.captures(share, durationSeconds=1, title="One more")
    with pytest.raises(Refused) as refusal:
        await dora.answer("POST", f"clips/{clip['clipId']}/restore")
    assert (refusal.value.status, refusal.value.code) == (507, "quota-exceeded")
    usage = (await root.answer("GET", "admin/usage", params={"by": "user"})).json()
    mine = next(item for item in usage["items"] if item["key"] == "dora")
    assert (mine["name"], mine["clips"]) == ("Dora", 1)
    assert (mine["usedBytes"], mine["deletedBytes"]) == (other["sizeBytes"], clip["sizeBytes"])

    assert (await set_quota(root, "dora", None))["isDefault"] is True
    await dora.answer("POST", f"clips/{clip['clipId']}/restore")
    assert (await quota_of(root, "dora"))["usedBytes"] == clip["sizeBytes"] + other["sizeBytes"]
    await dora.stops(share)


@pytest.mark.parametrize(("by", "key"), [("user", "alice"), ("room", "office"), ("community", None)])
async def test_usage_is_added_up_by_user_room_and_community(
    root: Person, saved: Json, by: str, key: str | None
) -> None:
    usage = (await root.answer("GET", "admin/usage", params={"by": by, "limit": 1000})).json()
    assert usage["by"] == by
    found = next(item for item in usage["items"] if item["key"] == key)
    assert found["usedBytes"] >= saved["sizeBytes"]
    assert usage["total"]["usedBytes"] == sum(item["usedBytes"] for item in usage["items"])
    assert usage["total"]["clips"] == sum(item["clips"] for item in usage["items"])


async def test_users_are_listed_page_by_page_and_found_by_name(root: Person, alice: Person, saved: Json) -> None:
    await alice.answer("GET", "me")
    first = (await root.answer("GET", "admin/users", params={"limit": 1})).json()
    assert first["nextCursor"]
    rest = (await root.answer("GET", "admin/users", params={"cursor": first["nextCursor"], "limit": 200})).json()
    names = [user["userId"] for user in first["items"] + rest["items"]]
    assert names == sorted(set(names))
    (found,) = (await root.answer("GET", "admin/users", params={"q": "ALIC"})).json()["items"]
    assert (found["userId"], found["name"], found["isDefault"]) == ("alice", "Alice", True)
    assert found["usedBytes"] >= saved["sizeBytes"]
    assert found["clips"] >= 1
    assert found["lastSeenAt"] is not None


async def test_a_quota_can_be_set_before_somebody_comes(root: Person) -> None:
    with pytest.raises(Refused) as refusal:
        await quota_of(root, "not-yet")
    assert refusal.value.status == 404
    assert (await set_quota(root, "not-yet", 7))["quotaBytes"] == 7
    assert (await quota_of(root, "not-yet"))["usedBytes"] == 0


@pytest.mark.parametrize("body", [{"quotaBytes": -1}, {"quotaBytes": "7"}, {"quotaBytes": 1.5}, {}, {"bytes": 1}, []])
async def test_quotas_that_make_no_sense_are_refused(root: Person, body: object) -> None:
    with pytest.raises(Refused) as refusal:
        await root.answer("PATCH", "admin/users/alice/quota", json=body)
    assert (refusal.value.status, refusal.value.code) == (400, "validation")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "admin/users"),
        ("GET", "admin/usage"),
        ("GET", "admin/usage?community=c1"),
        ("GET", "admin/users/bob/quota"),
        ("PATCH", "admin/users/bob/quota"),
    ],
)
async def test_only_who_manages_limits_sees_and_sets_them(bob: Person, method: str, path: str) -> None:
    body = {"quotaBytes": 1} if method == "PATCH" else None
    with pytest.raises(Refused) as refusal:
        await bob.answer(method, path, json=body)
    assert (refusal.value.status, refusal.value.code) == (403, "permission-denied")
    assert refusal.value.problem["detail"] == "Permission denied - MANAGE_REPLAY_LIMITS"
