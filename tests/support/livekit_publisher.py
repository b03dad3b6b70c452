"""A person in a LiveKit room, in the words of a test; tests/support/livekit_participant.py is its process."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.livekit_server import LivekitServer
    from tests.support.people import Json

ROOT = Path(__file__).resolve().parents[2]
Source = Literal["screen", "camera"]
_PATIENCE = 30.0


class LivekitPublisher:
    """Joined to a room. `began_us` is when picture 0 and second 0 were or would have been, in UTC microseconds."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._replies: asyncio.Queue[Json] = asyncio.Queue()
        self._reader = asyncio.create_task(self._read())
        self.events: list[Json] = []
        self.began_us = 0

    async def join(self, passphrase: str = "") -> None:
        """Join the token's room; with a passphrase, end-to-end encrypted."""
        self.began_us = (await self.command("join", passphrase=passphrase))["beganUs"]

    async def publish(
        self,
        what: Source = "screen",
        *,
        codec: Literal["h264", "vp8"] = "h264",
        size: tuple[int, int] = (640, 360),
        audio: bool = True,
        dtx: bool = False,
        red: bool = False,
    ) -> Json:
        """Publish video and audio, again after an unpublish; return the tracks' ids as `video` and `audio`."""
        width, height = size
        wanted = {"codec": codec, "width": width, "height": height, "audio": audio, "dtx": dtx, "red": red}
        sids: Json = await self.command("publish", what=what, **wanted)
        return sids

    async def unpublish(self, what: Source = "screen") -> None:
        """Take both tracks back."""
        await self.command("unpublish", what=what)

    async def mute(self, what: Source = "screen") -> None:
        """Mute the video; its audio goes on."""
        await self.command("mute", what=what, muted=True)

    async def unmute(self, what: Source = "screen") -> None:
        """Show the video again."""
        await self.command("mute", what=what, muted=False)

    async def freeze(self, what: Source = "screen") -> None:
        """Send no pictures, as native clients do while a screen stands still; the track is not muted."""
        await self.command("freeze", what=what, frozen=True)

    async def thaw(self, what: Source = "screen") -> None:
        """Move again."""
        await self.command("freeze", what=what, frozen=False)

    async def resize(self, width: int, height: int, what: Source = "screen") -> None:
        """Go on in another size, as a shared window does."""
        await self.command("resize", what=what, width=width, height=height)

    async def sets_attributes(self, **values: str) -> None:
        """Change the participant's attributes; the token must allow it (can_update_own_metadata)."""
        await self.command("attributes", values=values)

    async def sees(self) -> Json:
        """The `others` in the room, and whether the room says that it is `recording`."""
        seen: Json = await self.command("seen")
        return seen

    def heard(self, event: str) -> Json | None:
        """Return the first event of that name so far: data, disconnected, reconnected, joined, left or room."""
        return next((e for e in self.events if e["event"] == event), None)

    async def hears(self, event: str, *, within: float = _PATIENCE) -> Json:
        """Wait for an event of that name."""
        return await eventually(lambda: self.heard(event), within=within, what=event)

    async def leave(self) -> None:
        """Leave the room in good order; the process stays and may join again."""
        await self.command("leave")

    def kill(self) -> None:
        """Vanish, as by a power cut: nobody says goodbye."""
        if self._process.returncode is None:
            self._process.kill()

    async def command(self, do: str, **details: Any) -> Any:
        """Carry out one command in the process; fails with what the SDK said."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **details}).encode() + b"\n")
        async with asyncio.timeout(_PATIENCE):
            answer = await self._replies.get()
        assert "error" not in answer, f"{do}: {answer['error']}"
        return answer["reply"]

    async def end(self) -> None:
        """Be gone, whatever has happened before."""
        self.kill()
        await self._process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            message = json.loads(line)
            if "event" in message:
                self.events.append(message)
            else:
                self._replies.put_nowait(message)
        self._replies.put_nowait({"error": "the participant's process has ended"})


@asynccontextmanager
async def livekit_participant(
    server: LivekitServer, room: str, identity: str, *, passphrase: str = "", token: str = "", **grants: Any
) -> AsyncIterator[LivekitPublisher]:
    """Somebody who has joined a room; gone afterwards. `grants` are fields of LiveKit's video grant.

    `token` is one that somebody else made; room, identity and grants are then what it says.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.livekit_participant", server.url),
        cwd=ROOT,
        env=os.environ
        | {"TOKEN": token or server.token(identity, room, **grants), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    publisher = LivekitPublisher(process)
    try:
        await publisher.join(passphrase)
        yield publisher
    finally:
        await publisher.end()


@asynccontextmanager
async def livekit_sharing(
    server: LivekitServer, room: str, identity: str, **share: Any
) -> AsyncIterator[LivekitPublisher]:
    """Somebody who shares a screen, with the options of `LivekitPublisher.publish`; gone afterwards."""
    async with livekit_participant(server, room, identity) as publisher:
        await publisher.publish(**share)
        yield publisher
