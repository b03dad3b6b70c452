"""What LiveKit really answered about Egress, and a server on loopback that answers the same."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web
from google.protobuf import json_format
from livekit import api

from lookback.livekit.egress import EgressClient, egress_facts
from tests.support.egress_files import DATA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from google.protobuf.message import Message

    from lookback.sessions.egresses import EgressFacts


def answer(name: str) -> dict[str, Any]:
    """A recorded call: its result in `ok` or its error in `exc`, and how many seconds it took."""
    path = next(path for folder in ("failures", "info") if (path := DATA / folder / f"{name}.json").exists())
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def listed(name: str) -> list[EgressFacts]:
    """The egresses of a recorded list, or the one of a recorded start."""
    ok = answer(name)["ok"]
    return [_facts(item) for item in ok.get("items", [ok])]


def told(name: str) -> EgressFacts:
    """The egress of a recorded webhook."""
    return _facts(json.loads(next((DATA / "webhooks").glob(f"{name}*.json")).read_text())["egressInfo"])


class SaidAnswers:
    """Answers requests to LiveKit's Egress as recorded, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self._next: dict[str, Callable[[], web.Response]] = {}

    def say(self, method: str, name: str) -> None:
        """From now on a method answers what was recorded under a name."""
        recorded = answer(name)
        if "exc" in recorded:
            error = recorded["exc"]
            body = {"code": error["code"], "msg": error["message"]}
            self._next[method] = lambda: web.json_response(body, status=error["status"])
            return
        kind: type[Message] = api.ListEgressResponse if method == "ListEgress" else api.EgressInfo
        message = json_format.ParseDict(recorded["ok"], kind(), ignore_unknown_fields=True)
        data = message.SerializeToString()
        self._next[method] = lambda: web.Response(body=data, content_type="application/protobuf")

    async def handle(self, request: web.Request) -> web.Response:
        """The route."""
        method = request.match_info["method"]
        self.asked.append((method, await request.read()))
        return self._next[method]()


@asynccontextmanager
async def answering() -> AsyncIterator[tuple[SaidAnswers, EgressClient]]:
    """A server that says what it is told to, and our client of it."""
    said = SaidAnswers()
    application = web.Application()
    application.router.add_post("/twirp/livekit.Egress/{method}", said.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with api.LiveKitAPI(f"http://127.0.0.1:{port}", "key", "secret" * 8, failover=False) as client:
            yield said, EgressClient(client)
    finally:
        await runner.cleanup()


def _facts(info: dict[str, Any]) -> EgressFacts:
    return egress_facts(json_format.ParseDict(info, api.EgressInfo(), ignore_unknown_fields=True))
