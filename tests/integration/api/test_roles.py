"""Roles and members at the HTTP edge, and what everybody learns of their own rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


async def asks(who: Person, method: str, path: str, body: Any = None) -> Json:
    """The answer's JSON."""
    answer: Json = (await who.answer(method, path, json=body)).json()
    return answer


async def status_of(who: Person, method: str, path: str, body: Any = None) -> int:
    """The status with which the server refuses."""
    with pytest.raises(Refused) as refused:
        await who.answer(method, path, json=body)
    return refused.value.status


async def rights(who: Person, community_id: str | None = None) -> dict[str, list[tuple[str, str | None]]]:
    """The permissions one has there, and where from."""
    me = await asks(who, "GET", "me")
    return {
        right["permission"]: [(source["kind"], source["name"]) for source in right["from"]]
        for right in me["permissions"]
        if right["communityId"] == community_id
    }


async def test_everybody_may_what_they_always_might(bob: Person) -> None:
    assert await rights(bob) == {
        "ENABLE_REPLAY_BUFFER": [("default", None)],
        "CAPTURE_REPLAY": [("default", None)],
        "CAPTURE_REPLAY:room": [("default", None)],
    }


async def test_me_says_where_every_right_comes_from(server: Installation, root: Person) -> None:
    await asks(root, "PUT", "admin/community/club/members/eve", {"roles": ["auditor"]})
    claims: dict[str, Any] = {"communities": {"club": ["moderator"]}, "permissions": ["VIEW_AUDIT"]}
    async with server.person("eve", **claims) as eve:
        assert [entry["communityId"] for entry in (await asks(eve, "GET", "me"))["communities"]] == ["club"]
        here = await rights(eve, "club")
        assert here["VIEW_AUDIT"] == [("token", None), ("role", "auditor")]
        assert here["MANAGE_REPLAY_LIMITS"] == [("token", "moderator")]
        assert here["CAPTURE_REPLAY"] == [("token", "moderator"), ("default", None)]
        assert (await rights(eve))["VIEW_AUDIT"] == [("token", None)]
    everything = await rights(root)
    assert everything["VIEW_AUDIT"] == everything["MANAGE_REPLAY_LIMITS"] == [("admin", None)]
    assert everything["CAPTURE_REPLAY"] == [("admin", None), ("default", None)]
    await root.answer("DELETE", "admin/community/club/members/eve")


async def test_a_role_that_is_given_and_taken_holds_at_once(server: Installation, root: Person) -> None:
    async with server.person("frank") as frank:
        assert await status_of(frank, "GET", "admin/community/club/config") == 403
        given = await asks(root, "PUT", "admin/community/club/members/frank", {"roles": ["moderator"]})
        assert given == {"userId": "frank", "name": "Frank", "roles": ["moderator"]}
        assert (await asks(frank, "GET", "admin/community/club/config"))["communityId"] == "club"
        assert await status_of(frank, "GET", "admin/community/another/config") == 403
        members = await asks(frank, "GET", "admin/community/club/members")
        assert members == {"items": [given], "nextCursor": None}
        assert await status_of(frank, "PUT", "admin/community/club/members/frank", {"roles": ["auditor"]}) == 403
        await root.answer("DELETE", "admin/community/club/members/frank")
        assert await status_of(frank, "GET", "admin/community/club/config") == 403
        assert await status_of(root, "DELETE", "admin/community/club/members/frank") == 404


async def test_roles_of_the_instance_hold_in_every_community(server: Installation, root: Person) -> None:
    async with server.person("grace/1") as grace:
        await asks(root, "PUT", "admin/members/grace/1", {"roles": ["moderator"]})
        for community in ("club", "another"):
            assert (await asks(grace, "GET", f"admin/community/{community}/config"))["communityId"] == community
        assert [m["userId"] for m in (await asks(grace, "GET", "admin/members"))["items"]] == ["grace/1"]
        await root.answer("DELETE", "admin/members/grace/1")
        assert await status_of(grace, "GET", "admin/members") == 403


async def test_roles_are_made_changed_and_removed(root: Person) -> None:
    made = await asks(
        root, "PUT", "admin/community/club/roles/Moderation des Abends", {"permissions": ["CAPTURE_REPLAY:room"]}
    )
    assert made == {
        "role": "Moderation des Abends",
        "permissions": ["CAPTURE_REPLAY", "CAPTURE_REPLAY:room"],
        "definedHere": True,
        "builtIn": False,
    }
    roles = {role["role"]: role for role in (await asks(root, "GET", "admin/community/club/roles"))["items"]}
    assert list(roles) == ["Moderation des Abends", "auditor", "everybody", "member", "moderator"]
    assert roles["moderator"]["builtIn"]
    assert not roles["moderator"]["definedHere"]
    everywhere = [role["role"] for role in (await asks(root, "GET", "admin/roles"))["items"]]
    assert "Moderation des Abends" not in everywhere
    await root.answer("DELETE", "admin/community/club/roles/Moderation des Abends")
    assert await status_of(root, "DELETE", "admin/community/club/roles/Moderation des Abends") == 404


async def test_what_everybody_may_is_a_setting_of_roles(root: Person, bob: Person) -> None:
    await asks(root, "PUT", "rooms/quiet", {"communityId": "quiet"})
    await asks(root, "PUT", "admin/community/quiet/roles/everybody", {"permissions": []})
    with pytest.raises(Refused) as refused:
        await bob.answer("POST", "start", json={"roomName": "quiet", "source": "synthetic"})
    told = refused.value.problem
    assert (told["status"], told["detail"]) == (403, "Permission denied - ENABLE_REPLAY_BUFFER")
    assert told["grantedBy"] == ["member", "moderator"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("admin/community/club/roles/x", {"permissions": ["FLY"]}),
        ("admin/community/club/roles/x", {}),
        (f"admin/community/club/roles/{'x' * 65}", {"permissions": []}),
        ("admin/community/club/members/bob", {"roles": ["everybody"]}),
        ("admin/community/club/members/bob", {"roles": ["nobody knows it"]}),
        ("admin/community/club/members/bob", {"roles": "member"}),
        ("admin/members/bob", {"role": ["member"]}),
    ],
)
async def test_what_makes_no_sense_is_refused(root: Person, path: str, body: Json) -> None:
    assert await status_of(root, "PUT", path, body) == 400
