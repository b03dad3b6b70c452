"""Looking after a community and the server: settings, rooms, roles, users, audit; and what is offered to whom."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.support.library import saves_clips
from tests.support.people import Refused
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Locator
    from tests.support.installation import Installation
    from tests.support.people import Json
    from tests.support.visitor import Visit, Visitor


async def test_settings_are_changed_one_by_one_and_refused_with_a_reason(visit: Visit, server: Installation) -> None:
    before = await _config(server, "red")
    async with visit("root", admin=True) as page:
        await page.opens("/#/community/red/settings")
        field = page.page.get_by_label("Buffers at the same time")
        await field.fill("3")
        await page.page.get_by_label("Start by itself").click()
        await page.page.get_by_role("option", name="For those who want it").click()
        await page.button("Save changes").click()
        await page.sees("Saved.")
        assert await _config(server, "red") == {**before, "maxConcurrent": 3, "autoStart": "optIn"}

        window = page.page.get_by_label("How far one can go back")
        await window.fill("100000")
        await page.button("Save changes").click()
        await page.page.get_by_role("alert").filter(has_text="1440").wait_for()
        assert await window.get_attribute("aria-invalid") == "true"
        await page.button("Leave it as it was").click()
        assert await window.input_value() == "10"
    assert (await _config(server, "red"))["windowMinutes"] == before["windowMinutes"]


async def test_a_community_is_made_and_named(visit: Visit, server: Installation) -> None:
    async with visit("root", admin=True) as page:
        await page.opens("/#/community")
        await page.button("New").click()
        dialog = page.page.get_by_role("dialog")
        await dialog.get_by_label("Id").fill("fresh")
        await dialog.get_by_label("Name").fill("Fresh paint")
        await page.button("Make it").click()
        await dialog.wait_for(state="detached")
        await page.page.get_by_role("heading", name="Settings").wait_for()
        name = page.page.get_by_label("Name", exact=True)
        await eventually(lambda: _says(name, "Fresh paint"), what="the new one's settings")
    assert (await _config(server, "fresh"))["name"] == "Fresh paint"


async def test_rooms_are_registered_and_removed(visit: Visit, server: Installation) -> None:
    async with visit("root", admin=True) as page:
        await page.opens("/#/community/green/rooms")
        await page.page.get_by_label("Room's name").fill("Design review")
        await page.button("Register").click()
        await page.page.get_by_role("cell", name="Design review", exact=True).wait_for()
        assert await _community_of(server, "Design review") == "green"
        await page.button("Remove Design review").click()
        await page.sees("No room is registered yet.")
        await page.button("Undo").last.click()
        await page.page.get_by_role("cell", name="Design review", exact=True).wait_for()


async def test_a_long_list_of_rooms_comes_as_one_scrolls(visit: Visit, server: Installation) -> None:
    async with server.person("root", admin=True) as root:
        for number in range(205):
            await root.answer("PUT", f"rooms/Room {number:03}", json={"communityId": "many"})
    async with visit("root", admin=True) as page:
        await page.opens("/#/community/many/rooms")
        await page.page.get_by_role("cell", name="Room 199", exact=True).wait_for()
        last = page.page.get_by_role("cell", name="Room 204", exact=True)

        async def scrolled_to_the_end() -> bool:
            await page.page.mouse.wheel(0, 20_000)
            return await last.count() == 1

        await eventually(scrolled_to_the_end, what="the last room")


async def test_a_role_gives_what_its_boxes_say(visit: Visit, server: Installation) -> None:
    async with visit("root", admin=True) as page:
        await page.opens("/#/community/blue/roles")
        await page.page.get_by_label("New role").fill("warden")
        await page.button("Add").click()
        await page.page.get_by_label("warden: Manage limits, quotas, roles and clips").click()
        await eventually(lambda: _role(server, "warden", ["MANAGE_REPLAY_LIMITS"]), what="the permission")

        await page.link("Members").click()
        await page.page.get_by_label("User id").fill("wanda")
        await page.page.get_by_role("combobox", name="Roles", exact=True).press("ArrowDown")
        await page.page.get_by_role("option", name="warden").click()
        await page.page.keyboard.press("Escape")
        await page.button("Give").click()
        await page.page.get_by_role("cell", name="wanda", exact=True).wait_for()
    async with visit("wanda") as page:
        await page.link("Community").click()
        await page.page.get_by_role("heading", name="Settings").wait_for()
        assert await page.page.get_by_label("Parts").get_by_role("link").all_inner_texts() == [
            "Settings",
            "Rooms",
            "Usage",
            "Roles",
            "Members",
        ]
        assert await page.page.get_by_text("The whole server").count() == 0


async def test_a_role_that_is_there_is_not_made_again(visit: Visit, server: Installation) -> None:
    async with visit("root", admin=True) as page:
        await page.opens("/#/community/violet/roles")
        manages = page.page.get_by_label("moderator: Manage limits, quotas, roles and clips")
        await manages.wait_for()
        await page.page.get_by_label("New role").fill("moderator")
        await page.button("Add").click()
        await page.sees("There is a role “moderator” already.")
        assert await manages.is_checked()
    async with server.person("root", admin=True) as root:
        roles = (await root.answer("GET", "admin/community/violet/roles")).json()["items"]
    assert not any(role["definedHere"] for role in roles)


async def test_who_is_given_one_more_role_keeps_the_others(visit: Visit, server: Installation) -> None:
    async with server.person("root", admin=True) as root:
        await root.answer("PUT", "admin/community/violet/members/vera", json={"roles": ["moderator"]})
    async with visit("root", admin=True) as page:
        await page.opens("/#/community/violet/members")
        await page.page.get_by_role("cell", name="vera", exact=True).wait_for()
        await page.page.get_by_label("User id").fill("vera")
        await page.page.get_by_role("combobox", name="Roles", exact=True).press("ArrowDown")
        await page.page.get_by_role("option", name="auditor").click()
        await page.page.keyboard.press("Escape")
        await page.button("Give").click()
        await page.sees("vera is now: moderator, auditor.")
        assert await _roles_of(server, "vera") == {"auditor", "moderator"}
        await page.button("Undo").click()
        await eventually(lambda: _has_roles(server, "vera", {"moderator"}), what="the role of before")


async def test_who_looks_after_nothing_is_offered_nothing_and_refused(visit: Visit, server: Installation) -> None:
    async with visit("nobody") as page:
        await page.link("Clips").wait_for()
        await page.page.get_by_role("heading", name="Nobody is sharing yet").wait_for()
        assert await page.link("Community").count() == 0
        for address in ("/#/community", "/#/community/blue/settings", "/#/community/-/users"):
            await page.opens(address)
            await page.sees("There is nothing here for you to look after.")
            assert await page.page.get_by_role("textbox").count() == 0
    async with server.person("nobody") as nobody:
        for path in ("admin/community/blue/config", "admin/community/blue/roles", "admin/users", "admin/audit"):
            with pytest.raises(Refused, match="403") as refused:
                await nobody.answer("GET", path)
            assert refused.value.problem["detail"].startswith("Permission denied - ")


async def test_users_are_found_and_given_room(visit: Visit, server: Installation) -> None:
    await saves_clips(server, "hoarder", "Everything")
    async with visit("root", admin=True) as page:
        await page.opens("/#/community/-/users")
        await page.page.get_by_label("Search users").fill("hoard")
        await eventually(lambda: _rows(page, "Users", ["Hoarder"]), what="the one that was searched")
        await page.button("Quota of hoarder").click()
        await page.page.get_by_label("Quota of hoarder in GB").fill("7.5")
        await page.page.keyboard.press("Enter")
        await page.button("Quota of hoarder: 7.5 GB").wait_for()
        assert (await _quota(server, "hoarder"))["quotaBytes"] == 7.5 * 1024**3
        await page.button("Undo").click()
        await eventually(lambda: _is_default(server, "hoarder"), what="the usual quota")
        await page.link("Usage").click()
        await page.page.get_by_text("Room", exact=True).click()
        await page.page.get_by_role("cell", name="room of hoarder").wait_for()


async def test_who_looks_after_a_community_sees_what_is_stored_there_and_nowhere_else(
    visit: Visit, server: Installation
) -> None:
    async with server.person("root", admin=True) as root:
        await root.answer("PUT", "rooms/room of painter", json={"communityId": "ochre"})
        await root.answer("PUT", "admin/community/ochre/members/oliver", json={"roles": ["moderator"]})
    await saves_clips(server, "painter", "Wet paint")
    await saves_clips(server, "stranger", "Elsewhere")
    async with visit("oliver") as page:
        await page.opens("/#/community/ochre/usage")
        await eventually(lambda: _rows(page, "Usage", ["Painter"]), what="the one who stores something there")
        by = page.page.get_by_role("radiogroup", name="By")
        assert await by.get_by_role("radio").count() == 2, "users and rooms; the community is this one"
        await by.get_by_text("Room", exact=True).click()
        await page.page.get_by_role("cell", name="room of painter").wait_for()


async def test_the_audit_trail_is_read_narrowed_and_taken_along(visit: Visit, server: Installation) -> None:
    await saves_clips(server, "traced", "Evidence")
    async with visit("root", admin=True) as page:
        await page.opens("/#/community/-/audit")
        await page.page.get_by_label("User id").fill("traced")
        await page.page.get_by_role("row").filter(has_text="traced saved a clip").wait_for()
        await page.page.get_by_label("Action").select_option("session.started")
        await eventually(lambda: _rows(page, "Audit", ["traced started a buffer"]), what="starts only")
        async with page.page.expect_download() as download:
            await page.button("Export").click()
        assert _actions(await (await download.value).path()) == ["session.started"]
        await page.page.get_by_label("When").select_option("days")
        await page.page.get_by_label("To", exact=True).fill("2020-01-01")
        await page.sees("Nothing of this kind has happened.")


async def _says(field: Locator, text: str) -> bool:
    return await field.input_value() == text


def _actions(export: Path) -> list[str]:
    return [json.loads(line)["action"] for line in export.read_text().splitlines()]


async def _config(server: Installation, community_id: str) -> Json:
    async with server.person("root", admin=True) as root:
        config: Json = (await root.answer("GET", f"admin/community/{community_id}/config")).json()
    return config


async def _community_of(server: Installation, room: str) -> str:
    async with server.person("root", admin=True) as root:
        return str((await root.answer("GET", f"rooms/{room}")).json()["communityId"])


async def _role(server: Installation, name: str, permissions: list[str]) -> bool:
    async with server.person("root", admin=True) as root:
        roles = (await root.answer("GET", "admin/community/blue/roles")).json()["items"]
    return {"role": name, "permissions": permissions, "definedHere": True, "builtIn": False} in roles


async def _roles_of(server: Installation, user_id: str) -> set[str]:
    async with server.person("root", admin=True) as root:
        members = (await root.answer("GET", "admin/community/violet/members")).json()["items"]
    return {role for member in members if member["userId"] == user_id for role in member["roles"]}


async def _has_roles(server: Installation, user_id: str, roles: set[str]) -> bool:
    return await _roles_of(server, user_id) == roles


async def _quota(server: Installation, user_id: str) -> Json:
    async with server.person("root", admin=True) as root:
        quota: Json = (await root.answer("GET", f"admin/users/{user_id}/quota")).json()
    return quota


async def _is_default(server: Installation, user_id: str) -> bool:
    return bool((await _quota(server, user_id))["isDefault"])


async def _rows(page: Visitor, table: str, wanted: list[str]) -> bool:
    """Whether the table has exactly these rows, by what is said in them."""
    rows = await page.page.get_by_role("table", name=table).locator("tbody tr").all_inner_texts()
    return len(rows) == len(wanted) and all(text in row for text, row in zip(wanted, rows, strict=True))
