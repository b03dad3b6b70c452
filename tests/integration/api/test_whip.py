"""WHIP as RFC 9725 has it: what a publisher that nobody here wrote will find."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from tests.support.encoded_clip import encoded_clip
from tests.support.publishers import sending, sharing
from tests.support.sender_sdp import offer, restart_fragment
from tests.support.whip_sender import WhipSender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx
    from tests.support.installation import Installation
    from tests.support.people import Person

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
ROOM = "/whip/stage"


@asynccontextmanager
async def published(person: Person, room: str = ROOM) -> AsyncIterator[httpx.Response]:
    """The answer to an offer of which nothing comes, ended afterwards."""
    answer = await person.http.post(room, content=offer(WhipSender(encoded_clip())), headers=SDP)
    assert answer.status_code == 201, answer.text
    try:
        yield answer
    finally:
        await person.http.delete(answer.headers["location"])


async def test_an_offer_is_answered_with_a_resource(server: Installation) -> None:
    async with server.person("pia") as pia:
        async with published(pia, "/whip/stage%2F1%20%C3%A4") as answer:
            headers = answer.headers
            assert headers["content-type"].partition(";")[0] == "application/sdp"
            assert answer.text.startswith("v=0\r\n")
            assert headers["location"] == f"/whip/stage%2F1%20%C3%A4/{headers['x-lookback-session']}"
            assert headers["etag"].strip('"')
            assert headers["link"] == '<stun:stun.example.org>; rel="ice-server"'
            session = await pia.session_in(unquote("stage%2F1%20%C3%A4"))
            assert session is not None
            assert (session["sessionId"], session["source"]) == (headers["x-lookback-session"], "whip")
            ended = await pia.http.delete(headers["location"])
            assert (ended.status_code, ended.content) == (200, b"")
            assert (await pia.http.delete(headers["location"])).status_code == 404
        async with published(pia):
            pass  # the place is free again


@pytest.mark.parametrize("path", [ROOM, f"{ROOM}/session"])
async def test_browsers_of_any_origin_may_publish(stranger: httpx.AsyncClient, path: str) -> None:
    for method in ("POST", "PATCH", "DELETE"):
        asked = {
            "Origin": "https://app.example",
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization, content-type, if-match, traceparent",
        }
        preflight = await stranger.options(path, headers=asked)
        assert preflight.status_code in {200, 204}
        assert preflight.headers["access-control-allow-origin"] == "*"
        assert method in preflight.headers["access-control-allow-methods"]
        allowed = preflight.headers["access-control-allow-headers"].lower()
        assert all(name in allowed for name in ("authorization", "content-type", "if-match", "traceparent"))


async def test_options_say_what_is_taken(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.options(ROOM)
    assert (answer.status_code, answer.headers["accept-post"]) == (204, "application/sdp")


async def test_answers_and_refusals_can_be_read_by_other_origins(server: Installation) -> None:
    origin = {"Origin": "https://app.example"}
    async with server.person("orla") as orla, published(orla) as answer:
        other = await orla.http.post("/whip/other", content="x", headers={**SDP, **origin})
        assert other.headers["access-control-allow-origin"] == "*"
        exposed = other.headers["access-control-expose-headers"].lower()
        assert all(name in exposed for name in ("location", "etag", "link", "x-lookback-session"))
        async with orla.stranger() as stranger:
            nobody = await stranger.post(answer.headers["location"], headers={**SDP, **origin})
            assert nobody.status_code == 401
            assert nobody.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "application/sdpx"])
async def test_other_kinds_of_body_are_refused(alice: Person, kind: str) -> None:
    answer = await alice.http.post(ROOM, content="v=0", headers={"Content-Type": kind} if kind else {})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    assert answer.json()["accepted"] == ["application/sdp"]


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"v=0\r\n" * 60_000, 413, "too-large"),
        (b"", 400, "malformed"),
        (b"hello", 400, "malformed"),
        (b"\xff\xfe", 400, "malformed"),
        (b"v=0\r\nm=video\r\n", 400, "malformed"),
    ],
)
async def test_what_is_no_offer_is_refused(alice: Person, content: bytes, status: int, code: str) -> None:
    answer = await alice.http.post(ROOM, content=content, headers=SDP)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await alice.session_in("stage") is None


async def test_a_codec_that_cannot_be_recorded_is_named(alice: Person) -> None:
    text = offer(WhipSender(encoded_clip())).replace("H264/90000", "AV1/90000")
    answer = await alice.http.post(ROOM, content=text, headers=SDP)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "unsupported-codec")
    assert "AV1" in str(problem["offered"])
    assert problem["supported"]
    assert await alice.session_in("stage") is None


async def test_ice_is_restarted_for_who_says_which(server: Installation) -> None:
    async with server.person("rita") as rita, published(rita) as answer:
        where, sender = answer.headers["location"], WhipSender(encoded_clip())

        async def patch(content: str, **headers: str) -> httpx.Response:
            return await rita.http.patch(where, content=content, headers=FRAGMENT | headers)

        fragment = restart_fragment(sender)
        assert (await patch(fragment)).status_code == 428
        assert (await patch(fragment, **{"If-Match": '"stale"'})).status_code == 412
        assert (await patch("a=candidate:x", **{"If-Match": answer.headers["etag"]})).status_code == 204
        assert (await rita.http.patch(where, content=fragment, headers=SDP | {"If-Match": "*"})).status_code == 415
        assert (await patch("nonsense", **{"If-Match": "*"})).status_code == 400
        restarted = await patch(fragment, **{"If-Match": "*"})
        assert (restarted.status_code, restarted.headers["content-type"].partition(";")[0]) == (
            (200, "application/trickle-ice-sdpfrag")
        )
        assert "a=ice-ufrag:" in restarted.text
        assert restarted.headers["etag"] != answer.headers["etag"]
        stale = await patch("a=candidate:x", **{"If-Match": answer.headers["etag"]})
        assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
        assert (await patch("a=candidate:x", **{"If-Match": restarted.headers["etag"]})).status_code == 204
        elsewhere = where.replace("stage", "backstage")
        assert (await rita.http.delete(elsewhere)).status_code == 404


async def test_one_share_per_user_and_the_same_room_goes_on(server: Installation) -> None:
    async with server.person("olga") as olga, published(olga) as answer:
        session_id = answer.headers["x-lookback-session"]
        text = offer(WhipSender(encoded_clip()))
        other = await olga.http.post("/whip/other", content=text, headers=SDP)
        assert (other.status_code, other.json()["code"]) == (400, "already-active")
        assert other.json()["sessionId"] == session_id
        again = await olga.http.post(ROOM, content=text, headers=SDP)
        assert (again.status_code, again.headers["x-lookback-session"]) == (201, session_id)
        garbage: Any = await olga.http.post(ROOM, content="hello", headers=SDP)
        assert garbage.status_code == 400
        assert (await olga.session_in("stage") or {})["sessionId"] == session_id, "a bad offer ends nothing"
        demo = await olga.http.post("/livekit-replay/start", json={"roomName": "stage", "source": "synthetic"})
        assert (demo.status_code, demo.json()["code"]) == (400, "already-active")


async def test_a_bad_offer_disturbs_no_running_share(server: Installation) -> None:
    async with server.person("vera") as vera, sharing(vera, "stage") as share:
        for content, headers in (("hello", SDP), ("x", {"Content-Type": "text/plain"})):
            assert (await vera.http.post(ROOM, content=content, headers=headers)).is_error
        seen = await vera.sees(share.session)
        assert (seen["status"], seen["video"]["codec"]) == ("recording", "h264")
        assert (seen["video"]["width"], seen["video"]["height"]) == (
            (encoded_clip().shape.width, encoded_clip().shape.height)
        )


async def test_a_publisher_that_says_goodbye_drains(server: Installation) -> None:
    async with server.person("gina") as gina, sending(gina, "stage", encoded_clip()) as share:
        await gina.sees_status(share.session, "recording")
        where = f"{ROOM}/{share.session['sessionId']}"
        assert (await gina.http.delete(where)).status_code == 200
        seen = await gina.sees_status(share.session, "draining")
    assert seen["reason"] == "The share ended"
