"""The page of those who look after the server, and what everybody is told of how it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.chromium import chromium
from tests.support.installation import an_installation
from tests.support.visitor import Visitor

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.visitor import Visit

FULL = "The disk is full: the newest replay buffers pause and no new ones start."


async def test_a_session_is_seen_and_ended_by_whoever_looks_after_the_server(
    visit: Visit, server: Installation
) -> None:
    async with visit("root", admin=True) as page, server.person("watched") as watched:
        session = await watched.starts_the_demo("watched room")
        await watched.sees_buffered(session, 1)
        await page.link("System").click()
        row = page.page.get_by_role("row").filter(has_text="watched room")
        await row.get_by_text("recording", exact=True).wait_for()
        assert "Demo, H.264" in await row.inner_text()
        await page.button("Stop watched in watched room").click()
        await page.button("Stop the buffer").click()
        await page.sees("The buffer of watched has ended. Its last minutes can still be saved.")
        await row.get_by_text("draining: Stopped by somebody who manages the replay buffers here").wait_for()
        await watched.sees_status(session, "draining")


async def test_health_and_space_are_told_and_what_would_go_is_not_gone(visit: Visit, server: Installation) -> None:
    async with visit("root", admin=True) as page, server.person("kept") as kept:
        session = await kept.starts_the_demo("kept room")
        await kept.sees_buffered(session, 5)
        await page.opens("/#/system")
        health = page.page.get_by_label("Health", exact=True)
        await health.get_by_text("The recorder runs; sessions it records:").wait_for()
        await page.button("What would go next").click()
        table = page.page.get_by_role("table", name="What would go next")
        nothing = page.page.get_by_text("There is nothing that could go.")  # the last half minute stays, for one
        await table.or_(nothing).wait_for()
        await page.button("Clean up now").click()
        await page.sees("Cleaned up: nothing.")
        assert (await kept.sees(session))["bufferedSeconds"] >= 5
        await kept.stops(session)


async def test_others_do_not_see_how_the_server_is(visit: Visit) -> None:
    async with visit("passer-by") as page:
        await page.button("Start the demo source").wait_for()
        assert await page.link("System").count() == 0
        await page.opens("/#/system")
        await page.sees("Only those who manage limits everywhere can see how the server is.")


async def test_everybody_is_told_that_the_disk_is_full_and_who_looks_after_it_where_to_look(tmp_path: Path) -> None:
    async with an_installation(tmp_path, LOOKBACK_MIN_FREE_GB="100000") as full, chromium() as browser:
        for name, admin in (("alice", False), ("root", True)):
            page = Visitor(await (await browser.new_context()).new_page(), full.url)
            await page.opens(f"/?token={full.token(name, admin=admin)}")
            await page.sees(FULL)
            assert await page.link("What is wrong").count() == admin
        await page.link("What is wrong").click()
        await page.page.get_by_role("heading", name="System").wait_for()
