"""Shares of real rooms kept by a real installation: asked for, begun by themselves, lost and found."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from livekit import api
from tests.support.installation import an_installation
from tests.support.livekit_publisher import livekit_participant, livekit_sharing
from tests.support.livekit_settings import livekit_settings
from tests.support.people import Refused, microseconds, seconds_of
from tests.support.waiting import eventually, now_us

from lookback.bootstrap.livekit import recorder_identity
from lookback.livekit.client import REFUSED, SILENT, a_livekit_client
from lookback.livekit.tokens import Credentials
from lookback.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.livekit_publisher import LivekitPublisher
    from tests.support.livekit_server import LivekitServer
    from tests.support.people import Json, Person

ANSWER_SECONDS = 5.0


async def starts(person: Person, room: str, **more: Any) -> Json:
    session: Json = (await person.answer("POST", "start", json={"roomName": room, **more})).json()
    return session


async def is_refused(person: Person, room: str, **more: Any) -> Refused:
    """What the person is told, within the time in which everybody is told something."""
    began = time.monotonic()
    with pytest.raises(Refused) as raised:
        await starts(person, room, **more)
    assert time.monotonic() - began < ANSWER_SECONDS
    return raised.value


async def hidden_in(livekit: LivekitServer, room: str) -> list[str]:
    """Identities of the recorders in a room."""
    async with livekit.client() as client:
        found = await client.room.list_participants(api.ListParticipantsRequest(room=room))
    return [participant.identity for participant in found.participants if participant.permission.hidden]


async def leaves_nobody(livekit: LivekitServer, room: str, *, within: float = 10.0) -> None:
    async def nobody() -> bool:
        return not await hidden_in(livekit, room)

    await eventually(nobody, within=within, what="the recorder's leaving")


async def hears(publisher: LivekitPublisher, kind: str) -> Json:
    """The data message of this kind."""
    return await eventually(
        lambda: next((e for e in publisher.events if e["event"] == "data" and f'"type": "{kind}"' in e["data"]), None)
    )


async def active_in(person: Person, room: str) -> Json | None:
    session = await person.session_in(room)
    return session if session is not None and session["status"] in {"starting", "recording"} else None


# ---- asked for


async def test_a_share_is_kept_and_saved_and_everybody_knows(livekit: LivekitServer, alice: Person) -> None:
    async with (
        livekit_participant(livekit, "kept", "bob") as bob,
        livekit_sharing(livekit, "kept", "alice") as publisher,
    ):
        session = await starts(alice, "kept")
        assert (session["source"], session["participantIdentity"]) == ("livekit", "alice")
        await alice.sees_status(session, "recording")
        told = await hears(bob, "started")
        assert told["topic"] == "lookback"
        assert session["sessionId"] in told["data"]
        assert await bob.sees() == {"others": ["alice"], "recording": True}
        await alice.sees_buffered(session, 3)
        clip = await alice.captures(session, durationSeconds=2)
        assert (clip["video"]["codec"], clip["gaps"]) == ("h264", [])
        await alice.stops(session)
        await hears(bob, "ended")
        await leaves_nobody(livekit, "kept")
        await eventually(lambda: not_recording(publisher))
        assert (await alice.sees(session))["status"] == "draining"


async def not_recording(publisher: LivekitPublisher) -> bool:
    return not (await publisher.sees())["recording"]


async def test_who_shares_nothing_is_told_so(livekit: LivekitServer, alice: Person, root: Person) -> None:
    async with livekit_participant(livekit, "silent", "alice"), livekit_sharing(livekit, "silent", "bob"):
        assert (await is_refused(alice, "silent")).code == "nobody-sharing"
        assert (await is_refused(alice, "silent", participantIdentity="bob")).code == "permission-denied"
        assert (await is_refused(alice, "elsewhere")).code == "not-found"
        assert (await is_refused(root, "silent")).code == "not-found"
        theirs = await starts(root, "silent", participantIdentity="bob")
        assert theirs["userId"] == "bob"
        await root.stops(theirs)
    assert await alice.session_in("silent") is None
    await leaves_nobody(livekit, "silent")


async def test_what_only_its_participants_can_see_is_not_kept(livekit: LivekitServer, alice: Person) -> None:
    async with livekit_participant(livekit, "secret", "alice", passphrase="between us") as publisher:
        await publisher.publish()
        refused = await is_refused(alice, "secret")
    assert (refused.status, refused.code) == (422, "encrypted")
    assert await hidden_in(livekit, "secret") == []


async def test_a_share_that_was_begun_just_now_is_found(livekit: LivekitServer, alice: Person) -> None:
    """A page that shares and starts at once is ahead of what LiveKit tells of its rooms."""
    async with livekit_participant(livekit, "eager", "alice") as publisher:
        for _ in range(3):
            await publisher.publish()
            await alice.stops(await starts(alice, "eager"))
            await publisher.unpublish()


async def test_a_page_gets_into_a_room_to_share(livekit: LivekitServer, alice: Person) -> None:
    invitation = (await alice.answer("POST", "livekit/join", json={"roomName": "page"})).json()
    assert invitation["url"] == livekit.url.replace("http", "ws")
    async with livekit_participant(livekit, "page", "alice", token=invitation["token"]) as page:
        await page.publish()
        session = await starts(alice, "page")
        await alice.sees_status(session, "recording")
        await alice.stops(session)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [({"LIVEKIT_API_SECRET": "wrong" * 10}, REFUSED), ({"LIVEKIT_URL": "ws://127.0.0.1:9"}, SILENT)],
)
async def test_a_server_that_refuses_or_is_not_there_is_said_at_once(
    livekit: LivekitServer, tmp_path: Path, wrong: dict[str, str], sentence: str
) -> None:
    async with (
        an_installation(tmp_path, **(livekit_settings(livekit) | wrong)) as lost,
        lost.person("alice") as alice,
    ):
        refused = await is_refused(alice, "kept")
        assert (refused.status, refused.code, refused.problem["detail"]) == (503, "livekit-unavailable", sentence)
        with pytest.raises(Refused, match="not-found"):
            await alice.answer("POST", "livekit/join", json={"roomName": "kept"})
        assert livekit.secret not in lost.log


# ---- lost and found


async def test_a_recorder_that_is_killed_records_again_in_the_same_session(
    livekit: LivekitServer, tmp_path: Path
) -> None:
    async with (
        an_installation(tmp_path, **livekit_settings(livekit)) as installation,
        installation.person("alice") as alice,
        livekit_sharing(livekit, "killed", "alice"),
    ):
        session = await starts(alice, "killed")
        await alice.sees_buffered(session, 3)
        await installation.kill_recorder()
        await alice.sees_status(session, "interrupted")
        await alice.sees_status(session, "recording")
        seen = await alice.sees_gap(session, "reconnect")
        assert len(seen["gaps"]) == 1
        assert 0 < seconds_of(seen["gaps"][0]) < 20
        assert len(await hidden_in(livekit, "killed")) == 1, "it has taken its own place again"
        await alice.stops(session)
        await leaves_nobody(livekit, "killed")


async def test_a_recorder_that_records_nothing_is_sent_away(livekit: LivekitServer, installation: Installation) -> None:
    identity = recorder_identity(load_settings(lookback_home=installation.home))
    credentials = Credentials(livekit.url, livekit.key, livekit.secret)
    async with a_livekit_client(credentials) as client, livekit_participant(livekit, "orphan", "bob"):
        token = client.recorder_token("orphan", identity)
        async with livekit_participant(livekit, "orphan", identity, token=token) as orphan:
            await orphan.hears("disconnected", within=20)
            await leaves_nobody(livekit, "orphan")


async def test_a_publisher_who_leaves_has_a_while_to_come_back(livekit: LivekitServer, alice: Person) -> None:
    async with livekit_sharing(livekit, "back", "alice") as publisher:
        session = await starts(alice, "back")
        await alice.sees_status(session, "recording")
        await publisher.leave()
        await alice.sees_status(session, "interrupted")
    async with livekit_sharing(livekit, "back", "alice") as publisher:
        await alice.sees_status(session, "recording")
        await publisher.leave()
        over = await alice.sees_status(session, "draining")
        assert over["endedAt"] is not None
        await leaves_nobody(livekit, "back")


async def test_a_publisher_who_vanishes_is_a_gap_from_the_last_that_came(livekit: LivekitServer, alice: Person) -> None:
    """LiveKit notices after 15 to 20 s, and reports to us until then as if somebody were there."""
    async with livekit_sharing(livekit, "vanished", "alice") as publisher:
        session = await starts(alice, "vanished")
        await alice.sees_buffered(session, 2)
        publisher.kill()
        gone_us = now_us()
        await alice.sees_status(session, "interrupted", within=40)
    async with livekit_sharing(livekit, "vanished", "alice"):
        await alice.sees_status(session, "recording")
        back_us = now_us()
        (gap,) = (await alice.sees_gap(session, "reconnect"))["gaps"]
        await alice.stops(session)
    assert abs(microseconds(gap["start"]) - gone_us) < 500_000
    assert 0 < back_us - microseconds(gap["end"]) < 2_000_000


# ---- begun by themselves


async def test_a_share_begins_and_ends_without_anybody_asking(
    livekit: LivekitServer, alice: Person, root: Person
) -> None:
    """No webhook comes: this server is told of none."""
    await root.answer("PATCH", "admin/community/club/config", json={"autoStart": "optIn"})
    await alice.answer("PUT", "me/consent", json={"buffering": "allow", "autoStart": True})
    async with livekit_sharing(livekit, "club:talk", "bob"), livekit_sharing(livekit, "club:talk", "alice") as page:
        session = await eventually(lambda: active_in(alice, "club:talk"), within=20, what="a session")
        await alice.sees_status(session, "recording")
        await alice.stops(session)
        await page.unpublish()
        await page.publish()
        again = await eventually(lambda: active_in(alice, "club:talk"), within=20, what="another session")
        assert again["sessionId"] != session["sessionId"]
        await alice.sees_status(again, "recording")
        await page.unpublish()
        await alice.sees_status(again, "draining")
        assert await root.session_in("club:talk") is None
    await leaves_nobody(livekit, "club:talk")
