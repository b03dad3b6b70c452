"""People who share their screen over WHIP: by packets of our own making, or by FFmpeg."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.support.certificates import a_p256_certificate
from tests.support.encoded_clip import ClipShape, EncodedClip, encoded_clip
from tests.support.waiting import eventually
from tests.support.whip_sender import WhipSender, playing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.impairment import Impairment
    from tests.support.people import Json, Person

ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Share:
    """A running share: who sends, and the session that keeps it."""

    sender: WhipSender
    session: Json


@asynccontextmanager
async def sharing(
    person: Person, room: str = "demo", shape: ClipShape | None = None, *, impairment: Impairment | None = None
) -> AsyncIterator[Share]:
    """Publish an encoded clip in a loop while the body runs, which begins when recording has begun."""
    async with sending(person, room, encoded_clip(shape), impairment=impairment) as share:
        share.session = await person.sees_status(share.session, "recording")
        yield share


@asynccontextmanager
async def sending(
    person: Person, room: str, clip: EncodedClip, *, impairment: Impairment | None = None, answers_pli: bool = True
) -> AsyncIterator[Share]:
    """Publish any clip in a loop, from this process, while the body runs; then say goodbye."""
    sender = WhipSender(clip, impairment=impairment, answers_pli=answers_pli)
    session: Json = {"roomName": room}

    async def exchange(offer: str) -> str:
        where = f"/whip/{quote(room, safe='')}"
        answer = await person.answer("POST", where, content=offer, headers={"Content-Type": "application/sdp"})
        session["sessionId"] = answer.headers["X-Lookback-Session"]
        return answer.text

    await sender.connect(exchange)
    try:
        async with playing(sender):
            yield Share(sender, session)
    finally:
        await sender.close()


class FfmpegPublisher:
    """FFmpeg's WHIP muxer in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def connected(self) -> None:
        """Wait until media flows; fails when the publisher gives up."""
        assert self._process.stdout is not None
        async with asyncio.timeout(20):
            line = await self._process.stdout.readline()
        assert line == b"connected\n", f"the publisher ended with status {await self._process.wait()}"

    def vanish(self) -> None:
        """Be killed, as by a power cut: nobody says goodbye."""
        self._process.kill()

    async def leave(self) -> None:
        """End the share in good order."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        async with asyncio.timeout(20):
            await self._process.wait()

    async def end(self) -> None:
        """Be gone, whatever has happened before."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def ffmpeg_sharing(person: Person, room: str, folder: Path, *options: str) -> AsyncIterator[FfmpegPublisher]:
    """Publish by FFmpeg while the body runs; `options` are those of tests/support/av_publisher.py."""
    certificate, key = a_p256_certificate(folder)
    url = str(person.http.base_url.join(f"/whip/{room}"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.av_publisher", url, str(certificate), str(key), *options),
        cwd=ROOT,
        env=os.environ | {"TOKEN": person.token, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    publisher = FfmpegPublisher(process)
    try:
        await publisher.connected()
        yield publisher
    finally:
        await publisher.end()


async def session_in(person: Person, room: str) -> Json:
    """The session that a publisher which does not tell its id has begun."""
    return await eventually(lambda: person.session_in(room), what=f"a session in {room}")
