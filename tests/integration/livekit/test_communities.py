"""Whose room it is and who is in it, as a real LiveKit server says, decides who may start, know and save."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from livekit import api
from tests.support.installation import an_installation
from tests.support.livekit_publisher import livekit_participant, livekit_sharing
from tests.support.livekit_settings import livekit_settings
from tests.support.people import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.livekit_server import LivekitServer
    from tests.support.people import Json, Person

ROOM = "town-hall"


@pytest.fixture
async def server(livekit: LivekitServer, tmp_path: Path) -> AsyncIterator[Installation]:
    async with livekit.client() as client:
        # It must not be closed, and lose its metadata, while a slow machine starts the installation.
        await client.room.create_room(
            api.CreateRoomRequest(
                name=ROOM, metadata='{"communityId": "town"}', empty_timeout=3600, departure_timeout=3600
            )
        )
    async with an_installation(tmp_path / "home", **livekit_settings(livekit)) as installation:
        yield installation


async def asks(who: Person, method: str, path: str, body: Any = None) -> Json:
    """The answer's JSON."""
    answer: Json = (await who.answer(method, path, json=body)).json()
    return answer


async def refusal(who: Person, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """Status and sentence with which the server refuses."""
    with pytest.raises(Refused) as refused:
        await who.answer(method, path, json=body)
    return refused.value.status, refused.value.problem["detail"]


async def test_one_starts_for_oneself_in_a_room_one_is_in_and_managers_for_others(
    livekit: LivekitServer, server: Installation
) -> None:
    async with (
        server.person("alice") as alice,
        server.person("bob") as bob,
        server.person("mod", communities={"town": ["moderator"]}) as mod,
        livekit_sharing(livekit, ROOM, "alice"),
    ):
        start = {"roomName": ROOM}
        assert await refusal(bob, "POST", "start", start) == (404, "Whoever shares must be in the room, and is not")
        for_alice = {**start, "participantIdentity": "alice"}
        denied = "Permission denied - MANAGE_REPLAY_LIMITS"
        assert await refusal(bob, "POST", "start", for_alice) == (403, denied)
        assert (await refusal(alice, "POST", "start", {**start, "communityId": "village"}))[0] == 400
        session = await asks(mod, "POST", "start", for_alice)
        assert (session["userId"], session["communityId"], session["source"]) == ("alice", "town", "livekit")
        assert (await alice.sees_buffered(session, 2.5))["sessionId"] == session["sessionId"]
        await alice.stops(session)


async def test_whoever_is_in_the_room_knows_of_the_buffer_and_saves_where_the_community_lets_them(
    livekit: LivekitServer, server: Installation
) -> None:
    async with (
        server.person("alice") as alice,
        server.person("bob") as bob,
        server.person("carol", communities={"town": ["member"]}) as carol,
        server.person("mod", communities={"town": ["moderator"]}) as mod,
        livekit_sharing(livekit, ROOM, "alice"),
        livekit_participant(livekit, ROOM, "bob"),
    ):
        session = await asks(alice, "POST", "start", {"roomName": ROOM})
        await alice.sees_buffered(session, 2.5)
        save = {"roomName": ROOM, "durationSeconds": 1}
        told = await asks(bob, "GET", f"status/{ROOM}")
        assert (told["active"], told["sessions"]) == (True, [])
        assert [buffer["userId"] for buffer in told["buffers"]] == ["alice"]
        assert await asks(carol, "GET", f"status/{ROOM}") == {
            "roomName": ROOM,
            "active": False,
            "sessions": [],
            "buffers": [],
        }
        assert (await refusal(bob, "POST", "capture", save))[0] == 404
        await asks(mod, "PATCH", "admin/community/town/config", {"viewersMayCapture": True})
        clip = await asks(bob, "POST", "capture", save)
        assert (clip["userId"], clip["sessionId"]) == ("bob", session["sessionId"])
        assert (await refusal(carol, "POST", "capture", save))[0] == 404, "a member who is not in the room"
        await asks(mod, "PUT", "admin/community/town/roles/everybody", {"permissions": ["CAPTURE_REPLAY"]})
        assert (await refusal(bob, "POST", "capture", save))[0] == 404, "without the permission for the room"
        await alice.stops(session)
