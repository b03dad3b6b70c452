"""FFmpeg's WHIP muxer, by PyAV in a process of its own: a publisher that nobody here wrote."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pytest
from tests.support.certificates import a_p256_certificate
from tests.support.receiving import Received, receiving
from tests.support.relay import relay_to
from tests.support.waiting import eventually
from tests.support.whip_server import whip_server

from lookback.media.samples import Track

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lookback.media.samples import EncodedFrame

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def ffmpeg(url: str, certificate: tuple[Path, Path] | None, *options: str) -> AsyncIterator[None]:
    """Publish while the body runs."""
    files = map(str, certificate or ("", ""))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.av_publisher", url, *files, *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"TOKEN": "t", "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
    )
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.communicate(), 30)


def annexb(frame: EncodedFrame) -> bytes:
    out, at = b"", 0
    while at < len(frame.data):
        size = int.from_bytes(frame.data[at : at + 4], "big")
        out += b"\0\0\0\1" + frame.data[at + 4 : at + 4 + size]
        at += 4 + size
    return out


def decoded(frames: list[EncodedFrame]) -> int:
    """How many pictures FFmpeg gets out of them."""
    decoder = av.CodecContext.create("h264", "r")
    pictures = sum(len(decoder.decode(av.Packet(annexb(frame)))) for frame in frames)
    return pictures + len(decoder.decode(None))


async def frames_of(got: Received, count: int) -> None:
    await eventually(lambda: len(got.of(Track.VIDEO)) >= count, within=20, what=f"{count} frames")


@pytest.mark.parametrize("role", ["active", "passive"])
async def test_ffmpeg_publishes(role: str, tmp_path: Path) -> None:
    async with receiving() as here, whip_server(here) as url:
        options = ["--passive"] if role == "passive" else []
        async with ffmpeg(url, a_p256_certificate(tmp_path), *options):
            await eventually(lambda: here.publishers, within=20)
            got = here.last
            begun = asyncio.get_running_loop().time()
            await eventually(lambda: got.connections, within=10)
            took = asyncio.get_running_loop().time() - begun
            await frames_of(got, 40)
        frames = got.of(Track.VIDEO)
        assert took < 0.9, "a passive FFmpeg swallows our first hello; OpenSSL would repeat it after 1 s"
        assert frames[0].key
        assert decoded(frames) == len(frames)
        assert got.publisher.receiver.stats.video.lost == 0
        assert len(got.of(Track.AUDIO)) >= 60
        await eventually(lambda: got.cause == "deleted", what="FFmpeg's DELETE")


@pytest.mark.parametrize("role", ["active", "passive"])
async def test_ffmpegs_own_certificate_fails_with_the_sentence_that_helps(role: str) -> None:
    async with receiving() as here, whip_server(here) as url:
        async with ffmpeg(url, None, *(["--passive"] if role == "passive" else [])):
            await eventually(lambda: here.publishers, within=20)
            await eventually(lambda: here.last.cause, within=20)
        assert here.last.cause is not None
        assert "alert 47 (illegal_parameter)" in here.last.cause
        assert "cert_file and key_file with a P-256 certificate" in here.last.cause


async def test_ffmpeg_behind_a_nat_that_rebinds_loses_nothing(tmp_path: Path) -> None:
    async with receiving() as here, relay_to(here.endpoint.port) as nat:

        def behind_nat(answer: str) -> str:
            return answer.replace(f" {here.endpoint.port} typ", f" {nat.port} typ")

        async with whip_server(here, behind_nat) as url, ffmpeg(url, a_p256_certificate(tmp_path)):
            await eventually(lambda: here.publishers, within=20)
            got = here.last
            await frames_of(got, 20)
            await nat.rebind()
            await eventually(lambda: here.endpoint.counts["roamed"] == 1)
            await frames_of(got, 60)
            assert got.publisher.receiver.stats.video.lost == 0
            assert got.publisher.receiver.stats.audio.lost == 0
