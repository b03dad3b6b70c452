"""From the click on "Save" in the page to the first picture of a 10 minute clip, in real Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.chromium import chromium
from tests.support.installation import an_installation

from bench.buffers import fill_buffer
from bench.figures import Report, spread
from bench.places import scratch

if TYPE_CHECKING:
    from playwright.async_api import Page
    from tests.support.installation import Installation

    from bench.figures import Effort

USER = "bench"
WARM_UP = 1  # the browser's and the server's first clip pays for what is loaded once

# Everything is timed by one clock, that of the page: from the click until the video says that a picture is on screen.
_CLICK_AND_WATCH = """
async () => {
  const save = document.querySelector('[data-testid="save"]');
  const shown = new Promise((resolve, reject) => {
    setTimeout(reject, 20000, new Error("no picture within 20 s"));
    const watcher = new MutationObserver(() => {
      const video = document.querySelector('[data-testid="clip-video"]');
      if (!video) return;
      watcher.disconnect();
      const opened = performance.now();
      video.requestVideoFrameCallback((at) => resolve({ opened, shown: at, video }));
    });
    watcher.observe(document.body, { childList: true, subtree: true });
  });
  const begun = performance.now();
  save.click();
  const seen = await shown;
  return { toPlayer: seen.opened - begun, toPicture: seen.shown - begun, seconds: seen.video.duration };
}
"""


async def run(effort: Effort) -> Report:
    report = Report()
    rounds: list[dict[str, Any]] = []
    with scratch() as folder:
        filled = fill_buffer(folder / "buffer", user_id=USER)
        async with an_installation(folder, LOOKBACK_LOG_LEVEL="warning") as server, chromium() as browser:
            page = await browser.new_page(viewport={"width": 1280, "height": 800})
            for _ in range(effort.pick(20, 5) + WARM_UP):
                await _open_buffer(page, server)
                rounds.append(await page.evaluate(_CLICK_AND_WATCH))
    timed = rounds[WARM_UP:]
    report.figures = {
        "clickToFirstFrameMs": spread([seen["toPicture"] for seen in timed]),
        "clickToPlayerMs": spread([seen["toPlayer"] for seen in timed]),
        "firstRoundMs": round(rounds[0]["toPicture"], 1),
        "clipSeconds": round(timed[-1]["seconds"], 3),
        "bufferedSeconds": (filled.end_us - filled.start_us) / 1_000_000,
    }
    report.at_most(
        "click to first frame, 10 min clip, median", report.figures["clickToFirstFrameMs"]["median"], 300, "ms"
    )
    return report


async def _open_buffer(page: Page, server: Installation) -> None:
    """Open the page anew and choose the longest preset."""
    await page.goto(f"{server.url}/?token={server.token(USER)}")
    await page.get_by_label("Save the last").get_by_text("10 min").click()
    await page.get_by_test_id("save").get_by_text("Save last 10 min").wait_for()
