"""What the page looks like: dark, light, on a phone; and that everybody can use it. Screenshots are kept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.support.accessibility import violations
from tests.support.library import saves_clips
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.visitor import Visit, Visitor


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
async def test_the_pages_are_accessible_in(visit: Visit, artifacts: Path, *, dark: bool) -> None:
    name = "dark" if dark else "light"
    async with visit(f"{name}-eyes", dark=dark) as page:
        await page.page.get_by_role("heading", name="Nobody is sharing yet").wait_for()
        await _keeps(page, artifacts, f"start-{name}")
        await page.starts_the_demo("Design review")
        await page.sees_buffered(8)
        await _keeps(page, artifacts, f"buffer-{name}")
        await page.saves()
        await page.seen("clip-video").wait_for()
        await _keeps(page, artifacts, f"saved-{name}")
        await page.opens("/#/clips")
        await page.seen("clip-card").wait_for()
        await _keeps(page, artifacts, f"clips-{name}")
        await page.page.keyboard.press("?")
        await page.page.get_by_role("dialog").wait_for()
        await _keeps(page, artifacts, f"keys-{name}")


async def test_it_fits_a_small_phone(visit: Visit, artifacts: Path) -> None:
    async with visit("phone", width=360, height=740) as page:
        await _fits(page, artifacts, "start-360")
        await page.starts_the_demo("Design review")
        await page.sees_buffered(4)
        await _fits(page, artifacts, "buffer-360")
        await page.saves()
        await page.seen("clip-video").wait_for()
        await _fits(page, artifacts, "saved-360")
        await page.opens("/#/clips")
        await page.seen("clip-card").wait_for()
        await _fits(page, artifacts, "clips-360")


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
async def test_the_pages_about_people_are_accessible_in(
    visit: Visit, server: Installation, artifacts: Path, *, dark: bool
) -> None:
    name = "dark" if dark else "light"
    await _people_are_there(server)
    async with visit("root", admin=True, dark=dark) as page:
        for part, address, title in _PEOPLE:
            await page.opens(address)
            await page.page.get_by_role("heading", name=title).wait_for()
            await eventually(lambda: _loaded(page), what=f"{part} without anything awaited")
            await _keeps(page, artifacts, f"{part}-{name}")


async def test_the_pages_about_people_fit_a_small_phone(visit: Visit, server: Installation, artifacts: Path) -> None:
    await _people_are_there(server)
    async with visit("root", admin=True, width=360, height=740) as page:
        for part, address, title in _PEOPLE:
            await page.opens(address)
            await page.page.get_by_role("heading", name=title).wait_for()
            await eventually(lambda: _loaded(page), what=f"{part} without anything awaited")
            await _fits(page, artifacts, f"{part}-360")


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
async def test_sharing_and_selecting_are_accessible_in(
    visit: Visit, server: Installation, artifacts: Path, *, dark: bool
) -> None:
    name, user = ("dark", "dark-sharer") if dark else ("light", "light-sharer")
    await saves_clips(server, user, "Deploy goes green", "Why the cache missed", "Bug: cursor jumps")
    async with visit(user, dark=dark) as page:
        await page.opens("/#/clips")
        await page.page.get_by_label("Select Bug: cursor jumps").click()
        await page.button("Share Why the cache missed").click()
        await page.page.get_by_label("Anyone with the link").click()
        await page.button("Copy link").wait_for()
        await _keeps(page, artifacts, f"sharing-{name}")
        await page.page.keyboard.press("Escape")
        await page.button("Play Deploy goes green").click()
        await eventually(lambda: page.video("clip-video", "video.readyState >= 3"), what="the clip")
        await _keeps(page, artifacts, f"clip-{name}")


_PEOPLE = (
    ("settings", "/#/community/looks/settings", "Settings"),
    ("rooms", "/#/community/looks/rooms", "Rooms"),
    ("roles", "/#/community/looks/roles", "Roles"),
    ("members", "/#/community/looks/members", "Members"),
    ("users", "/#/community/-/users", "Users"),
    ("usage", "/#/community/-/usage", "Usage"),
    ("audit", "/#/community/-/audit", "Audit"),
    ("you", "/#/you", "Being buffered"),
    ("system", "/#/system", "System"),
)


async def _people_are_there(server: Installation) -> None:
    async with server.person("root", admin=True) as root:
        await root.answer("PATCH", "admin/community/looks/config", json={"name": "Design team", "maxConcurrent": 5})
        for room in ("Design review", "Pairing"):
            await root.answer("PUT", f"rooms/{room}", json={"communityId": "looks"})
        for user_id, roles in (("carol", ["moderator", "auditor"]), ("dave", ["member"])):
            await root.answer("PUT", f"admin/community/looks/members/{user_id}", json={"roles": roles})


async def _loaded(page: Visitor) -> bool:
    return await page.page.get_by_label("Loading").count() == 0


async def _keeps(page: Visitor, artifacts: Path, name: str) -> None:
    await page.page.screenshot(path=artifacts / f"{name}.png")
    found = await violations(page.page)
    assert found == [], os.linesep.join(found)


async def _fits(page: Visitor, artifacts: Path, name: str) -> None:
    await page.page.screenshot(path=artifacts / f"{name}.png", full_page=True)
    assert await page.page.evaluate("document.documentElement.scrollWidth") <= 360, f"{name} is wider than the phone"
