"""Who may look into the database, and for how long."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest
from tests.support.installation import an_installation
from tests.support.studio import STUDIO, a_looker

from lookback.access.rates import Kind
from lookback.bootstrap.studio import SIGN_INS_PER_MINUTE
from lookback.studio.door import COOKIE, Seal
from lookback.studio.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.people import Json

PAGES = ("", *(f"{table.name}/list" for table in TABLES), *(f"{table.name}/details/1" for table in TABLES))
DAY = 24 * 3600


def unsigned(**claims: Any) -> str:
    """A token with the algorithm "none" and no signature (RFC 7519 section 6)."""
    parts = (json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), ""])


def refused(server: Installation) -> dict[str, tuple[str, int, str]]:
    """Tokens that let nobody in, with the status and the sentence of the answer."""
    now = int(time.time())
    ada = {"sub": "ada", "admin": True, "iat": now, "exp": now + DAY}
    endless = {"sub": "ada", "admin": True}
    of_community = {"c1": ["MANAGE_REPLAY_LIMITS", "VIEW_AUDIT"]}
    return {
        "another secret's": (jwt.encode(ada, "x" * 32, "HS256"), 401, "The token does not hold"),
        "expired": (server.token("ada", admin=True, exp=now - DAY), 401, "The token has expired"),
        "unsigned": (unsigned(**ada), 401, "The token is signed in a way that is not accepted here"),
        "endless": (jwt.encode(endless, server._secret, "HS256"), 401, "does not say in exp when it ends"),
        "a member's": (server.token("mary"), 403, "Permission denied - MANAGE_REPLAY_LIMITS"),
        "an auditor's": (server.token("audrey", roles=["auditor"]), 403, "Permission denied"),
        "a community's manager's": (server.token("max", permissions=of_community), 403, "Permission denied"),
        "a community's moderator's": (server.token("max", communities={"c1": ["moderator"]}), 403, "Permission denied"),
        "a word": ("letmein", 401, "The token is not a JSON Web Token"),
        "what no header may hold": ("a\r\nSet-Cookie: x=y", 401, "That is no token"),
        "too long": ("a" * 5000, 401, "too long"),
        "empty": ("", 401, "That is no token"),
    }


KINDS: tuple[str, ...] = ("another secret's", "expired", "unsigned", "endless", "a member's", "an auditor's")
KINDS += ("a community's manager's", "a community's moderator's", "a word", "what no header may hold")
KINDS += ("too long", "empty")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_that_does_not_hold_for_the_whole_server_lets_nobody_in(server: Installation, kind: str) -> None:
    assert tuple(refused(server)) == KINDS
    token, status, sentence = refused(server)[kind]
    async with a_looker(server) as looker:
        answer = await looker.enters(token)
        assert (answer.status_code, "set-cookie" in answer.headers) == (status, False)
        assert sentence in answer.text
        assert not token or token not in answer.text
        # Nor when it is signed as if it had come through the form once.
        looker.http.cookies.set(COOKIE, Seal(server._secret).closed(token.replace("\r\n", "")), path="/studio")
        assert await looker.is_sent_to_the_form()


async def test_without_a_token_there_is_nothing_but_the_form(server: Installation, saved: Json) -> None:
    pages = (*PAGES, f"clips/details/{saved['clipId']}", "nothing/list", "audit_people/list", "logout")
    async with a_looker(server) as looker:
        assert [page for page in pages if not await looker.is_sent_to_the_form(page)] == []
        form = await looker.sees("login")
    assert saved["clipId"] not in form
    assert not [table.name for table in TABLES if f"{table.name}/list" in form]


async def test_a_cookie_that_did_not_come_from_here_is_nothing(server: Installation) -> None:
    token = server.token("ada", admin=True)
    async with a_looker(server) as looker:
        for cookie in (token, f"{token}.", Seal("x" * 32).closed(token)):
            looker.http.cookies.set(COOKIE, cookie, path="/studio")
            assert await looker.is_sent_to_the_form()
        looker.http.cookies.clear()
        answer = await looker.http.get("/studio/clips/list", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 303


async def test_the_cookie_is_for_this_place_alone_and_ends_with_the_token(server: Installation) -> None:
    async with a_looker(server) as looker:
        answer = await looker.enters(server.token("ada", admin=True, exp=int(time.time()) + 600))
        assert await looker.sees("")
    cookie = dict.fromkeys(part.strip() for part in answer.headers["set-cookie"].split(";")[1:])
    seconds = int(next(part for part in cookie if part.startswith("Max-Age=")).partition("=")[2])
    assert set(cookie) == {"HttpOnly", "SameSite=strict", "Path=/studio", f"Max-Age={seconds}"}
    assert 500 < seconds <= 600
    assert answer.headers["cache-control"] == "no-store"


async def test_whoever_leaves_is_out(server: Installation) -> None:
    async with a_looker(server, server.token("ada", admin=True)) as looker:
        answer = await looker.http.get("/studio/logout")
        assert f'{COOKIE}=""' in answer.headers["set-cookie"]
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert await looker.is_sent_to_the_form("")


async def test_another_site_signs_nobody_in(server: Installation) -> None:
    token = server.token("ada", admin=True)
    async with a_looker(server) as looker:
        for site in ("cross-site", "same-site", "none"):
            answer = await looker.enters(token, **{"Sec-Fetch-Site": site})
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        assert (await looker.enters(token, **{"Sec-Fetch-Site": "same-origin"})).status_code == 303


async def test_a_role_that_is_taken_away_ends_it_at_once(server: Installation) -> None:
    async with server.person("root", admin=True) as root:
        await root.answer("PUT", "admin/members/max", json={"roles": ["moderator"]})
        async with a_looker(server, server.token("max")) as looker:
            assert "sessions/list" in await looker.sees("clips/list")
            await root.answer("DELETE", "admin/members/max")
            assert await looker.is_sent_to_the_form()
            assert looker.http.cookies.get(COOKIE) is None
            await root.answer("PUT", "admin/members/max", json={"roles": ["moderator"]})
            assert await looker.is_sent_to_the_form()
        await root.answer("DELETE", "admin/members/max")


async def test_a_token_that_is_revoked_ends_it_at_once(server: Installation) -> None:
    async with (
        server.person("root", admin=True) as root,
        a_looker(server, server.token("eve", admin=True)) as looker,
    ):
        assert "alice" in await looker.sees("users/list?search=alice")
        await root.answer("DELETE", "admin/users/eve/data")
        assert await looker.is_sent_to_the_form("users/list")
        assert (await looker.enters(server.token("eve", admin=True, iat=int(time.time()) - 60))).status_code == 401


async def test_the_trail_needs_the_right_to_read_the_trail(server: Installation) -> None:
    async with a_looker(server, server.token("mod", roles=["moderator"])) as moderator:
        menu = await moderator.sees("")
        assert "clips/list" in menu
        assert "audit_" not in menu
        for page in ("audit_entries/list", "audit_entries/details/1", "audit_horizon/list"):
            assert (await moderator.http.get(f"/studio/{page}")).status_code == 403
    async with a_looker(server, server.token("both", roles=["moderator", "auditor"])) as both:
        assert "session.started" in await both.sees("audit_entries/list?pageSize=100")


async def test_attempts_are_limited_by_address(server: Installation) -> None:
    async with a_looker(server) as looker:
        answers = [await looker.enters("letmein") for _ in range(SIGN_INS_PER_MINUTE + 1)]
        assert {answer.status_code for answer in answers[:-1]} == {401}
        assert answers[-1].status_code == 429
        assert f"Too many {Kind.SIGN_IN} in a minute" in answers[-1].text
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
        assert (await looker.enters(server.token("ada", admin=True))).status_code == 429
    async with a_looker(server, server.token("ada", admin=True)) as another:
        assert await another.sees("")


async def test_where_the_server_is_reached_by_https_the_cookie_is_too(tmp_path: Path) -> None:
    public = STUDIO | {"LOOKBACK_PUBLIC_URL": "https://replay.example.org"}
    async with an_installation(tmp_path / "home", **public) as server, a_looker(server) as looker:
        looker.http.headers["Host"] = "replay.example.org"
        form = await looker.sees("login")
        assert 'action="https://replay.example.org/studio/login"' in form
        assert "http://" not in form
        answer = await looker.enters(server.token("ada", admin=True))
        assert answer.headers["location"] == "https://replay.example.org/studio/"
        assert "Secure" in [part.strip() for part in answer.headers["set-cookie"].split(";")]


async def test_it_is_not_there_unless_it_is_switched_on(tmp_path: Path) -> None:
    async with an_installation(tmp_path / "home") as server, httpx.AsyncClient(base_url=server.url) as http:
        for accept in ("*/*", "text/html"):
            for path in ("/studio", "/studio/", "/studio/login", "/studio/clips/list"):
                there = await http.get(path, headers={"Accept": accept})
                unknown = await http.get(f"/nowhere{path}", headers={"Accept": accept})
                assert (there.status_code, there.content) == (unknown.status_code, unknown.content)
        assert (await http.get("/studio/")).status_code == 404
        assert (await http.post("/studio/login")).status_code == (await http.post("/nowhere")).status_code
