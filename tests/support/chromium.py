"""Real Chromium for tests and measurements, and what it makes of a clip."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from playwright.async_api import Browser, Page

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--auto-accept-this-tab-capture",
    "--autoplay-policy=no-user-gesture-required",
]
_PLAYER = Path(__file__).with_name("player.js").read_text()


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen: milliseconds until the first picture, length in seconds, barcodes at the start and at seeks."""

    first_frame_ms: float | None
    duration: float
    first: int | None
    seeks: list[int | None]
    error: str | None


@asynccontextmanager
async def chromium(*more_arguments: str, audible: bool = False) -> AsyncIterator[Browser]:
    """A headless browser; the environment variable LOOKBACK_CHROMIUM says which. `audible`: its tabs have sound."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ.get("LOOKBACK_CHROMIUM"),
            args=[*_ARGUMENTS, *more_arguments],
            ignore_default_args=["--mute-audio"] if audible else [],
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def a_bare_page(browser: Browser, origin: str) -> AsyncIterator[Page]:
    """An empty page of the server's own origin, so that a canvas may read its videos."""
    context = await browser.new_context(bypass_csp=True)
    page = await context.new_page()
    await page.route(f"{origin}/empty", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    await page.goto(f"{origin}/empty")
    try:
        yield page
    finally:
        await context.close()


async def watch(page: Page, url: str, seeks: Sequence[float] = ()) -> Watched:
    """Open a video paused, and look at it at these times, in seconds."""
    seen = await page.evaluate(_PLAYER, [url, list(seeks)])
    return Watched(seen["firstFrameMs"], seen["duration"], seen["first"], seen["seeks"], seen["error"])
