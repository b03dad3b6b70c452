"""Every state has its own sentence and its own next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.chromium import chromium
from tests.support.installation import an_installation
from tests.support.people import microseconds
from tests.support.visitor import Visitor
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.visitor import Visit


async def test_the_token_leaves_the_address_and_stays_in_the_tab(visit: Visit) -> None:
    async with visit("newcomer") as page:
        await page.page.get_by_role("heading", name="Nobody is sharing yet").wait_for()
        assert "token" not in page.page.url
        await page.page.reload()
        await page.page.get_by_role("heading", name="Nobody is sharing yet").wait_for()


async def test_without_a_token_the_page_asks_for_one(server: Installation) -> None:
    async with chromium() as browser:
        page = Visitor(await browser.new_page(), server.url)
        await page.opens("/?token=nonsense")
        await page.page.get_by_role("heading", name="You are not signed in").wait_for()
        await page.page.get_by_label("Token or link").fill(f"{server.url}/?token={server.token('paster')}")
        await page.button("Sign in").click()
        await page.page.get_by_role("heading", name="Nobody is sharing yet").wait_for()
        assert page.mishaps == []


async def test_gaps_are_shown_and_asked_about(tmp_path: Path) -> None:
    async with an_installation(tmp_path) as server, chromium() as browser:
        page = Visitor(await browser.new_page(), server.url)
        await page.opens(f"/?token={server.token('unlucky')}")
        await page.starts_the_demo()
        await page.sees_buffered(3)
        await server.kill_recorder()
        await page.page.get_by_text("1 gap of").wait_for(timeout=30_000)
        await page.sees_state("Buffering")
        await _plays_over_the_gap(page, server)
        await page.page.keyboard.press("s")
        await page.page.get_by_text("The range has 1 gap of").wait_for()
        async with page.page.expect_response(lambda r: r.url.endswith("/capture") and r.ok) as saved:
            await page.button("Save it as it is").click()
        assert len((await (await saved.value).json())["gaps"]) >= 1
        await page.seen("clip-video").wait_for()


async def test_a_silent_server_is_said_and_found_again(tmp_path: Path) -> None:
    async with an_installation(tmp_path) as server, chromium() as browser:
        page = Visitor(await browser.new_page(), server.url)
        await page.opens(f"/?token={server.token('steady')}")
        await page.starts_the_demo()
        await page.sees_buffered(2)
        await server.kill_api()
        await page.page.get_by_text("The Lookback server does not answer").first.wait_for()
        await server.start()
        await page.page.get_by_text("The Lookback server does not answer").first.wait_for(
            state="detached", timeout=15_000
        )
        await page.sees_state("Buffering")


async def _plays_over_the_gap(page: Visitor, server: Installation) -> None:
    async with server.person("unlucky") as person:
        session = await person.session_in("demo")
    assert session is not None
    start, end = (microseconds(session["gaps"][0][side]) / 1000 for side in ("start", "end"))
    await page.clicks_the_film((start - 1000 - microseconds(session["bufferedFrom"]) / 1000) / 60_000)
    assert await page.position_ms() < end

    async def is_behind() -> bool:
        return await page.position_ms() > end + 300

    await eventually(is_behind, what="playing behind the gap")
