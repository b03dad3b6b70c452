"""The library: play, rename, search, download, delete and undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.encoded_clip import ClipShape
from tests.support.publishers import sharing
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.installation import Installation
    from tests.support.visitor import Visit, Visitor


async def test_clips_are_renamed_searched_deleted_and_brought_back(visit: Visit, server: Installation) -> None:
    await _saves_clips(server, "librarian", "First", "Second")
    async with visit("librarian") as page:
        await page.opens("/#/clips")
        await eventually(lambda: _titles(page, ["Second", "First"]), what="the newest clip first")

        await page.button("Second. Rename").click()
        await page.page.get_by_label("Title", exact=True).fill("Deploy goes green")
        await page.page.keyboard.press("Enter")
        await eventually(lambda: _titles(page, ["Deploy goes green", "First"]), what="the new title")

        await page.page.keyboard.press("/")
        await page.page.keyboard.type("deploy")
        await eventually(lambda: _titles(page, ["Deploy goes green"]), what="the found clip")
        await page.page.get_by_role("searchbox").fill("nothing like it")
        await page.page.get_by_text("No clip's title or room").wait_for()
        await page.page.get_by_role("searchbox").fill("")
        await eventually(lambda: _titles(page, ["Deploy goes green", "First"]), what="all clips again")

        await page.button("Delete First").click()
        await eventually(lambda: _titles(page, ["Deploy goes green"]), what="the clip's absence")
        await page.button("Undo").click()
        await eventually(lambda: _titles(page, ["Deploy goes green", "First"]), what="the clip's return")


async def test_a_clip_opens_by_its_address_plays_and_downloads(visit: Visit, server: Installation) -> None:
    clip = (await _saves_clips(server, "watcher", "Why the cache missed"))[0]
    async with visit("watcher") as page:
        await page.opens(f"/#/clips/{clip}")
        await eventually(lambda: page.video("clip-video", "video.currentTime > 0.3"), what="playing")
        dialog = page.page.get_by_role("dialog")
        async with page.page.expect_download() as download:
            await dialog.get_by_role("link", name="Download").click()
        assert (await download.value).suggested_filename.endswith(".mp4")
        await page.page.keyboard.press("Escape")
        await dialog.wait_for(state="detached")


async def test_a_webm_clip_gets_its_mp4(visit: Visit, server: Installation) -> None:
    async with server.person("vp8-sharer") as person, sharing(person, "vp8", ClipShape("vp8", seconds=10)) as share:
        await person.sees_buffered(share.session, 3)
        await person.captures(share.session, durationSeconds=2, title="As WebM")
    async with visit("vp8-sharer") as page:
        await page.opens("/#/clips")
        await page.button("Make an MP4").click()
        await page.page.get_by_role("link", name="Download the MP4").wait_for(timeout=60_000)


async def _saves_clips(server: Installation, user_id: str, *titles: str) -> list[str]:
    async with server.person(user_id) as person, sharing(person, f"room of {user_id}") as share:
        await person.sees_buffered(share.session, 3)
        return [(await person.captures(share.session, durationSeconds=2, title=t))["clipId"] for t in titles]


async def _titles(page: Visitor, wanted: list[str]) -> bool:
    cards = await page.seen("clip-card").all_inner_texts()
    return len(cards) == len(wanted) and all(title in card for title, card in zip(wanted, cards, strict=True))
