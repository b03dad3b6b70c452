"""WHIP publishers recorded by a real worker: what is on disk is what they sent, and every end has its sentence."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.media import decoded
from tests.support.sessions import a_session
from tests.support.supervised import Supervised, now_us, supervised
from tests.support.waiting import eventually
from tests.support.whip_sender import playing

from lookback.buffer.reader import read_segments, summary
from lookback.buffer.session_file import read_session
from lookback.errors import MalformedError, NotFoundError, StorageUnavailableError, UnsupportedCodecError
from lookback.media.samples import Track
from lookback.recorder.control import AcceptWhip, IceRestarted, RestartIce, StopSession
from lookback.recorder.recording import REPLACED
from lookback.recorder.sources import MEDIA_CLOSED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SESSION = a_session("s1")


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Supervised]:
    async with supervised(tmp_path, segment_seconds=2.0) as running:
        yield running


async def reaches(directory: Path, instant_us: int) -> None:
    """Wait until the buffer reaches an instant."""
    await eventually(lambda: (summary(directory).until_us or 0) >= instant_us, what="the buffer's newest instant")


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_what_is_sent_is_recorded(api: Supervised, codec: str) -> None:
    clip = encoded_clip(ClipShape(codec=codec))  # type: ignore[arg-type]
    sender = await api.publisher(SESSION, clip)
    async with playing(sender):
        move = await api.sees(SESSION, "recording")
        assert (move.video_codec, move.audio_codec, move.width) == (codec, "opus", 320)
        directory = api.directory(SESSION)
        await reaches(directory, now_us() + 3_000_000)
        (stats,) = (await api.status()).sessions
    await sender.close()
    await api.sees(SESSION, "recording", "interrupted")
    assert api.moves[-1].cause == MEDIA_CLOSED
    assert stats.packets_lost == 0
    assert stats.video_frames > 80
    segments = read_segments(directory)
    numbers = [number for segment in segments for _, number in decoded(segment.media_path)]
    assert numbers == [n % len(clip.video) for n in range(numbers[0], numbers[0] + len(numbers))]
    assert len(segments) >= 2
    assert summary(directory).gaps == ()
    await api.supervisor.request(StopSession(session_id="s1", cause="Enough"))
    await api.sees(SESSION, "recording", "interrupted", "stopped")
    assert read_session(directory).cause == "Enough"


async def test_a_second_publisher_of_a_session_takes_over(api: Supervised) -> None:
    first = await api.publisher(SESSION)
    async with playing(first):
        await api.sees(SESSION, "recording")
        second = await api.publisher(SESSION, encoded_clip(ClipShape(codec="vp8")))
        assert (await api.sees(SESSION, "recording", "interrupted")).cause == REPLACED
        async with playing(second):
            move = await api.sees(SESSION, "recording", "interrupted", "recording")
            assert move.video_codec == "vp8"
            await reaches(api.directory(SESSION), now_us() + 1_000_000)
            # The first one still sends, to nobody.
            (stats,) = (await api.status()).sessions
            assert stats.video_codec == "vp8"
        await second.close()
    first.vanish()
    segments = read_segments(api.directory(SESSION))
    assert [s.container for s in segments] == sorted((s.container for s in segments), key=["mp4", "webm"].index)
    starts = [s.extent.start_us for s in segments]
    assert starts == sorted(starts)
    # On loopback the second one sends 5 ms after the first was let go: too short for a gap, but another run.
    assert len({s.extent.run_id for s in segments}) == 2


async def test_ice_is_restarted_without_losing_anything(api: Supervised) -> None:
    sender = await api.publisher(SESSION)

    async def exchange(fragment: str) -> str:
        reply = await api.supervisor.request(RestartIce(session_id="s1", fragment=fragment))
        assert isinstance(reply, IceRestarted)
        assert reply.etag
        return reply.fragment

    async with playing(sender):
        await api.sees(SESSION, "recording")
        await sender.restart_ice(exchange)
        await reaches(api.directory(SESSION), now_us() + 1_000_000)
    await sender.close()
    await api.sees(SESSION, "recording", "interrupted")
    assert summary(api.directory(SESSION)).gaps == ()


async def test_a_publisher_that_leaves_before_it_has_sent_anything_failed(api: Supervised) -> None:
    sender = await api.publisher(SESSION)
    await eventually(lambda: connected(api))
    await sender.close()
    assert (await api.sees(SESSION, "failed")).cause == MEDIA_CLOSED
    await eventually(lambda: not api.directory(SESSION).exists())
    assert (await api.status()).sessions == []


async def test_a_publisher_without_key_frames_is_asked_for_one(api: Supervised) -> None:
    sender = await api.publisher(SESSION, answers_pli=False)
    sender.frames = [frame for frame in sender.frames if not frame[0]]
    async with playing(sender):
        await eventually(lambda: sender.counts["plis"] >= 3)
        assert api.moves_of(SESSION) == []
    await sender.close()
    await api.sees(SESSION, "failed")


async def test_a_screen_without_sound_is_recorded(api: Supervised) -> None:
    sender = await api.publisher(SESSION, audio=False)
    async with playing(sender):
        move = await api.sees(SESSION, "recording")
        assert move.audio_codec is None
    await sender.close()
    tracks = {track for s in read_segments(api.directory(SESSION)) for track in s.index.samples["track"].tolist()}
    assert tracks == {Track.VIDEO}


async def test_a_bad_offer_makes_no_session(api: Supervised) -> None:
    av1 = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 45\r\na=rtpmap:45 AV1/90000\r\n"
    for offer, error in (("", MalformedError), (av1, (UnsupportedCodecError, MalformedError))):
        with pytest.raises(error):
            await api.supervisor.request(AcceptWhip(session=SESSION, offer=offer))
    assert (await api.status()).sessions == []
    assert not api.directory(SESSION).exists()


async def test_a_bad_offer_does_not_disturb_the_running_publisher(api: Supervised) -> None:
    sender = await api.publisher(SESSION)
    async with playing(sender):
        await api.sees(SESSION, "recording")
        with pytest.raises(MalformedError):
            await api.accept(SESSION, "nonsense")
        await reaches(api.directory(SESSION), now_us() + 500_000)
    await sender.close()
    await api.sees(SESSION, "recording", "interrupted")


async def test_nobody_can_be_restarted_who_does_not_publish(api: Supervised) -> None:
    with pytest.raises(NotFoundError):
        await api.supervisor.request(RestartIce(session_id="nobody", fragment=""))
    await api.supervisor.request(StopSession(session_id="nobody", cause=""))


async def test_a_buffer_that_cannot_be_written_refuses_and_lets_the_publisher_go(tmp_path: Path) -> None:
    async with supervised(tmp_path) as api:
        await eventually(lambda: api.supervisor.connected)
        api.config.buffer_path.rmdir()
        api.config.buffer_path.write_text("no directory")
        with pytest.raises(StorageUnavailableError):
            await api.publisher(SESSION)
        api.config.buffer_path.unlink()
        sender = await api.publisher(SESSION)
        async with playing(sender):
            await api.sees(SESSION, "recording")
        await sender.close()
        await api.sees(SESSION, "recording", "interrupted")


async def test_a_slow_disk_holds_up_no_packet(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "tests.support.slow_disk_recorder")
    others = [a_session(f"s{number}", room_name=f"room-{number}") for number in range(3)]
    async with supervised(tmp_path, command=command, sync_threads=1) as api:
        senders = [await api.publisher(session) for session in others]
        async with playing(*senders):
            for session in others:
                await api.sees(session, "recording")
            begun_us = now_us()
            for session in others:
                await reaches(api.directory(session), begun_us + 4_000_000)
            # As new as ever, although the syncs of these fragments have hardly begun.
            assert now_us() - begun_us < 5_500_000
            status = await api.status()
            assert [stats.packets_lost for stats in status.sessions] == [0, 0, 0]
            assert [stats.nacks_sent for stats in status.sessions] == [0, 0, 0]
        for sender in senders:
            await sender.close()
        for session in others:
            await api.sees(session, "recording", "interrupted")
            assert summary(api.directory(session)).gaps == ()


async def connected(api: Supervised) -> bool:
    return any(session.connected for session in (await api.status()).sessions)
