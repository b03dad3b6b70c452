"""Webhooks at the HTTP edge, with the clock where the recorded ones were sent."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from tests.support.webhooks import KEY, SECRET, Webhook, recorded, signed

from lookback.api.app import HttpConfig, create_app
from lookback.api.ports import Services
from lookback.livekit.door import LivekitDoor
from lookback.livekit.webhooks import LivekitWebhooks, Signatures

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lookback.sessions.egresses import EgressFacts
    from lookback.sessions.rooms import RoomEvent

NOW_US = 1_795_381_749_000_000
PUBLISHED = {"event": "track_published", "id": "EV_1", "room": {"name": "demo"}}


class Edge:
    """A server that takes webhooks. It listens to what it has heard."""

    def __init__(self) -> None:
        self.now_us = NOW_US
        self.rooms: list[RoomEvent] = []
        self.egresses: list[EgressFacts] = []
        signatures = Signatures({KEY: SECRET}, lambda: self.now_us)
        rooms, egresses = _Ear(self.rooms), _Ear(self.egresses)
        self.door = LivekitDoor(LivekitWebhooks(signatures, rooms, egresses, lambda: self.now_us))

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        parts = dict.fromkeys(Services.__dataclass_fields__) | {"livekit": self.door}
        app = create_app(Services(**cast("Any", parts)), HttpConfig(Path("nowhere")))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lookback") as client:
            yield client

    async def answers(self, webhook: Webhook, **headers: str) -> httpx.Response:
        async with self.client() as client:
            return await self.sends(client, webhook, **headers)

    async def sends(self, client: httpx.AsyncClient, webhook: Webhook, **headers: str) -> httpx.Response:
        self.now_us = webhook.at_us
        said = {"Authorization": webhook.token, "Content-Type": webhook.content_type} | headers
        return await client.post("/webhooks/livekit", content=webhook.body, headers=said)


class _Ear:
    """Implements livekit.webhooks.RoomEvents and EgressEvents."""

    def __init__(self, events: list[Any]) -> None:
        self._events = events

    def heard(self, event: object) -> None:
        """See RoomEvents."""
        self._events.append(event)


@pytest.fixture
def edge() -> Edge:
    return Edge()


@pytest.mark.parametrize("webhook", recorded(), ids=lambda webhook: webhook.name)
async def test_what_a_real_server_has_sent_is_taken(edge: Edge, webhook: Webhook) -> None:
    answer = await edge.answers(webhook)
    assert (answer.status_code, answer.content) == (200, b"")
    assert len(edge.egresses) == webhook.event["event"].startswith("egress_")


async def test_all_of_them_are_answered_at_once(edge: Edge) -> None:
    took = []
    async with edge.client() as client:
        for webhook in recorded():
            began = time.perf_counter()
            answer = await edge.sends(client, webhook)
            took.append(time.perf_counter() - began)
            assert answer.status_code == 200
    assert sorted(took)[len(took) // 2] < 0.05


@pytest.mark.parametrize("kind", ["application/json", "application/webhook+json; charset=utf-8", "Application/JSON"])
async def test_json_is_taken_under_its_names(edge: Edge, kind: str) -> None:
    answer = await edge.answers(signed(PUBLISHED, NOW_US), **{"Content-Type": kind})
    assert answer.status_code == 200
    assert [event.room_name for event in edge.rooms] == ["demo"]


@pytest.mark.parametrize(
    ("webhook", "headers", "status", "code"),
    [
        (signed(PUBLISHED, NOW_US), {"Content-Type": "text/plain"}, 415, "unsupported-media-type"),
        (signed(PUBLISHED, NOW_US), {"Authorization": ""}, 401, "unauthenticated"),
        (signed(PUBLISHED, NOW_US, secret="x" * 32), {}, 401, "unauthenticated"),
        (signed(PUBLISHED, NOW_US, exp=1), {}, 401, "unauthenticated"),
        (signed(b"no json", NOW_US), {}, 400, "malformed"),
        (signed(b"x" * 300_000, NOW_US), {}, 413, "too-large"),
    ],
)
async def test_what_is_refused_says_why(
    edge: Edge, webhook: Webhook, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await edge.answers(webhook, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert edge.rooms == []


async def test_without_livekit_there_is_nobody_to_take_them(edge: Edge) -> None:
    edge.door = LivekitDoor()
    answer = await edge.answers(signed(PUBLISHED, NOW_US))
    assert (answer.status_code, answer.json()["code"]) == (503, "livekit-unavailable")
