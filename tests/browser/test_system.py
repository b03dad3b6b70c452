"""The page of those who look after the server, and what people are told of how it is."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

from tests.support.chromium import chromium
from tests.support.installation import an_installation
from tests.support.left_behind import left_behind
from tests.support.shaky_ground import on_a_small_disk
from tests.support.visitor import Visitor
from tests.support.waiting import eventually

from lookback.buffer.reader import read_segments

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser, Locator
    from tests.support.installation import Installation
    from tests.support.people import Json, Person
    from tests.support.visitor import Visit

FULL = "The disk is full: the newest replay buffers pause and no new ones start."
NEARLY_FULL = "The buffer directory's disk is nearly full"
SILENT = "The recorder does not answer: what it records and how far it is behind is not known."
CLEANED_UP = re.compile(r"Cleaned up: 4 segments, .*: 4 older than is kept\.")
AN_HOUR = {"REPLAY_BUFFER_DURATION_MINUTES": "60", "REPLAY_CLEANUP_BUFFER_MINUTES": "60"}


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
        await row.get_by_text("not recorded").wait_for()
        await watched.sees_status(session, "draining")
        for width in (1440, 1280, 1024, 901):
            await page.page.set_viewport_size({"width": width, "height": 900})
            assert await _lines(row.get_by_role("cell", name="watched", exact=True)) == 1, f"broken at {width} pixels"


async def test_health_is_told(visit: Visit) -> None:
    async with visit("root", admin=True) as page:
        await page.opens("/#/system")
        health = page.page.get_by_label("Health", exact=True)
        await health.get_by_text("The recorder runs; sessions it records:").wait_for()


async def test_exactly_what_has_expired_is_named_and_cleaning_up_removes_it(tmp_path: Path) -> None:
    bait, expired, kept = (left_behind(tmp_path / "buffer", room, 20, 2) for room in ("bait", "expired", "kept"))
    assert [len(read_segments(directory)) for directory in (bait, expired, kept)] == [8, 8, 8]
    async with (
        an_installation(tmp_path, **AN_HOUR) as server,
        server.person("root", admin=True) as root,
        chromium() as browser,
    ):
        page = await _at_the_system_page(browser, server)
        # The server cleans up by itself every ten seconds: right after it did, there is time to look.
        await _keeps_ten_minutes(root, "bait")
        await eventually(lambda: len(read_segments(bait)) == 4, what="a clean-up that came by itself")
        await _keeps_ten_minutes(root, "expired")
        await page.button("What would go next").click()
        table = page.page.get_by_role("table", name="What would go next")
        assert await _rows(table, 0, 2, 4) == {
            ("expired", "4", "older than is kept"),
            ("expired", "4", "space"),
            ("kept", "8", "space"),
            ("bait", "4", "space"),
        }
        assert [len(read_segments(directory)) for directory in (expired, kept)] == [8, 8], "that was a look only"
        young = [segment.number for segment in read_segments(expired)][4:]
        await page.button("Clean up now").click()
        await page.page.get_by_text(CLEANED_UP).wait_for()
        await table.wait_for(state="detached")
        assert [segment.number for segment in read_segments(expired)] == young
        assert len(read_segments(kept)) == 8
        await page.button("What would go next").click()
        assert {reason for (reason,) in await _rows(table, 4)} == {"space"}
        assert page.mishaps == []


async def test_all_sessions_are_read_on_as_one_scrolls_and_stay_fresh(tmp_path: Path) -> None:
    for number in range(60):
        left_behind(tmp_path / "buffer", f"room-{number}", 5, seconds=2)
    async with (
        an_installation(tmp_path) as server,
        server.person("newcomer") as newcomer,
        chromium() as browser,
    ):
        page = await _at_the_system_page(browser, server)
        rows = page.page.get_by_role("table", name="Sessions").locator("tbody tr")
        await page.sees("newest 50: 50 draining")
        assert await rows.count() == 50
        await rows.last.scroll_into_view_if_needed()
        await page.sees("60 draining")
        session = await newcomer.starts_the_demo("the newest")
        await rows.first.get_by_text("the newest").wait_for()
        assert await rows.count() == 61
        await newcomer.stops(session)
        assert page.mishaps == []


async def test_a_silent_recorder_is_said(tmp_path: Path) -> None:
    async with an_installation(tmp_path) as server, server.person("watched") as watched, chromium() as browser:
        session = await watched.starts_the_demo("watched room")
        await watched.sees_buffered(session, 1)
        page = await _at_the_system_page(browser, server)
        row = page.page.get_by_role("row").filter(has_text="watched room")
        await row.get_by_text("recording", exact=True).wait_for()
        recorder = await server.recorder_pid()
        os.kill(recorder, signal.SIGSTOP)
        try:
            await page.sees(SILENT)
            await row.get_by_text("not known").wait_for()
        finally:
            os.kill(recorder, signal.SIGCONT)
        await page.page.get_by_text(SILENT).wait_for(state="detached")
        await row.get_by_text(re.compile(r"^[\d.]+ s$")).wait_for()


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
            assert await page.button("Hide").count() == 0
        await page.link("What is wrong").click()
        await page.page.get_by_role("heading", name="System").wait_for()


async def test_who_looks_after_the_server_is_told_of_a_disk_that_is_not_as_it_should_be_and_can_hide_it(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    ground = on_a_small_disk(folder, megabytes=12)
    async with (
        an_installation(tmp_path / "home", ground=ground, REPLAY_BUFFER_PATH=str(folder)) as server,
        server.person("alice") as alice,
        server.person("root", admin=True) as root,
        chromium() as browser,
    ):
        told = {"kind": "storage", "level": "warning", "sentence": NEARLY_FULL}
        await eventually(lambda: _notices(root), what="a notice that the disk is nearly full")
        assert (await _notices(root), await _notices(alice)) == ([told], [])
        page = Visitor(await browser.new_page(), server.url)
        await page.opens(f"/?token={server.token('root', admin=True)}")
        await page.sees(f"{NEARLY_FULL}.")
        await page.link("What is wrong").wait_for()
        await page.button(f"Hide: {NEARLY_FULL}").click()
        await page.page.get_by_text(NEARLY_FULL).wait_for(state="detached")
        await page.page.reload()
        await page.link("System").wait_for()
        assert await page.page.get_by_text(NEARLY_FULL).count() == 0


async def _at_the_system_page(browser: Browser, server: Installation) -> Visitor:
    page = Visitor(await browser.new_page(), server.url)
    await page.opens(f"/?token={server.token('root', admin=True)}")
    await page.link("System").click()
    return page


async def _keeps_ten_minutes(root: Person, community: str) -> None:
    await root.answer("PATCH", f"admin/community/{community}/config", json={"windowMinutes": 10})


async def _notices(person: Person) -> list[Json]:
    notices: list[Json] = (await person.answer("GET", "me")).json()["notices"]
    return notices


async def _lines(cell: Locator) -> int:
    """How many lines its text takes."""
    lines: int = await cell.evaluate(
        "cell => { const text = document.createRange(); text.selectNodeContents(cell);"
        " return text.getClientRects().length }"
    )
    return lines


async def _rows(table: Locator, *columns: int) -> set[tuple[str, ...]]:
    """What a table says in these columns."""
    rows = table.locator("tbody tr")
    await rows.first.wait_for()
    cells = [await row.locator("td").all_inner_texts() for row in await rows.all()]
    return {tuple(row[column] for column in columns) for row in cells}
