"""Who forbids to be buffered is not, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.people import BASE, Person, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx
    from tests.support.installation import Installation
    from tests.support.people import Json

NOTHING_SAID = {"buffering": "allow", "autoStart": False, "rooms": []}


@pytest.fixture
async def dora(server: Installation) -> AsyncIterator[Person]:
    async with server.person("dora") as person:
        yield person
        await person.answer("PUT", "me/consent", json={"buffering": "allow"})


async def says(person: Person, **words: object) -> Json:
    answer: Json = (await person.answer("PUT", "me/consent", json=words)).json()
    assert answer == (await person.answer("GET", "me/consent")).json()
    return answer


async def test_who_has_said_nothing_allows(server: Installation) -> None:
    async with server.person("erna") as erna:
        assert (await erna.answer("GET", "me/consent")).json() == NOTHING_SAID


async def test_what_is_said_is_kept_altogether_and_by_room(server: Installation) -> None:
    async with server.person("fritz") as fritz:
        assert await says(fritz, autoStart=True) == {**NOTHING_SAID, "autoStart": True}
        said = await says(fritz, roomName="räume/../x", buffering="forbid")
        room = {"roomName": "räume/../x", "buffering": "forbid", "autoStart": None}
        assert said == {"buffering": "allow", "autoStart": True, "rooms": [room]}


async def test_forbidding_ends_what_runs_and_nothing_begins(dora: Person, server: Installation) -> None:
    session = await dora.starts_the_demo("kitchen")
    await dora.sees_status(session, "recording")
    await says(dora, buffering="forbid")
    ended = await dora.sees(session)
    assert (ended["status"], ended["reason"]) == ("draining", "Its user has forbidden to be buffered")
    with pytest.raises(Refused) as refusal:
        await dora.starts_the_demo("kitchen")
    assert (refusal.value.status, refusal.value.code) == (403, "consent")
    assert "me/consent" in refusal.value.problem["detail"]
    headers = {"Content-Type": "application/sdp"}
    whip = await dora.http.post("/whip/kitchen", content="v=0\r\n", headers=headers)
    assert (whip.status_code, whip.json()["code"]) == (403, "consent")
    async with server.person("root", admin=True) as root:
        body = {"roomName": "kitchen", "source": "synthetic", "participantIdentity": "dora"}
        with pytest.raises(Refused) as third:
            await root.answer("POST", "start", json=body)
    assert third.value.problem["detail"] == "This person does not want to be buffered"


async def test_forbidding_one_room_leaves_the_others(dora: Person) -> None:
    await says(dora, roomName="bath", buffering="forbid")
    with pytest.raises(Refused, match="consent"):
        await dora.starts_the_demo("bath")
    session = await dora.starts_the_demo("garden")
    await dora.stops(session)


@pytest.mark.parametrize(
    "body",
    [{}, {"buffering": "maybe"}, {"roomName": "x"}, {"buffering": "allow", "more": 1}, {"autoStart": "yes"}, []],
)
async def test_what_makes_no_sense_is_refused(dora: Person, body: object) -> None:
    answer = await dora.http.put(f"{BASE}/me/consent", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation"), answer.text


async def test_it_takes_a_token(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get(f"{BASE}/me/consent")).status_code == 401
    assert (await stranger.put(f"{BASE}/me/consent", json={"buffering": "allow"})).status_code == 401
