"""What is seen of the database, that nothing is changed, and what the trail tells of it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from html import unescape
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.installation import an_installation
from tests.support.people import BASE
from tests.support.postgres import a_postgres_server
from tests.support.studio import STUDIO, a_looker
from tests.support.waiting import eventually

from lookback.studio.headers import CONTENT_SECURITY_POLICY
from lookback.studio.tables import NEVER, TABLES

from .conftest import ROOM

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.people import Json
    from tests.support.studio import Looker

CHANGING = (
    "create",
    "edit/{key}",
    "delete?pks={key}",
    "export/csv",
    "export/json",
    "import",
    "ajax/lookup",
    "action/x",
)
FILES = ("{key}/title/download/", "{key}/title/preview/")


def rows(server: Installation, table: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(server.home / "lookback.db")) as database:
        return database.execute(f"SELECT * FROM {table}").fetchall()


def change(server: Installation, statement: str) -> None:
    with closing(sqlite3.connect(server.home / "lookback.db", isolation_level=None)) as database:
        database.execute(statement)


async def viewed(server: Installation, user: str) -> list[Json]:
    """What the trail says that somebody has looked at, oldest first."""
    async with server.person("root", admin=True) as root:
        answer = await root.answer("GET", "admin/audit", params={"user": user, "action": "studio.viewed", "limit": 200})
    items: list[Json] = answer.json()["items"]
    return items[::-1]


async def test_an_administrator_sees_clips_and_sessions(looker: Looker, saved: Json) -> None:
    clips, sessions = await looker.sees("clips/list"), await looker.sees("sessions/list")
    for told in (saved["clipId"], saved["sessionId"], "alice", ROOM, "&lt;b&gt;Deploy&lt;/b&gt;", "1 row<"):
        assert told in clips
    assert "<b>Deploy" not in clips
    assert saved["sessionId"] in sessions
    row = await looker.sees(f"clips/details/{saved['clipId']}")
    for told in (saved["createdAt"], "sha256", "size_bytes", f"<td>{saved['sizeBytes']}</td>"):
        assert told in row


async def test_lists_are_sorted_searched_and_turned_over(looker: Looker, saved: Json) -> None:
    assert saved["clipId"] in await looker.sees("clips/list?search=ALICE&sortBy=size_bytes&sort=desc&pageSize=10")
    assert "0 rows" in await looker.sees("clips/list?search=nobody%25x")
    assert "0 rows" in await looker.sees("clips/list?search=%00")
    for wrong in ("sortBy=share_key", "sortBy=gaps", "sortBy=__class__", "page=x", "pageSize=0", "page=" + "9" * 5000):
        assert (await looker.http.get(f"/studio/clips/list?{wrong}")).status_code == 400
    for page in ("9" * 30, "-1"):
        answer = await looker.http.get(f"/studio/clips/list?page={page}")
        assert (answer.status_code, answer.headers["location"].endswith("?page=1")) == (302, True)


async def test_a_search_does_not_look_at_what_is_not_shown(looker: Looker, server: Installation, saved: Json) -> None:
    [[key]] = rows(server, "(SELECT share_key FROM clips)")
    for term in (key, key[:12], "once-and-only"):
        assert saved["clipId"] not in await looker.sees(f"clips/list?search={term}")


@pytest.mark.parametrize("key", ["nothing", "a;b", "x;" + "9" * 30, "1e5", ";", "%27", "a%01b"])
@pytest.mark.parametrize("table", ["clips", "session_events", "audit_entries", "members"])
async def test_what_is_not_there_is_404(looker: Looker, table: str, key: str) -> None:
    assert (await looker.http.get(f"/studio/{table}/details/{key}")).status_code == 404


async def test_nothing_can_be_changed_exported_or_uploaded(looker: Looker, server: Installation, saved: Json) -> None:
    keys = {"clips": saved["clipId"], "sessions": saved["sessionId"], "users": "alice"}
    before = {table: rows(server, table) for table in keys}
    for (table, key), what in product(keys.items(), (*CHANGING, *FILES, "list", "details/{key}", "")):
        url = f"/studio/{table}/{what.format(key=key)}"
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = await looker.http.request(method, url, data={"title": "changed", "save": "Save"})
            assert answer.status_code in {404, 405}, f"{method} {url}: {answer.status_code}"
        if what in {*CHANGING, *FILES}:
            assert (await looker.http.get(url)).status_code == 404
    assert {table: rows(server, table) for table in keys} == before


async def test_no_page_offers_a_change_or_shows_a_secret(server: Installation, looker: Looker, saved: Json) -> None:
    change(server, "UPDATE sessions SET ice_etag = 'ice-etag-of-somebody'")
    [[share_key, repeated]] = rows(server, "(SELECT share_key, idempotency_key FROM clips)")
    keys = {key for row in rows(server, "(SELECT actor_key, subject_key FROM audit_entries)") for key in row if key}
    assert (share_key in saved["shareUrl"], repeated, bool(keys)) == (True, "once-and-only", True)
    found = await looker.crawls()
    pages = {url: unescape(text) for url, text in found.items() if "/statics/" not in url}
    assert [url for url in found if "/statics/" in url] == [f"{server.url}/studio/statics/css/tabler.min.css"]
    shown = {url for url in pages if "/details/" in url}
    assert any(saved["clipId"] in url for url in shown)
    assert any("audit_entries" in url for url in shown)
    assert any("users/details/alice" in url for url in shown)
    token = server.token("ada", admin=True)
    secrets = {share_key, repeated, "ice-etag-of-somebody", token[:30], server._secret, *keys}
    told = [(url, secret) for (url, text), secret in product(pages.items(), secrets) if secret in text]
    assert told == []
    never = {row.__tablename__ for row in NEVER} | {name for table in TABLES for name in table.never}
    named = re.compile(rf"\b({'|'.join(never)})\b")
    assert [(url, named.findall(text)) for url, text in pages.items() if named.search(text)] == []
    offers = ("Delete", "Edit", "Export", "Import", "+ New", "/create", "/edit/", "/delete", "/export/")
    assert [(url, offer) for (url, text), offer in product(pages.items(), offers) if offer in text] == []


async def test_every_list_and_row_that_is_looked_at_is_one_entry(server: Installation, saved: Json) -> None:
    async with a_looker(server, server.token("watcher", admin=True)) as looker:
        await looker.sees("")
        await looker.sees("clips/list?search=alice")
        await looker.http.get("/studio/clips/list?page=9")
        await looker.sees(f"clips/details/{saved['clipId']}")
        await looker.sees("users/details/alice")
        await looker.sees(f"session_events/details/{saved['sessionId']};1")
        await looker.http.get("/studio/clips/details/nothing")
        await looker.http.get("/studio/clips/list?sortBy=share_key")
        await looker.sees("rooms/list")
    entries = await viewed(server, "watcher")
    assert {(e["actor"]["userId"], e["address"][:8]) for e in entries} == {("watcher", "192.0.2.")}
    told = [(e["subject"], e["target"], e["roomName"], e["facts"]) for e in entries]
    assert told == [
        (None, None, None, {"table": "clips", "page": 1, "searched": True}),
        ("alice", saved["clipId"], ROOM, {"table": "clips"}),
        ("alice", None, None, {"table": "users"}),
        (None, f"{saved['sessionId']};1", None, {"table": "session_events"}),
        (None, None, None, {"table": "rooms", "page": 1}),
    ]


async def test_who_a_member_is_stands_where_an_erasure_finds_it(server: Installation) -> None:
    async with server.person("root", admin=True) as root:
        await root.answer("PUT", "admin/community/c1/members/zoe", json={"roles": ["member"]})
    async with a_looker(server, server.token("reader", admin=True)) as looker:
        await looker.sees("members/details/c1;zoe;member")
    [entry] = await viewed(server, "reader")
    assert (entry["subject"], entry["communityId"], entry["target"]) == ("zoe", "c1", "member")
    assert "zoe" not in str(entry["facts"])


async def test_what_cannot_be_told_to_the_trail_is_not_shown(server: Installation, saved: Json) -> None:
    async with a_looker(server, server.token("unseen", admin=True)) as looker:
        change(
            server,
            "CREATE TRIGGER full BEFORE INSERT ON audit_entries WHEN NEW.action = 'studio.viewed' "
            "BEGIN SELECT RAISE(ABORT, 'no more entries'); END",
        )
        try:
            for path in ("clips/list", f"clips/details/{saved['clipId']}"):
                answer = await looker.http.get(f"/studio/{path}")
                assert (answer.status_code, saved["sessionId"] in answer.text) == (500, False)
        finally:
            change(server, "DROP TRIGGER full")
        assert saved["sessionId"] in await looker.sees("clips/list")
    assert len(await viewed(server, "unseen")) == 1


async def test_pages_may_load_nothing_from_elsewhere_and_are_kept_nowhere(looker: Looker) -> None:
    for path in ("", "login", "clips/list", "nothing", "statics/css/main.css"):
        headers = (await looker.http.get(f"/studio/{path}")).headers
        assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == ("no-cache" if path.startswith("statics/") else "no-store")


async def test_beside_it_everything_is_as_it_was(server: Installation, looker: Looker) -> None:
    answer = await looker.http.get("/studio")
    assert (answer.status_code, answer.headers["location"]) == (307, f"{server.url}/studio/")
    assert "studio.viewed" in (document := (await looker.http.get(f"{BASE}/openapi.json")).text)
    assert "/studio" not in document
    page = await looker.http.get("/", headers={"Accept": "text/html"})
    assert page.headers["content-security-policy"] != CONTENT_SECURITY_POLICY
    await looker.sees("clips/list")
    metrics = (await looker.http.get("/metrics")).text
    assert 'route="/studio",status="200"' in metrics
    assert "identity" not in metrics


async def test_on_postgresql_it_is_the_same(tmp_path: Path) -> None:
    with a_postgres_server() as postgres:
        database = await postgres.new_database(empty=True)
        async with an_installation(tmp_path / "home", DATABASE_URL=database, **STUDIO) as server:
            async with server.person("root", admin=True) as root:
                await root.answer("PUT", "admin/community/c1/members/zoe", json={"roles": ["member"]})
            async with a_looker(server, server.token("ada", admin=True)) as looker:
                await _looks_at_everything(looker)
                assert len(await viewed(server, "ada")) > len(TABLES)
                postgres.stop()
                answer = await looker.http.get("/studio/clips/list")
                assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
                assert "The database does not answer" in answer.text
                postgres.start()
                assert await eventually(lambda: looker.sees_if("clips/list"), what="the list")


async def _looks_at_everything(looker: Looker) -> None:
    for table in TABLES:
        for query in ("", "?search=zoe", "?search=%00", *(f"?sortBy={name}" for name in table.shown[:2])):
            await looker.sees(f"{table.name}/list{query}")
        for key in ("x", "x;" + "9" * 30, "9" * 30):
            assert (await looker.http.get(f"/studio/{table.name}/details/{key}")).status_code == 404
    assert "zoe" in await looker.sees("members/details/c1;zoe;member")
    assert any("audit_entries/details" in url for url in await looker.crawls())
