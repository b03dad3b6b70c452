"""Who may see a clip: its owner, a community, whoever has the link; and tags to find it by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.accessibility import violations
from tests.support.chromium import chromium
from tests.support.library import saves_clips, sees_titles
from tests.support.visitor import Visitor
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.visitor import Visit


async def test_whoever_has_the_link_watches_until_it_ends(visit: Visit, server: Installation, artifacts: Path) -> None:
    await saves_clips(server, "giver", "Bug: cursor jumps")
    async with visit("giver") as page:
        await page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.opens("/#/clips")
        await page.button("Share Bug: cursor jumps").click()
        await page.page.get_by_label("Anyone with the link").click()
        await page.button("Copy link").click()
        await page.sees("Link copied")
        link = await page.page.evaluate("navigator.clipboard.readText()")
        await _watches(link, "Bug: cursor jumps", artifacts)
        await page.page.get_by_label("Only you").click()
        await page.seen("clip-card").get_by_text("private").wait_for()
    await _finds_nothing(link)


async def test_a_community_sees_what_is_shared_with_it(visit: Visit, server: Installation) -> None:
    async with server.person("root", admin=True) as root:
        await root.answer("PUT", "rooms/studio", json={"communityId": "studio-team"})
        for member in ("painter", "sculptor"):
            await root.answer("PUT", f"admin/community/studio-team/members/{member}", json={"roles": ["member"]})
    await saves_clips(server, "painter", "The blue one", "Not yet", room="studio")
    async with visit("painter") as page:
        await page.opens("/#/clips")
        await page.button("Share The blue one").click()
        await page.page.get_by_label("studio-team").click()
        await page.seen("clip-card").get_by_text("community").wait_for()
    async with visit("sculptor") as page:
        await page.opens("/#/clips")
        await page.sees("No clips yet")
        await page.button("studio-team").click()
        await sees_titles(page, "The blue one")
        await page.seen("clip-card").get_by_text("Painter").wait_for()
        assert await page.button("Delete The blue one").count() == 0
        assert await page.page.get_by_label("Select The blue one").count() == 0


async def test_tags_are_given_and_found(visit: Visit, server: Installation) -> None:
    clip, _ = await saves_clips(server, "tagger", "Why the cache missed", "Something else")
    async with visit("tagger") as page:
        await page.opens(f"/#/clips/{clip}")
        await page.page.get_by_role("combobox", name="Tags").fill("incident")
        await page.page.keyboard.press("Enter")
        await page.page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
        await page.button("#incident").click()
        await sees_titles(page, "Why the cache missed")
        await page.page.get_by_label("Tag", exact=True).select_option("")
        await sees_titles(page, "Something else", "Why the cache missed")


async def _watches(link: str, title: str, artifacts: Path) -> None:
    """Somebody who is not signed in opens the link on a phone."""
    async with chromium() as browser:
        page = Visitor(await browser.new_page(viewport={"width": 360, "height": 740}), "")
        await page.opens(link)
        await page.page.get_by_role("heading", name=title).wait_for()
        await eventually(lambda: page.video("clip-video", "video.currentTime > 0.3"), what="playing")
        await page.page.screenshot(path=artifacts / "shared-360.png")
        assert await page.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.mishaps == []
        assert await violations(page.page) == []


async def _finds_nothing(link: str) -> None:
    async with chromium() as browser:
        page = Visitor(await browser.new_page(), "")
        await page.opens(link)
        await page.sees("There is no clip behind this link")
