"""A person who shares from Chromium with livekit-client, in the words of a test; livekit_page.js is the page."""

from __future__ import annotations

import os
import time
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import Error

from tests.support.chromium import chromium
from tests.support.pictures import PITCHES, beeps, pictures

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from tests.support.livekit_server import LivekitServer

_ROOT = Path(__file__).resolve().parents[2]
_CLIENT = _ROOT / "web/node_modules/livekit-client/dist/livekit-client.umd.js"
_SCRIPT = Path(__file__).with_name("livekit_page.js").read_text()
NO_BROWSER = "LOOKBACK_CHROMIUM names no browser, or web/ has no livekit-client"
FPS = 15


def can_browse() -> bool:
    """Whether there is a browser and a livekit-client for it."""
    return Path(os.environ.get("LOOKBACK_CHROMIUM", "")).is_file() and _CLIENT.is_file()


class BrowserSharer:
    """Shares a canvas, or the page's own tab. Pictures are numbered in hundredths of a second after `began_us`."""

    def __init__(self, page: Page, url: str, wanted: dict[str, Any]) -> None:
        self.page = page
        self._url = url
        self._wanted = wanted
        self.began_us = round(wanted["began"] * 1000)

    async def open(self) -> None:
        """Load the page, join and share."""
        await self.page.goto(self._url)
        await self._begin()

    async def reload(self) -> None:
        """Load the page anew, as by F5, join and share."""
        await self.page.reload()
        await self._begin()

    async def share(self, **publish: Any) -> None:
        """Publish again, with other options if there are any."""
        await self.page.evaluate("share", publish or None)

    async def take_back(self) -> None:
        """Unpublish both tracks."""
        await self.page.evaluate("take_back()")

    async def mute(self, *, muted: bool = True) -> None:
        """Mute the video, or show it again; its sound goes on."""
        await self.page.evaluate("mute", muted)

    async def resize(self, width: int, height: int) -> None:
        """Go on in another size, as a shared window does."""
        await self.page.evaluate("size => Object.assign(canvas, size)", {"width": width, "height": height})

    async def stand_still(self, *, still: bool = True) -> None:
        """Draw nothing new, or go on; the sound does."""
        await self.page.evaluate("still => { window.still = still }", still)

    async def _begin(self) -> None:
        await self.page.add_script_tag(path=_CLIENT)
        try:
            await self.page.evaluate(_SCRIPT, self._wanted)
        except Error as refused:
            if "NotSupportedError" in refused.message:
                pytest.skip("this browser cannot share a tab: set LOOKBACK_CHROMIUM to a complete Chromium")
            raise


@asynccontextmanager
async def a_browser_sharing(
    server: LivekitServer, room: str, identity: str, **wanted: Any
) -> AsyncIterator[BrowserSharer]:
    """A browser whose page shares; gone afterwards. `wanted` is as in livekit_page.js."""
    usual = {
        "url": server.url.replace("http", "ws"),
        "token": server.token(identity, room),
        "began": time.time() * 1000,
        "size": [640, 360],
        "fps": FPS,
    }
    async with chromium(audible=True) as browser:
        page = await browser.new_page(viewport={"width": 640, "height": 360})
        sharer = BrowserSharer(page, server.url, usual | wanted)
        await sharer.open()
        yield sharer


def lateness(media: bytes) -> list[float]:
    """Seconds by which the pictures around every beep of a clip come later than it does; negative when earlier."""
    shown, found = [picture for picture in pictures(media) if picture.number], []
    for beep in beeps(media):
        near = [picture.at - (picture.number + 0.5) / 100 for picture in shown if abs(picture.at - beep.at) < 0.5]
        if len(near) >= FPS // 2:
            told = beep.at - median(near)  # of the sharer's clock, by the pictures
            found.append(beep.second + round((told - beep.second) / PITCHES) * PITCHES - told)
    return found
