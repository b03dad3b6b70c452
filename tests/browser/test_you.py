"""Oneself: consent, rights, and one's own data."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from tests.support.library import saves_clips
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.installation import Installation
    from tests.support.visitor import Visit


async def test_who_forbids_it_is_stopped_at_once_and_not_buffered_again(visit: Visit, server: Installation) -> None:
    async with visit("private-person") as page, server.person("private-person") as person:
        await page.starts_the_demo("interview")
        session = await person.session_in("interview")
        assert session is not None
        await page.link("Private-Person").click()
        await page.page.get_by_label("My screen shares may be buffered").click()
        await page.sees("Nobody can buffer you now.")
        await person.sees_status(session, "draining", within=3)

        await page.link("Buffer").click()
        await page.button("Start again").click()
        await page.button("Start the demo source").click()
        await page.sees("You have forbidden to be buffered here.")
        await page.link("Private-Person").click()
        await page.page.get_by_label("My screen shares may be buffered").click()
        await page.sees("Your shares may be buffered again.")
        await page.link("Buffer").click()
        await page.button("Start again").click()
        await page.starts_the_demo("interview")


async def test_it_can_be_forbidden_in_one_room(visit: Visit, server: Installation) -> None:
    async with visit("choosy") as page, server.person("choosy") as person:
        await page.opens("/#/you")
        await page.page.get_by_label("Not in this room").fill("therapy")
        await page.button("Forbid").click()
        there = page.page.get_by_label("May be buffered in “therapy”")
        await there.wait_for()
        assert not await there.is_checked()
        said = (await person.answer("GET", "me/consent")).json()
        assert said["buffering"] == "allow"
        assert [(room["roomName"], room["buffering"]) for room in said["rooms"]] == [("therapy", "forbid")]
        await page.page.get_by_label("Start by itself when I share").click()
        await page.sees("A buffer starts by itself when you share.")


async def test_rights_are_told_with_their_reasons(visit: Visit) -> None:
    async with visit("root", admin=True) as page:
        await page.opens("/#/you")
        right = page.page.get_by_role("listitem").filter(has_text="Read the audit trail")
        assert "because you are an administrator" in await right.inner_text()
    async with visit("anybody") as page:
        await page.opens("/#/you")
        right = page.page.get_by_role("listitem").filter(has_text="Read the audit trail")
        assert "not allowed" in await right.inner_text()


async def test_own_data_are_taken_along_and_erased(visit: Visit, server: Installation) -> None:
    await saves_clips(server, "leaver", "Last words")
    async with visit("leaver") as page:
        await page.opens("/#/you")
        async with page.page.expect_download() as download:
            await page.button("Export").click()
        with zipfile.ZipFile(await (await download.value).path()) as archive:
            assert archive.testzip() is None
            assert any("Last words" in archive.read(name).decode(errors="replace") for name in archive.namelist())

        await page.button("Erase everything…").click()
        erase = page.button("Erase everything").last
        await page.page.get_by_label("Type leaver to go on").fill("leave")
        assert await erase.is_disabled()
        await page.page.get_by_label("Type leaver to go on").fill("leaver")
        await erase.click()
        await page.page.get_by_role("heading", name="You are not signed in").wait_for()
    await eventually(lambda: not any("leaver" in path.name for path in server.home.rglob("*")), what="no trace on disk")
