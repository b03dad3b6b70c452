"""Our client of LiveKit's Egress against the answers that were recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from livekit import api
from tests.support.egress_answers import answering, told

from lookback.errors import LivekitUnavailableError, LookbackError, NoCapacityError, NotFoundError
from lookback.livekit.egress import NO_REDIS, NO_ROOM, NOBODY, NOT_STOPPED, EgressClient
from lookback.sessions.egresses import EgressFacts, EgressWish

if TYPE_CHECKING:
    from tests.support.livekit_server import LivekitServer

WISH = EgressWish("demo", "TR_1", "TR_2", "/out/s1/7", 1280, 720, 2004, 128, 4)


async def test_what_is_wished_for_is_what_is_asked_for() -> None:
    async with answering() as (said, client):
        said.say("StartTrackCompositeEgress", "fxs_1_start_STARTING")
        begun = await client.start(WISH)
    ((method, body),) = said.asked
    asked = api.TrackCompositeEgressRequest.FromString(body)
    assert method == "StartTrackCompositeEgress"
    assert (asked.room_name, asked.video_track_id, asked.audio_track_id) == ("demo", "TR_1", "TR_2")
    assert (asked.advanced.width, asked.advanced.height, asked.advanced.framerate) == (1280, 720, 30)
    assert (asked.advanced.video_bitrate, asked.advanced.audio_bitrate) == (2004, 128), "kilobits per second"
    (output,) = asked.segment_outputs
    assert (output.filename_prefix, output.playlist_name, output.segment_duration) == ("/out/s1/7/seg", "index.m3u8", 4)
    assert begun == EgressFacts(
        "EG_8kVVirZMLsrn", "fixture-room", "starting", video_sid="TR_VSmkTfj99XTM7n", folder="/out/fxs"
    )


@pytest.mark.parametrize(
    ("recorded", "kind", "sentence"),
    [
        ("fail_egress_service_absent", NoCapacityError, NOBODY),
        ("fail_cpu_insufficient_third_start", NoCapacityError, NOBODY),  # LiveKit says the same of both
        ("fail_room_not_existing", NotFoundError, NO_ROOM),
    ],
)
async def test_what_stands_against_a_start_is_said(recorded: str, kind: type[LookbackError], sentence: str) -> None:
    async with answering() as (said, client):
        said.say("StartTrackCompositeEgress", recorded)
        with pytest.raises(kind) as refusal:
            await client.start(WISH)
    assert refusal.value.detail == sentence


async def test_a_track_that_is_not_there_is_found_only_later() -> None:
    async with answering() as (said, client):
        said.say("StartTrackCompositeEgress", "fail_unknown_track_start")
        assert (await client.start(WISH)).status == "starting"


@pytest.mark.parametrize("recorded", ["fail_stop_already_ended", "fail_stop_failed_one", "fail_stop_unknown"])
async def test_what_is_over_already_needs_no_stop(recorded: str) -> None:
    async with answering() as (said, client):
        said.say("StopEgress", recorded)
        await client.stop("EG_1")
    assert api.StopEgressRequest.FromString(said.asked[0][1]).egress_id == "EG_1"


@pytest.mark.parametrize("recorded", ["f2s_stop_after_service_kill", "f2s_stop_after_both_killed"])
async def test_a_service_that_was_killed_cannot_be_told_to_stop(recorded: str) -> None:
    async with answering() as (said, client):
        said.say("StopEgress", recorded)
        with pytest.raises(LivekitUnavailableError) as refusal:
            await client.stop("EG_1")
    assert refusal.value.detail == NOT_STOPPED


async def test_a_list_says_what_became_of_each() -> None:
    async with answering() as (said, client):
        said.say("ListEgress", "fail_unknown_track_list_later")
        active, failed = await client.known("f1")
    assert (active.status, active.folder) == ("active", "/out/f1")
    assert (failed.status, failed.error_code, failed.audio) == ("failed", 404, False)
    assert api.ListEgressRequest.FromString(said.asked[0][1]).room_name == "f1"


async def test_nothing_runs_when_nothing_was_started() -> None:
    async with answering() as (said, client):
        said.say("ListEgress", "list_after_service_absent")
        assert await client.running() == []
    assert api.ListEgressRequest.FromString(said.asked[0][1]).active


async def test_a_real_server_without_redis_says_that_it_has_no_egress(livekit: LivekitServer) -> None:
    async with api.LiveKitAPI(livekit.url, livekit.key, livekit.secret, failover=False) as connections:
        for asking in (EgressClient(connections).running(), EgressClient(connections).known("demo")):
            with pytest.raises(LivekitUnavailableError) as refusal:
                await asking
            assert refusal.value.detail == NO_REDIS


async def test_a_real_server_knows_that_there_is_no_such_room(livekit: LivekitServer) -> None:
    async with api.LiveKitAPI(livekit.url, livekit.key, livekit.secret, failover=False) as connections:
        with pytest.raises(NotFoundError):
            await EgressClient(connections).start(WISH)


async def test_a_server_that_is_not_there_is_said_without_its_address() -> None:
    async with api.LiveKitAPI("http://127.0.0.1:9", "key", "secret" * 8, failover=False) as connections:
        with pytest.raises(LivekitUnavailableError) as refusal:
            await EgressClient(connections).running()
    assert "127.0.0.1" not in refusal.value.detail


def test_a_webhook_about_a_beginning_has_no_status() -> None:
    assert told("0094").status == "starting"
    assert told("0097").status == "active"
    assert told("0098").status == "ending"
    assert told("0100").status == "complete"
