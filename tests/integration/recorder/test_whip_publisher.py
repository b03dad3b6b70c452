"""WHIP publishers on a real UDP port, from offer to end."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.impairment import Impairment
from tests.support.receiving import Received, Receiving, now_us, receiving
from tests.support.sender_sdp import offer
from tests.support.waiting import eventually
from tests.support.whip_sender import WhipSender, play, playing

from lookback.errors import MalformedError, NotFoundError, UnsupportedCodecError
from lookback.media.samples import Codec, Track
from lookback.recorder.whip import ENDED_BY_PUBLISHER, SILENT, WhipPublisher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

VP8 = ClipShape(codec="vp8")


@asynccontextmanager
async def published(
    here: Receiving, shape: ClipShape | None = None, **settings: Any
) -> AsyncIterator[tuple[WhipSender, Received]]:
    """A connected publisher that is closed in the end."""
    sender = WhipSender(encoded_clip(shape), **settings)
    await sender.connect(here.exchange)
    got = here.last
    try:
        yield sender, got
    finally:
        await sender.close()
        await eventually(lambda: got.cause is not None, what="the publisher's end")


def length_prefixed(data: bytes) -> bytes:
    units = re.split(rb"\x00\x00\x00?\x01", data)[1:]
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


@pytest.mark.parametrize("setup", ["actpass", "active", "passive"])
async def test_every_frame_arrives_as_it_was_encoded(setup: str) -> None:
    async with receiving() as here, published(here, setup=setup) as (sender, got):
        await play([sender], seconds=0.6)
        await eventually(lambda: len(got.of(Track.VIDEO)) >= 15 and len(got.of(Track.AUDIO)) >= 25)
        sent = [(key, length_prefixed(data)) for key, data in sender.clip.video]
        frames = got.of(Track.VIDEO)
        assert [(frame.key, frame.data) for frame in frames] == sent[: len(frames)]
        assert [frame.data for frame in got.of(Track.AUDIO)] == list(sender.clip.audio)[: len(got.of(Track.AUDIO))]
    assert (got.connections, got.cause) == (1, ENDED_BY_PUBLISHER)


async def test_vp8_arrives_too() -> None:
    async with receiving() as here, published(here, VP8) as (sender, got):
        assert (got.publisher.video_codec, got.publisher.audio_codec) == (Codec.VP8, Codec.OPUS)
        await play([sender], seconds=0.4)
        await eventually(lambda: len(got.of(Track.VIDEO)) >= 10)
        frames = got.of(Track.VIDEO)
        assert [frame.data for frame in frames] == [data for _, data in sender.clip.video][: len(frames)]


@pytest.mark.parametrize("settings", [{"audio": False}, {"names_ssrcs": False}, {"rtx": False}])
async def test_publishers_may_offer_less(settings: dict[str, Any]) -> None:
    async with receiving() as here, published(here, **settings) as (sender, got):
        await play([sender], seconds=0.3)
        await eventually(lambda: len(got.of(Track.VIDEO)) >= 7)
        assert bool(got.of(Track.AUDIO)) == settings.get("audio", True)


async def test_sender_reports_come_with_the_frames_clock() -> None:
    async with receiving() as here, published(here) as (sender, got):
        async with playing(sender):
            await eventually(lambda: {report[0] for report in got.reports} == {Track.VIDEO, Track.AUDIO})
        _, rtp_time, ntp_us, arrival_us = got.reports[0]
        assert rtp_time >= 0
        assert abs(ntp_us - arrival_us) < 2_000_000


@pytest.mark.parametrize("rtx", [True, False])
async def test_lost_packets_are_repaired(rtx: bool) -> None:
    """5 % lost each way, 20 ms each way."""
    link = Impairment(loss=0.05, delay_s=0.02)
    async with receiving() as here, published(here, rtx=rtx, impairment=link, answers_pli=False) as (sender, got):
        await play([sender], seconds=2)
        sender.video.muted = True
        await eventually(lambda: not got.publisher.receiver.repairing(Track.VIDEO))
        stats = got.publisher.receiver.stats.video
        assert sender.counts["resent"] > 0
        assert stats.lost <= 2
        assert len(got.of(Track.VIDEO)) >= 55
        assert not any(frame.reference_lost for frame in got.of(Track.VIDEO)[:30] if stats.lost == 0)


async def test_key_frames_are_asked_for_after_two_seconds() -> None:
    shape = ClipShape(gop=120)
    async with receiving() as here, published(here, shape) as (sender, got), playing(sender):
        await eventually(lambda: sum(frame.key for frame in got.of(Track.VIDEO)) >= 2, within=6)
        assert sender.counts["plis"] >= 1


async def test_media_that_overtakes_the_handshake_is_kept() -> None:
    """The server learns that DTLS is up with its last flight; the client may send before."""
    async with receiving() as here, published(here, setup="active") as (sender, got):
        for _ in range(3):
            sender.send_due(asyncio.get_running_loop().time())
        await eventually(lambda: got.of(Track.VIDEO))
        assert got.of(Track.VIDEO)[0].key


async def test_an_ice_restart_keeps_the_media_going() -> None:
    async with receiving() as here, published(here) as (sender, got), playing(sender):
        await eventually(lambda: len(got.frames) > 10)
        publisher, etag = got.publisher, got.publisher.etag

        async def patch(fragment: str) -> str:
            return publisher.restart_ice(fragment) or ""

        for _ in range(2):
            await sender.restart_ice(patch)
            await sender.rebind()
            sender.send(sender.check())
            got.frames.clear()
            await eventually(lambda: len(got.frames) > 20)
        assert publisher.etag != etag
        assert got.connections == 1
        assert publisher.receiver.stats.video.lost == 0
        assert len(here.endpoint._sessions) == 1


async def test_a_trickled_candidate_needs_no_answer() -> None:
    async with receiving() as here, published(here) as (sender, got):
        etag = got.publisher.etag
        body = f"a=ice-ufrag:{sender.ufrag}\r\na=ice-pwd:{sender.pwd}\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
        assert got.publisher.restart_ice(body) is None
        assert got.publisher.restart_ice("a=end-of-candidates\r\n") is None
        assert got.publisher.etag == etag
        with pytest.raises(MalformedError):
            got.publisher.restart_ice("nonsense")


async def test_a_publisher_that_falls_silent_is_ended() -> None:
    async with receiving(tick_seconds=0.05) as here:
        sender = WhipSender(encoded_clip())
        await sender.connect(here.exchange)
        await play([sender], seconds=0.2)
        sender.vanish()
        await eventually(lambda: here.last.cause == SILENT, within=5)


async def test_a_publisher_that_never_reaches_us_is_told_what_to_check() -> None:
    async with receiving() as here:
        got = here.accept(_offer(), connect_seconds=0.1)
        await eventually(lambda: got.cause)
        assert got.cause is not None
        assert "UDP port" in got.cause


async def test_a_handshake_that_does_not_finish_fails() -> None:
    async with receiving() as here:
        sender = WhipSender(encoded_clip())
        got = here.accept(_offer(sender), connect_seconds=0.5)
        await sender.open(got.publisher.answer)
        await eventually(lambda: got.cause)
        assert got.cause == "failed: the DTLS handshake did not finish in time"
        sender.vanish()


async def test_stopping_says_goodbye_and_gives_the_cause() -> None:
    async with receiving() as here:
        sender = WhipSender(encoded_clip())
        await sender.connect(here.exchange)
        here.last.publisher.close("stopped by its owner")
        here.last.publisher.close("again")
        await eventually(lambda: here.last.cause)
        assert here.last.cause == "stopped by its owner"
        async with asyncio.timeout(5):
            await sender.peer_ended.wait()
        await sender.close()


async def test_cancelling_a_publisher_frees_its_place() -> None:
    async with receiving() as here:
        sender = WhipSender(encoded_clip())
        await sender.connect(here.exchange)
        assert here.last.task is not None
        here.last.task.cancel()
        await eventually(lambda: not here.endpoint._sessions)
        async with asyncio.timeout(5):
            await sender.peer_ended.wait()
        await sender.close()


async def test_a_publisher_that_is_never_run_does_not_stay_for_ever() -> None:
    async with receiving(tick_seconds=0.02) as here:
        WhipPublisher(here.endpoint, _offer(), clock=now_us, on_frame=print)
        assert here.endpoint._sessions
        await eventually(lambda: not here.endpoint._sessions)


async def test_an_offer_that_is_refused_takes_no_place() -> None:
    async with receiving() as here:
        with pytest.raises(MalformedError):
            here.accept("hello")
        with pytest.raises(UnsupportedCodecError):
            here.accept(_offer().replace("H264", "H265"))
        assert here.endpoint._sessions == {}


async def test_a_broken_recording_ends_its_publisher_and_nobody_elses() -> None:
    async with receiving() as here, published(here) as (well, got):

        def broken(_frame: object) -> None:
            raise RuntimeError("disk on fire")

        async def accept(offered: str) -> str:
            return here.accept(offered, on_frame=broken).publisher.answer

        ill = WhipSender(encoded_clip())
        await ill.connect(accept)
        async with playing(well, ill):
            await eventually(lambda: here.last.cause)
            got.frames.clear()
            await eventually(lambda: len(got.frames) > 10)
        assert here.last.cause == "failed: the recorder could not handle the media"
        assert got.cause is None
        await ill.close()


async def test_an_ended_publisher_cannot_restart() -> None:
    async with receiving() as here:
        got = here.accept(_offer())
        got.publisher.close()
        with pytest.raises(NotFoundError):
            got.publisher.restart_ice("a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n")


async def test_publishers_outlive_a_closed_endpoint_without_a_word() -> None:
    async with receiving() as here:
        sender = WhipSender(encoded_clip())
        await sender.connect(here.exchange)
        await here.endpoint.close()
        here.last.publisher.receiver.request_key_frame(now_us())
        here.last.publisher.close()
        await eventually(lambda: here.last.cause == "stopped")
        await sender.close()


async def test_many_publishers_share_the_port() -> None:
    async with receiving() as here:
        senders = [WhipSender(encoded_clip(VP8 if n % 2 else None)) for n in range(12)]
        for sender in senders:
            await sender.connect(here.exchange)
        assert len({sender.remote for sender in senders}) == 1
        await play(senders, seconds=1)
        await eventually(lambda: all(len(got.of(Track.VIDEO)) >= 28 for got in here.publishers))
        assert sum(got.publisher.receiver.stats.video.lost for got in here.publishers) == 0
        for sender in senders:
            await sender.close()
        await eventually(lambda: all(got.cause == ENDED_BY_PUBLISHER for got in here.publishers))
        assert here.endpoint._sessions == {}
        assert here.endpoint._sources == {}
        assert all(socket.routes == {} for socket in here.endpoint._sockets)


def _offer(sender: WhipSender | None = None) -> str:
    return offer(sender or WhipSender(encoded_clip()))
