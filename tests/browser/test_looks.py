"""What the page looks like: dark, light, on a phone; and that everybody can use it. Screenshots are kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.visitor import Visit, Visitor

_AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
async def test_the_pages_are_accessible_in(visit: Visit, artifacts: Path, *, dark: bool) -> None:
    name = "dark" if dark else "light"
    async with visit(f"{name}-eyes", dark=dark) as page:
        await page.page.get_by_role("heading", name="Nobody is sharing yet").wait_for()
        await _keeps(page, artifacts, f"start-{name}")
        await page.starts_the_demo("Design review")
        await page.sees_buffered(8)
        await _keeps(page, artifacts, f"buffer-{name}")
        await page.saves()
        await page.seen("clip-video").wait_for()
        await _keeps(page, artifacts, f"saved-{name}")
        await page.opens("/#/clips")
        await page.seen("clip-card").wait_for()
        await _keeps(page, artifacts, f"clips-{name}")
        await page.page.keyboard.press("?")
        await page.page.get_by_role("dialog").wait_for()
        await _keeps(page, artifacts, f"keys-{name}")


async def test_it_fits_a_small_phone(visit: Visit, artifacts: Path) -> None:
    async with visit("phone", width=360, height=740) as page:
        await _fits(page, artifacts, "start-360")
        await page.starts_the_demo("Design review")
        await page.sees_buffered(4)
        await _fits(page, artifacts, "buffer-360")
        await page.saves()
        await page.seen("clip-video").wait_for()
        await _fits(page, artifacts, "saved-360")
        await page.opens("/#/clips")
        await page.seen("clip-card").wait_for()
        await _fits(page, artifacts, "clips-360")


async def _keeps(page: Visitor, artifacts: Path, name: str) -> None:
    await page.page.screenshot(path=artifacts / f"{name}.png")
    violations = await _violations(page)
    assert violations == [], os.linesep.join(violations)


async def _fits(page: Visitor, artifacts: Path, name: str) -> None:
    await page.page.screenshot(path=artifacts / f"{name}.png", full_page=True)
    assert await page.page.evaluate("document.documentElement.scrollWidth") <= 360, f"{name} is wider than the phone"


async def _violations(page: Visitor) -> list[str]:
    """What axe-core finds, one line per rule and element."""
    await page.page.evaluate(_AXE.read_text())
    found: dict[str, Any] = await page.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {node['target']}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
