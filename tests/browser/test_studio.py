"""The database browser in a real browser: it works with nothing from elsewhere, and the browser finds no fault."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.support.chromium import chromium
from tests.support.installation import an_installation
from tests.support.studio import STUDIO
from tests.support.visitor import Visitor

if TYPE_CHECKING:
    from pathlib import Path


async def test_an_administrator_signs_in_and_looks_at_a_list_and_a_row(tmp_path: Path, artifacts: Path) -> None:
    async with an_installation(tmp_path / "home", **STUDIO) as server, server.person("alice") as alice:
        session = await alice.starts_the_demo("office")
        await alice.sees_buffered(session, 2)
        clips = [await alice.captures(session, durationSeconds=1, title=title) for title in ("The bug", "The fix")]
        await alice.stops(session)
        async with chromium() as browser:
            visitor = Visitor(await browser.new_page(viewport={"width": 1440, "height": 900}), server.url)
            page, asked, said = visitor.page, list[str](), list[str]()
            page.on("request", lambda request: asked.append(request.url))
            page.on("console", lambda message: said.append(message.text))
            await visitor.opens("/studio/clips/list")
            await page.get_by_label("Token of an administrator").fill(server.token("alice"))
            await visitor.button("Look").click()
            await visitor.sees("Permission denied - MANAGE_REPLAY_LIMITS")
            await page.screenshot(path=artifacts / "studio-refused.png")
            assert [text for text in said if "403" not in text] == []  # which the browser notes of the refusal itself
            said.clear()
            await page.get_by_label("Token of an administrator").fill(server.token("ada", admin=True))
            await page.keyboard.press("Enter")
            await visitor.link("clips").click()
            await visitor.sees("2 rows")
            await page.screenshot(path=artifacts / "studio-list.png")
            await page.get_by_label("Search").fill("The fix")
            await page.keyboard.press("Enter")
            await visitor.sees("1 row")
            assert await page.get_by_text(clips[0]["clipId"]).count() == 0
            await page.get_by_role("row").filter(has_text="The fix").get_by_role("link").first.click()
            await page.get_by_role("heading", name=clips[1]["clipId"]).wait_for()
            await page.screenshot(path=artifacts / "studio-row.png")
            await visitor.link("Sign out").click()
            await page.get_by_label("Token of an administrator").wait_for()
            await visitor.opens("/studio/clips/list")
            await page.get_by_label("Token of an administrator").wait_for()
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(server.url).netloc}
    assert (said, visitor.mishaps) == ([], [])
    assert not [url for url in asked if "token" in url.lower()]
