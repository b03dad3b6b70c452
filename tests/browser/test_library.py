"""The library: play, rename, search, download, delete and undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.encoded_clip import ClipShape
from tests.support.library import saves_clips, sees_titles
from tests.support.publishers import sharing
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.installation import Installation
    from tests.support.visitor import Visit


async def test_clips_are_renamed_searched_deleted_and_brought_back(visit: Visit, server: Installation) -> None:
    await saves_clips(server, "librarian", "First", "Second")
    async with visit("librarian") as page:
        await page.opens("/#/clips")
        await sees_titles(page, "Second", "First")

        await page.button("Second. Rename").click()
        await page.page.get_by_label("Title", exact=True).fill("Deploy goes green")
        await page.page.keyboard.press("Enter")
        await sees_titles(page, "Deploy goes green", "First")

        await page.page.keyboard.press("/")
        await page.page.keyboard.type("deploy")
        await sees_titles(page, "Deploy goes green")
        await page.page.get_by_role("searchbox").fill("nothing like it")
        await page.sees("No clip has “nothing like it”")
        await page.button("Show all clips").click()
        await sees_titles(page, "Deploy goes green", "First")

        await page.button("Delete First").click()
        await sees_titles(page, "Deploy goes green")
        await page.button("Undo").click()
        await sees_titles(page, "Deploy goes green", "First")


async def test_a_clip_opens_by_its_address_plays_and_downloads(visit: Visit, server: Installation) -> None:
    clip = (await saves_clips(server, "watcher", "Why the cache missed"))[0]
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


async def test_several_clips_are_picked_deleted_and_brought_back(visit: Visit, server: Installation) -> None:
    await saves_clips(server, "tidy", "One", "Two", "Three", "Four")
    async with visit("tidy") as page:
        await page.opens("/#/clips")
        await sees_titles(page, "Four", "Three", "Two", "One")
        await page.page.keyboard.press("ArrowRight")  # to the first card
        await page.page.keyboard.press("x")
        await page.page.get_by_label("Select Two").click(modifiers=["Shift"])
        await page.sees("3 clips selected")
        await page.page.get_by_label("Select Three").click()
        await page.sees("2 clips selected")
        await page.page.get_by_label("Select Three").click()
        await page.page.keyboard.press("Delete")
        await sees_titles(page, "One")
        await page.button("Undo").click()
        await sees_titles(page, "Four", "Three", "Two", "One")
        await page.page.keyboard.press("a")
        await page.sees("4 clips selected")
        await page.page.keyboard.press("Escape")
        await page.page.get_by_text("clips selected").wait_for(state="detached")


async def test_filters_narrow_and_the_address_keeps_them(visit: Visit, server: Installation) -> None:
    await saves_clips(server, "sorter", "Early", "Late", room="pairing")
    await saves_clips(server, "sorter", "Elsewhere", room="standup")
    async with visit("sorter") as page:
        await page.opens("/#/clips")
        await sees_titles(page, "Elsewhere", "Late", "Early")
        await page.page.get_by_label("Room", exact=True).select_option("pairing")
        await sees_titles(page, "Late", "Early")
        await page.page.get_by_label("Order").select_option("oldest")
        await sees_titles(page, "Early", "Late")
        await page.page.reload()
        await sees_titles(page, "Early", "Late")
        await page.page.get_by_label("When").select_option("days")
        await page.page.get_by_label("To", exact=True).fill("2020-01-01")
        await page.sees("No clip fits")
        await page.page.get_by_label("When").select_option("today")
        await sees_titles(page, "Early", "Late")


async def test_a_long_library_comes_as_one_scrolls(visit: Visit, server: Installation) -> None:
    titles = [f"Clip {number:02}" for number in range(30)]
    await saves_clips(server, "collector", *titles)
    async with visit("collector", height=700) as page:
        await page.opens("/#/clips")
        await page.page.get_by_text("Clip 29").wait_for()
        assert await page.seen("clip-card").count() == 24
        await page.page.mouse.wheel(0, 4000)
        await sees_titles(page, *reversed(titles))
