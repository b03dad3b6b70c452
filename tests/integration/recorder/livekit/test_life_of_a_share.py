"""Shares of a real LiveKit room, recorded: what people do with them, and what is in the buffer then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.support.livekit_publisher import livekit_participant, livekit_sharing
from tests.support.livekit_recorder import assert_consecutive, share_of
from tests.support.supervised import now_us
from tests.support.waiting import eventually

from lookback.buffer.reader import read_segments, summary
from lookback.recorder.livekit.place import LEFT
from lookback.recorder.sources import MEDIA_CLOSED

if TYPE_CHECKING:
    from tests.support.livekit_publisher import LivekitPublisher
    from tests.support.livekit_recorder import RoomRecorder
    from tests.support.livekit_server import LivekitServer

    from lookback.recorder.control import SessionSpec


SMALL: dict[str, Any] = {"size": (320, 180)}  # the SDK sends no more than 400 kbit/s: large pictures are late


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_what_is_shared_is_recorded(livekit: LivekitServer, recorder: RoomRecorder, codec: str) -> None:
    alice = share_of("alice", f"share-{codec}")
    async with livekit_sharing(livekit, alice.room_name, "alice", codec=codec, **SMALL) as publisher:
        await recorder.record(alice)
        move = await recorder.worker.sees(alice, "recording")
        assert (move.video_codec, move.audio_codec, move.width, move.height) == (codec, "opus", 320, 180)
        assert await publisher.sees() == {"others": [], "recording": True}
        await recorder.reaches(alice, now_us() + 5_000_000)
        (stats,) = (await recorder.worker.status()).sessions
        assert (stats.connected, stats.packets_lost) == (True, 0)
        await recorder.stop(alice)
        assert_consecutive(recorder.pictures(alice), publisher.began_us)
    assert summary(recorder.worker.directory(alice)).gaps == ()
    assert len(read_segments(recorder.worker.directory(alice))) >= 2


async def test_whoever_stops_leaves_the_room(livekit: LivekitServer, recorder: RoomRecorder) -> None:
    alice = share_of("alice", "stop")
    async with livekit_sharing(livekit, "stop", "alice", **SMALL) as publisher:
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        assert await recorder.is_recorded("stop")
        await recorder.stop(alice)
        await recorder.worker.sees(alice, "recording", "stopped")

        async def left() -> bool:
            return not await recorder.recorders("stop") and not await recorder.is_recorded("stop")

        await eventually(left, within=3.0, what="the recorder's departure")
        await eventually(lambda: not_recording(publisher), within=3.0)


async def test_a_muted_share_goes_on_when_it_is_shown_again(livekit: LivekitServer, recorder: RoomRecorder) -> None:
    alice = share_of("alice", "mute")
    async with livekit_sharing(livekit, "mute", "alice", **SMALL) as publisher:
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        await recorder.reaches(alice, now_us() + 500_000)
        await publisher.mute()
        muted_us = now_us()
        await recorder.reaches(alice, muted_us + 2_000_000)  # the sound goes on
        await publisher.unmute()
        await eventually(lambda: newest(recorder, alice) > picture_at(publisher, muted_us + 2_000_000))
        assert recorder.worker.moves_of(alice) == ["recording"]
        await recorder.stop(alice)
    shown = recorder.pictures(alice)
    numbers = [number for _, number in shown]
    assert numbers == sorted(set(numbers))  # no black picture among them: it would have the number 0
    assert recorder.runs(alice) == 1
    assert all(abs(at_us - publisher.began_us - number * 1_000_000 // 30) < 1_000_000 for at_us, number in shown)


async def test_a_screen_that_stands_still_in_silence_is_no_gap(livekit: LivekitServer, recorder: RoomRecorder) -> None:
    alice = share_of("alice", "still")
    async with livekit_sharing(livekit, "still", "alice", audio=False, **SMALL) as publisher:
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        await publisher.freeze()
        await recorder.reaches(alice, now_us() + 7_000_000)
        await publisher.thaw()
        thawed = picture_at(publisher, now_us())
        await eventually(lambda: newest(recorder, alice) > thawed)
        assert recorder.worker.moves_of(alice) == ["recording"]
        await recorder.stop(alice)
    assert summary(recorder.worker.directory(alice)).gaps == ()
    assert recorder.runs(alice) == 1


async def test_a_share_taken_back_and_begun_again_is_another_run(
    livekit: LivekitServer, recorder: RoomRecorder
) -> None:
    alice = share_of("alice", "again")
    async with livekit_sharing(livekit, "again", "alice", **SMALL) as publisher:
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        await publisher.unpublish()
        assert (await recorder.worker.sees(alice, "recording", "interrupted")).cause == MEDIA_CLOSED
        await publisher.publish(codec="vp8", **SMALL)
        begun_us = now_us()
        move = await recorder.worker.sees(alice, "recording", "interrupted", "recording")
        assert move.video_codec == "vp8"
        assert move.at_us - begun_us < 2_500_000
        await recorder.reaches(alice)
        await recorder.stop(alice)
    assert recorder.runs(alice) == 2
    (gap,) = summary(recorder.worker.directory(alice)).gaps
    assert gap.cause == "reconnect"


async def test_whoever_leaves_and_comes_back_goes_on_in_the_same_session(
    livekit: LivekitServer, recorder: RoomRecorder
) -> None:
    alice = share_of("alice", "back")
    async with (
        livekit_participant(livekit, "back", "bob"),
        livekit_sharing(livekit, "back", "alice", **SMALL) as publisher,
    ):
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        await publisher.leave()
        assert (await recorder.worker.sees(alice, "recording", "interrupted")).cause == LEFT
        async with livekit_sharing(livekit, "back", "alice", **SMALL):
            await recorder.worker.sees(alice, "recording", "interrupted", "recording")
            assert len(await recorder.recorders("back")) == 1
        await recorder.stop(alice)
    assert recorder.runs(alice) == 2


async def test_whoever_vanishes_and_comes_back_without_sharing_is_not_recorded_any_more(
    livekit: LivekitServer, recorder: RoomRecorder
) -> None:
    alice = share_of("alice", "again")
    async with livekit_sharing(livekit, "again", "alice", **SMALL) as publisher:
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        publisher.kill()
    # LiveKit says nothing more of the one who vanished: whoever comes again has taken their place.
    async with livekit_participant(livekit, "again", "alice") as back:
        await recorder.worker.sees(alice, "recording", "interrupted")
        await back.publish(**SMALL)
        await recorder.worker.sees(alice, "recording", "interrupted", "recording")
        await recorder.stop(alice)


async def test_a_window_of_another_size_stays_in_the_run(livekit: LivekitServer, recorder: RoomRecorder) -> None:
    alice = share_of("alice", "resize")
    async with livekit_sharing(livekit, "resize", "alice", **SMALL) as publisher:
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        await publisher.resize(240, 136)
        resized = picture_at(publisher, now_us())
        await eventually(lambda: newest(recorder, alice) > resized + 90)
        await recorder.stop(alice)
    assert_consecutive(recorder.pictures(alice), publisher.began_us)
    assert recorder.runs(alice) == 1
    assert read_segments(recorder.worker.directory(alice))[-1].index.header.width == 240


async def test_a_share_without_sound_is_recorded_with_the_microphone(
    livekit: LivekitServer, recorder: RoomRecorder
) -> None:
    alice = share_of("alice", "microphone")
    async with livekit_sharing(livekit, "microphone", "alice", audio=False, **SMALL) as publisher:
        await publisher.publish("camera", size=(160, 90))
        await recorder.record(alice, include_microphone=True)
        move = await recorder.worker.sees(alice, "recording")
        assert (move.width, move.height) == (320, 180)
        await eventually(lambda: heard(recorder))
        await recorder.stop(alice)


def picture_at(publisher: LivekitPublisher, instant_us: int) -> int:
    """Number of the picture that is shown at an instant."""
    return (instant_us - publisher.began_us) * 30 // 1_000_000


def newest(recorder: RoomRecorder, session: SessionSpec) -> int:
    """Number of the newest picture in the buffer, 0 without any."""
    return max((number for _, number in recorder.pictures(session)), default=0)


async def heard(recorder: RoomRecorder) -> bool:
    """Whether sound has come in."""
    (stats,) = (await recorder.worker.status()).sessions
    return stats.audio_frames > 10


async def not_recording(publisher: LivekitPublisher) -> bool:
    """Whether the people in the room are told that nobody records any more."""
    return not (await publisher.sees())["recording"]
