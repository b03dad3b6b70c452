"""What axe-core says about a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import Page

# What fades in has not its own colours yet; it may begin to in the next frame. What turns for ever is not awaited.
_STILL = """async () => {
  const frame = () => new Promise((seen) => requestAnimationFrame(seen));
  const ends = (animation) => Number.isFinite(animation.effect.getComputedTiming().endTime);
  await frame();
  await frame();
  await Promise.allSettled(document.getAnimations().filter(ends).map((animation) => animation.finished));
}"""
_AXE = Path(__file__).parents[1] / "browser" / "node_modules" / "axe-core" / "axe.min.js"


async def violations(page: Page) -> list[str]:
    """What axe-core finds, one line per rule and element, when nothing moves any more."""
    await page.evaluate(_STILL)
    await page.evaluate(_AXE.read_text())
    found: dict[str, Any] = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {node['target']}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
