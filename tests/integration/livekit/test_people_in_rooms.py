"""What LiveKit's own server says about the people that these tests send into its rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from livekit import api
from tests.support.livekit_publisher import livekit_participant, livekit_sharing
from tests.support.livekit_server import H264_ONLY, LivekitServer, a_livekit_server, one_livekit_server
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.livekit_publisher import LivekitPublisher
    from tests.support.people import Json

SCREEN = {"SCREEN_SHARE", "SCREEN_SHARE_AUDIO"}


@pytest.fixture(scope="module")
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivekitServer]:
    with one_livekit_server(tmp_path_factory.mktemp("livekit")) as server:
        yield server


async def tracks_of(server: LivekitServer, room: str, identity: str) -> dict[str, Any]:
    """The participant's tracks, by their sources."""
    async with server.client() as client:
        people = (await client.room.list_participants(api.ListParticipantsRequest(room=room))).participants
    return {
        api.TrackSource.Name(track.source): track for who in people if who.identity == identity for track in who.tracks
    }


async def shared(server: LivekitServer, room: str) -> dict[str, Any]:
    """Alice's two tracks, as soon as their media has come."""

    async def both() -> dict[str, Any] | None:
        tracks = await tracks_of(server, room, "alice")
        return tracks if set(tracks) == SCREEN else None

    return await eventually(both, what="both tracks of the screen")


@pytest.mark.parametrize(("codec", "mime_type"), [("h264", "video/H264"), ("vp8", "video/VP8")])
async def test_a_share_is_a_screen_with_its_sound(livekit: LivekitServer, codec: str, mime_type: str) -> None:
    async with livekit_sharing(livekit, codec, "alice", codec=codec, size=(320, 180)):
        video = (await shared(livekit, codec))["SCREEN_SHARE"]
    assert (video.mime_type, video.width, video.height) == (mime_type, 320, 180)
    assert video.encryption == api.Encryption.NONE


async def test_a_share_is_muted_and_taken_back_and_begun_again(livekit: LivekitServer) -> None:
    async def muted() -> bool:
        return bool((await tracks_of(livekit, "again", "alice"))["SCREEN_SHARE"].muted)

    async def gone() -> bool:
        return not await tracks_of(livekit, "again", "alice")

    async with livekit_sharing(livekit, "again", "alice") as alice:
        first = (await shared(livekit, "again"))["SCREEN_SHARE"].sid
        await alice.mute()
        await eventually(muted, what="a muted screen")
        await alice.unpublish()
        await eventually(gone, what="no screen")
        second = (await alice.publish())["video"]
        assert (await shared(livekit, "again"))["SCREEN_SHARE"].sid == second != first


async def test_what_is_encrypted_says_so(livekit: LivekitServer) -> None:
    async with livekit_participant(livekit, "secret", "alice", passphrase="a secret") as alice:
        await alice.publish()
        tracks = await shared(livekit, "secret")
    assert {track.encryption for track in tracks.values()} == {api.Encryption.GCM}


async def greeted(client: api.LiveKitAPI, person: LivekitPublisher) -> Json | None:
    """Say hello, which is lost until the person's data channel is open; return what was heard."""
    hello = api.SendDataRequest(room="meeting", topic="lookback", data=b"hello")
    await client.room.send_data(hello)
    return person.heard("data")


async def test_others_see_who_comes_and_who_vanishes(livekit: LivekitServer) -> None:
    async with livekit_participant(livekit, "meeting", "bob") as bob:
        # Of people who publish nothing, LiveKit tells the others only every 3 s.
        async with livekit_sharing(livekit, "meeting", "alice") as alice:
            assert (await bob.hears("joined"))["identity"] == "alice"
            async with livekit.client() as client:
                assert (await eventually(lambda: greeted(client, alice)))["data"] == "hello"
            await alice.leave()
        assert (await bob.hears("left"))["identity"] == "alice"


async def test_a_server_that_was_killed_is_found_again_at_the_same_place(tmp_path: Path) -> None:
    async with a_livekit_server(tmp_path, codecs=H264_ONLY) as server, livekit_sharing(server, "r", "alice") as alice:
        before = await shared(server, "r")
        await server.restart()
        await alice.hears("reconnected")
        assert (await shared(server, "r"))["SCREEN_SHARE"].sid != before["SCREEN_SHARE"].sid


async def test_a_missing_server_is_no_reason_to_skip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKBACK_LIVEKIT_SERVER", str(tmp_path / "nothing"))
    with pytest.raises(AssertionError, match="script/bootstrap test builds it"):
        async with a_livekit_server(tmp_path / "home"):
            pass
