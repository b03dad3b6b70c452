"""Somebody in front of the web page, in the words of a test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import Error, Locator, Page

FPS = 30
_BARCODE = Path(__file__).with_name("barcode.js").read_text()


class Visitor:
    """A page and what went wrong in it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.mishaps: list[str] = []
        page.on("pageerror", self._mishap)
        page.on("console", lambda m: self.mishaps.append(m.text) if _is_mishap(m.type, m.text) else None)

    async def opens(self, path: str) -> None:
        """Go to an address of the app."""
        await self.page.goto(self.url + path)

    def seen(self, test_id: str) -> Locator:
        """A part of the page by its test id."""
        return self.page.get_by_test_id(test_id)

    def link(self, name: str) -> Locator:
        """A link by what it says."""
        return self.page.get_by_role("link", name=name, exact=True)

    async def sees(self, text: str) -> None:
        """Wait until the page says this."""
        await self.page.get_by_text(text).first.wait_for()

    def button(self, name: str) -> Locator:
        """A button by what it says."""
        return self.page.get_by_role("button", name=name)

    async def starts_the_demo(self, room: str = "demo") -> None:
        """Choose a room and start the generated share; it records afterwards."""
        await self.page.get_by_label("Room").fill(room)
        await self.button("Start the demo source").click()
        await self.sees_state("Buffering")

    async def sees_state(self, state: str, *, within: float = 20.0) -> None:
        """Wait for what the pill beside the room's name says."""
        await eventually(lambda: self._state(state), within=within, what=f"the state {state}")

    async def sees_buffered(self, seconds: float, *, within: float = 40.0) -> None:
        """Wait until the page says one can go back so far."""
        await eventually(lambda: self._goes_back(seconds), within=within, what=f"{seconds} s on the timeline")

    async def position_ms(self) -> int:
        """The instant that the page says is shown, in epoch milliseconds."""
        return int(await self.seen("moment").get_attribute("data-position") or 0)

    async def number(self, test_id: str) -> int:
        """The number in the barcode of what a video shows."""
        found: int = await self.seen(test_id).evaluate(_BARCODE)
        return found

    async def video(self, test_id: str, expression: str) -> Any:
        """What a video element says; `video` is its name."""
        return await self.seen(test_id).evaluate(f"video => {expression}")

    async def clicks_the_film(self, fraction: float) -> None:
        """Press at a place of the film, from 0 (left) to 1."""
        box = await self._film()
        await self.page.mouse.click(box["x"] + box["width"] * fraction, box["y"] + box["height"] / 2)

    async def drags_on_the_film(self, start: float, end: float) -> None:
        """Select by dragging."""
        box = await self._film()
        y = box["y"] + box["height"] / 2
        await self.page.mouse.move(box["x"] + box["width"] * start, y)
        await self.page.mouse.down()
        await self.page.mouse.move(box["x"] + box["width"] * end, y, steps=8)
        await self.page.mouse.up()

    async def saves(self) -> dict[str, Any]:
        """Press S; return the clip as the server answered."""
        async with self.page.expect_response(lambda r: r.url.endswith("/capture")) as answer:
            await self.page.keyboard.press("s")
        clip: dict[str, Any] = await (await answer.value).json()
        return clip

    async def _film(self) -> dict[str, float]:
        box = await self.seen("film").bounding_box()
        assert box is not None
        return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}

    async def _state(self, state: str) -> bool:
        pill = self.seen("state")
        return await pill.count() > 0 and await pill.inner_text() == state

    async def _goes_back(self, seconds: float) -> bool:
        sliders = self.page.get_by_role("slider", name="Selection ends")
        return await sliders.count() > 0 and float(await sliders.get_attribute("aria-valuemax") or 0) >= seconds

    def _mishap(self, error: Error) -> None:
        self.mishaps.append(str(error))


class Visit(Protocol):
    """Opens the page as somebody, for as long as the body runs."""

    def __call__(
        self, user_id: str, *, admin: bool = False, width: int = 1440, height: int = 900, dark: bool = True
    ) -> AbstractAsyncContextManager[Visitor]:
        """`dark`: which colours the system prefers."""


# What the browser logs although nothing is wrong: a refusal by the server is an answer, and its chooser of screens
# notes that cameras are not allowed here.
_HARMLESS = ("Failed to load resource", "Permissions policy violation: camera")


def _is_mishap(kind: str, text: str) -> bool:
    return kind == "error" and not text.startswith(_HARMLESS)


def number_at(epoch_ms: float) -> int:
    """The number that the demo shows at an instant, as far as its barcode holds it."""
    return int(epoch_ms * FPS / 1000 + 1e-3) & 0xFFFF


def apart(a: int, b: int) -> int:
    """How many frames lie between two numbers of barcodes, which wrap at 65536."""
    return min((a - b) & 0xFFFF, (b - a) & 0xFFFF)
