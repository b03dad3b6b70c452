"""Who may do what: every route, asked by everybody about what is theirs, another's and another community's.

Alice owns what is asked about; it belongs to the community c1. `elsewhere` manages another one.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path
from tests.support.authorisation import Row, World, address, rows, seen
from tests.support.encoded_clip import ClipShape
from tests.support.installation import Installation, one_installation
from tests.support.publishers import sharing

from lookback.api.app import HttpConfig, create_app
from lookback.bootstrap.parts import WEB_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.people import Json, Person

    from lookback.api.ports import Services

PEOPLE = ("nobody", "expired", "stranger", "member", "auditor", "elsewhere", "manager", "owner", "admin")

# 422: one may, but buffers are off there. 400 for /whip: one may, but the offer is nonsense.
TABLE = """
#                                               nobody expired stranger member auditor elsewhere manager owner admin
GET    my-clips                                                | 401 401 200/0 200/0 200/0 200/0 200/0 200/4 200/0
GET    clips?community=c1                                      | 401 401 404   200/1 200/1 404   200/4 200/1 200/4
GET    clips/<private>                                         | 401 401 404   404   404   404   200   200   200
GET    clips/<shown>                                           | 401 401 404   200   200   404   200   200   200
GET    clips/<linked>                                          | 401 401 404   404   404   404   200   200   200
GET    clips/<deleted>                                         | 401 401 404   404   404   404   404   404   404
GET    clips/<private>/video                                   | 401 401 404   404   404   404   200   200   200
GET    clips/<shown>/video                                     | 401 401 404   200   200   404   200   200   200
GET    clips/<private>/poster                                  | 401 401 404   404   404   404   200   200   200
GET    clips/<shown>/poster                                    | 401 401 404   200   200   404   200   200   200
GET    shared/<key>                                            | 200 200 200   200   200   200   200   200   200
GET    shared/guessed                                          | 404 404 404   404   404   404   404   404   404
PATCH  clips/<private> {"title": "x"}                          | 401 401 404   404   404   404   200   200   200
PATCH  clips/<shown> {"title": "x"}                            | 401 401 404   403   403   404   200   200   200
PATCH  clips/<private> {"visibility": "private"}               | 401 401 404   404   404   404   200   200   200
POST   clips/<deleted>/restore                                 | 401 401 404   404   404   404   200   200   200
POST   clips/<shown>/restore                                   | 401 401 404   403   403   404   200   200   200
POST   clips/restore {"clipIds": ["<deleted>"]}                | 401 401 200/0 200/0 200/0 200/0 200/1 200/1 200/1
POST   clips/delete {"clipIds": ["<private>"]}                 | 401 401 200/0 200/0 200/0 200/0 200/1 200/1 200/1
DELETE clips/<private>                                         | 401 401 404   404   404   404   204   204   204
DELETE clips/<shown>                                           | 401 401 404   403   403   404   204   204   204
POST   clips/<webm>/renditions {"format": "mp4"}               | 401 401 404   404   404   404   202   202   202
GET    clips/<webm>/renditions/<mp4>                           | 401 401 404   404   404   404   200   200   200
GET    clips/<webm>/renditions/<mp4>/video                     | 401 401 404   404   404   404   200   200   200
DELETE clips/<webm>/renditions/<mp4>                           | 401 401 404   404   404   404   204   204   204

GET    sessions                                                | 401 401 200/0 200/0 200/0 200/0 200/0 200/3 200/0
GET    status/office                                           | 401 401 200/0 200/0 200/0 200/0 200/2 200/2 200/2
GET    status/stage                                            | 401 401 200/0 200/1 200/0 200/0 200/1 200/1 200/1
GET    sessions/<session>/timeline                             | 401 401 404   404   404   404   200   200   200
GET    sessions/<staged>/timeline                              | 401 401 404   200   404   404   200   200   200
GET    admin/sessions                                          | 401 401 403   403   403   403   403   403   200
GET    sessions/<session>/story                                | 401 401 404   404   404   404   200   200   200
GET    sessions/<staged>/story                                 | 401 401 404   404   404   404   200   200   200
GET    sessions/<session>/segments/1/media                     | 401 401 404   404   404   404   200   200   200
GET    sessions/<staged>/segments/1/media                      | 401 401 404   200   404   404   200   200   200
GET    sessions/<session>/segments/1/thumbnail                 | 401 401 404   404   404   404   200   200   200
POST   stop/<session>                                          | 401 401 404   404   404   404   200   200   200
POST   stop/<staged>                                           | 401 401 404   404   404   404   200   200   200
POST   capture {"sessionId": "<session>", "durationSeconds": 1} | 401 401 404  404   404   404   201   201   201
POST   capture {"sessionId": "<staged>", "durationSeconds": 1} | 401 401 404   201   404   404   201   201   201
POST   /whip/office v=0                                        | 401 401 400   400   400   400   400   400   400
POST   /whip/vault v=0                                         | 401 401 403   403   403   403   403   403   422
PATCH  /whip/hall/<offered> a=x                                | 401 401 404   404   404   404   404   428   404
DELETE /whip/hall/<offered>                                    | 401 401 404   404   404   404   404   200   404
OPTIONS /whip/office                                           | 204 204 204   204   204   204   204   204   204
POST   start {"roomName": "quiet", <synthetic>}                | 401 401 422   422   422   422   422   422   422
POST   start {"roomName": "vault", <synthetic>}                | 401 401 403   403   403   403   403   403   422
POST   start {"roomName": "quiet", "communityId": "c2", <synthetic>} | 401 401 400 400 400  400   400   400   400
POST   start {"roomName": "quiet", "participantIdentity": "zoe", <synthetic>} | 401 401 403 403 403 403 422 403 422

GET    me                                                      | 401 401 200   200   200   200   200   200   200
GET    me/consent                                              | 401 401 200   200   200   200   200   200   200
PUT    me/consent {"buffering": "allow"}                       | 401 401 200   200   200   200   200   200   200
GET    me/export                                               | 401 401 200   200   200   200   200   200   200
GET    admin/users/alice/export                                | 401 401 403   403   403   403   403   200   200
DELETE admin/users/zelda/data                                  | 401 401 403   403   403   403   403   403   204
DELETE me/data                                                 | 401 401 204   204   204   204   204   204   204

GET    communities                                             | 401 401 200/0 200/2 200/1 200/1 200/3 200/1 200/5
GET    admin/community/c1/config                               | 401 401 403   403   403   403   200   403   200
PATCH  admin/community/c1/config {"maxConcurrent": 9}          | 401 401 403   403   403   403   200   403   200
GET    admin/community/c1/rooms                                | 401 401 403   403   403   403   200/1 403   200/1
GET    rooms/office                                            | 401 401 404   200   200   404   200   200   200
PUT    rooms/office {"communityId": "c1"}                      | 401 401 403   403   403   403   200   403   200
PUT    rooms/office {"communityId": "c2"}                      | 401 401 403   403   403   403   403   403   200
DELETE rooms/office                                            | 401 401 404   403   403   404   204   403   204
GET    admin/community/c1/roles                                | 401 401 403   403   403   403   200/4 403   200/4
PUT    admin/community/c1/roles/guest {"permissions": ["CAPTURE_REPLAY"]} | 401 401 403 403 403 403 200 403 200
PUT    admin/community/c1/roles/guest {"permissions": ["VIEW_AUDIT"]} | 401 401 403 403 403 403  403   403   200
DELETE admin/community/c1/roles/guest                          | 401 401 403   403   403   403   204   403   204
GET    admin/community/c1/members                              | 401 401 403   403   403   403   200/4 403   200/4
PUT    admin/community/c1/members/zoe {"roles": ["member"]}    | 401 401 403   403   403   403   200   403   200
PUT    admin/community/c1/members/zoe {"roles": ["auditor"]}   | 401 401 403   403   403   403   403   403   200
DELETE admin/community/c1/members/zoe                          | 401 401 403   403   403   403   204   403   204
GET    admin/roles                                             | 401 401 403   403   403   403   403   403   200/4
PUT    admin/roles/guest {"permissions": []}                   | 401 401 403   403   403   403   403   403   200
DELETE admin/roles/guest                                       | 401 401 403   403   403   403   403   403   204
GET    admin/members                                           | 401 401 403   403   403   403   403   403   200/0
PUT    admin/members/zoe {"roles": ["member"]}                 | 401 401 403   403   403   403   403   403   200
DELETE admin/members/zoe                                       | 401 401 403   403   403   403   403   403   204

GET    admin/users                                             | 401 401 403   403   403   403   403   403   200
GET    admin/users/alice/quota                                 | 401 401 403   403   403   403   403   403   200
PATCH  admin/users/alice/quota {"quotaBytes": null}            | 401 401 403   403   403   403   403   403   200
GET    admin/usage                                             | 401 401 403   403   403   403   403   403   200
GET    admin/usage?community=c1                                | 401 401 403   403   403   403   200   403   200
GET    admin/health                                            | 401 401 403   403   403   403   403   403   200
GET    admin/space                                             | 401 401 403   403   403   403   403   403   200
POST   admin/cleanup {"dryRun": true}                          | 401 401 403   403   403   403   403   403   200
GET    admin/audit                                             | 401 401 403   403   403   403   403   403   200
GET    admin/audit?community=c1                                | 401 401 403   403   200   403   403   403   200
GET    admin/audit/export                                      | 401 401 403   403   403   403   403   403   200
GET    admin/audit/export?community=c1                         | 401 401 403   403   200   403   403   403   200

POST   livekit/join {"roomName": "office"}                     | 401 401 404   404   404   404   404   404   404
POST   /webhooks/livekit {}                                    | 503 503 503   503   503   503   503   503   503
GET    openapi.json                                            | 200 200 200   200   200   200   200   200   200
GET    /healthz                                                | 200 200 200   200   200   200   200   200   200
GET    /readyz                                                 | 200 200 200   200   200   200   200   200   200
GET    /metrics                                                | 200 200 200   200   200   200   200   200   200
"""
ROWS = rows(TABLE, PEOPLE)
KNOWN = PEOPLE[2:]

# Before each asking, so that everybody finds the same: who does what.
FIRST = {
    "POST clips/<deleted>/restore": ("owner", 'POST clips/delete {"clipIds": ["<deleted>"]}'),
    "POST clips/restore": ("owner", 'POST clips/delete {"clipIds": ["<deleted>"]}'),
    "POST clips/delete": ("owner", "POST clips/<private>/restore"),
    "DELETE clips/<private>": ("owner", "POST clips/<private>/restore"),
    "DELETE clips/<shown>": ("owner", "POST clips/<shown>/restore"),
    "DELETE clips/<webm>/renditions/<mp4>": ("owner", 'POST clips/<webm>/renditions {"format": "mp4"}'),
    "PATCH /whip/hall/<offered>": ("owner", "POST /whip/hall <offer>"),
    "DELETE /whip/hall/<offered>": ("owner", "POST /whip/hall <offer>"),
    "PUT rooms/office": ("admin", 'PUT rooms/office {"communityId": "c1"}'),
    "DELETE rooms/office": ("admin", 'PUT rooms/office {"communityId": "c1"}'),
    "DELETE admin/community/c1/roles/guest": ("admin", 'PUT admin/community/c1/roles/guest {"permissions": []}'),
    "DELETE admin/community/c1/members/zoe": ("admin", 'PUT admin/community/c1/members/zoe {"roles": ["member"]}'),
    "DELETE admin/roles/guest": ("admin", 'PUT admin/roles/guest {"permissions": []}'),
    "DELETE admin/members/zoe": ("admin", 'PUT admin/members/zoe {"roles": ["member"]}'),
}
OFFER = Path(__file__).resolve().parents[1] / "data" / "sdp" / "chromium-gathered.sdp"
RULES = (
    'PUT rooms/office {"communityId": "c1"}',
    'PUT rooms/stage {"communityId": "open"}',
    'PUT rooms/vault {"communityId": "closed"}',
    'PUT rooms/quiet {"communityId": "quiet"}',
    'PATCH admin/community/quiet/config {"enabled": false}',
    'PATCH admin/community/closed/config {"enabled": false}',
    'PATCH admin/community/open/config {"viewersMayCapture": true}',
    'PATCH admin/community/c2/config {"enabled": true}',
    'PUT admin/community/closed/roles/everybody {"permissions": []}',
    'PUT admin/community/c1/members/mary {"roles": ["member"]}',
    'PUT admin/community/open/members/mary {"roles": ["member"]}',
    'PUT admin/community/c1/members/alice {"roles": ["member"]}',
    'PUT admin/community/c1/members/audrey {"roles": ["auditor"]}',
    'PUT admin/community/c1/members/max {"roles": ["moderator"]}',
    'PUT admin/community/open/members/max {"roles": ["moderator"]}',
    'PUT admin/community/quiet/members/max {"roles": ["moderator"]}',
    'PUT admin/community/c2/members/eve {"roles": ["moderator"]}',
)


APP = create_app(cast("Services", None), HttpConfig(WEB_FOLDER))
ROUTES = {(method, str(r.path)) for r in iter_route_contexts(APP.routes) for method in r.methods or ()}


def routes_of(row: Row) -> set[tuple[str, str]]:
    """The route that answers the row's request, and the one for HEAD beside it."""
    path = address(row.request.path).partition("?")[0]
    return {
        (method, template)
        for method, template in ROUTES
        if method in {row.request.method, "HEAD"} and compile_path(template)[0].match(path)
    }


def methods_of(row: Row) -> set[str]:
    return {method for method, _ in routes_of(row)}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    settings = {"REPLAY_SEGMENT_DURATION_SECONDS": "2"}
    with one_installation(tmp_path_factory.mktemp("home"), **settings) as server:
        world = World(server.url, _tokens(server))
        asyncio.run(_furnish(world, server))
        yield world


def _tokens(server: Installation) -> dict[str, str | None]:
    names = {"stranger": "sam", "member": "mary", "auditor": "audrey", "elsewhere": "eve", "manager": "max"}
    names |= {"owner": "alice"} | {f"{person} to be erased": f"{person}-2" for person in KNOWN}
    known = {person: server.token(name) for person, name in names.items()}
    expired = server.token("alice", admin=True, exp=int(time.time()) - 3600)
    return {"nobody": None, "expired": expired, **known, "admin": server.token("ada", admin=True)}


async def _furnish(world: World, server: Installation) -> None:
    for rule in RULES:
        await world.do("admin", rule)
    async with server.person("alice") as alice:
        await _record(world, alice, "session", "office", "private", "shown", "linked", "deleted")
        await _record(world, alice, "staged", "stage")
        await _record(world, alice, "vp8", "office", "webm")
        rendition = await alice.wants_mp4({"clipId": world.things["webm"]})
    world.things |= {"mp4": rendition["renditionId"], "offered": "nothing", "offer": OFFER.read_text()}
    world.things["synthetic"] = '"source": "synthetic"'
    await world.do("owner", 'PATCH clips/<shown> {"visibility": "community"}')
    linked = await world.do("owner", 'PATCH clips/<linked> {"visibility": "link"}')
    world.things["key"] = linked.json()["shareUrl"].rpartition("/")[2]
    await world.do("owner", "DELETE clips/<deleted>")


async def _record(world: World, alice: Person, name: str, room: str, *clips: str) -> None:
    """Share in a room for a while, and save clips of it, which get these names."""
    shape = ClipShape("vp8" if name == "vp8" else "h264")
    async with sharing(alice, room, shape) as share:
        await alice.sees_buffered(share.session, 2.5)
        # Of different lengths: two of the same range would be one clip.
        saved: list[Json] = [await alice.captures(share.session, durationSeconds=1 + n / 10) for n in range(len(clips))]
    await alice.sees_status(await alice.stops(share.session), "draining")
    world.things[name] = share.session["sessionId"]
    for clip_name, clip in zip(clips, saved, strict=True):
        world.things[clip_name] = clip["clipId"]
        await alice.sees_stored(clip)


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_everybody_is_answered_as_the_table_says(row: Row, world: World) -> None:
    erased = " to be erased" if row.request.path == "me/data" else ""
    for person, expected in zip(PEOPLE, row.answers, strict=True):
        for method in sorted({"HEAD", row.request.method} & methods_of(row), reverse=True):
            await _prepare(world, row)
            name = person + erased if person in KNOWN else person
            answer = await world.ask(name, row.request._replace(method=method))
            assert (person, method, seen(answer, expected)) == (person, method, expected), answer.text


async def _prepare(world: World, row: Row) -> None:
    """Do what comes first, and remember the id of what it has made."""
    first = FIRST.get(f"{row.request.method} {row.request.path}")
    if first is None:
        return
    made = await world.do(*first)
    if "<mp4>" in row.request.path:
        world.things["mp4"] = made.json()["renditionId"]
    if "<offered>" in row.request.path:
        world.things["offered"] = made.headers["X-Lookback-Session"]


def test_every_route_has_a_row() -> None:
    assert [str(row) for row in ROWS if not routes_of(row)] == []
    asked = {route for row in ROWS for route in routes_of(row)}
    assert sorted(f"{method} {path}" for method, path in ROUTES - asked) == []
