"""What those who run the server look at, and what every answer carries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support.waiting import eventually

if TYPE_CHECKING:
    import httpx
    from tests.support.installation import Installation
    from tests.support.people import Json

CHECKS = ["database", "buffer", "storage", "recorder"]


def value_of(metrics: str, series: str) -> float:
    found = re.search(rf"^{re.escape(series)} (\S+)$", metrics, re.MULTILINE)
    assert found, f"{series} is not among\n{metrics}"
    return float(found[1])


async def test_the_server_says_that_it_lives(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


async def test_a_ready_server_names_what_works(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert answer.json()["checks"] == [{"name": name, "ok": True, "reason": None} for name in CHECKS]


async def test_a_server_without_its_buffer_says_so(server: Installation, stranger: httpx.AsyncClient) -> None:
    away = server.buffer.with_name("away")
    server.buffer.rename(away)
    server.buffer.touch()  # a file: a directory that is gone is made anew

    async def not_ready() -> httpx.Response | None:
        answer = await stranger.get("/readyz")
        return answer if answer.is_error else None

    async def ready() -> bool:
        return (await stranger.get("/readyz")).is_success

    try:
        # What has just been found of the disks is not looked for again for a second.
        answer = await eventually(not_ready, within=10, what="a server that is not ready")
    finally:
        server.buffer.unlink()
        away.rename(server.buffer)
    await eventually(ready, within=20, what="a server that is ready again")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert [check["name"] for check in answer.json()["checks"] if not check["ok"]] == ["buffer"]
    assert str(server.home) not in answer.text


async def test_metrics_count_requests_sessions_and_the_recorder(stranger: httpx.AsyncClient, saved: Json) -> None:
    assert saved
    await stranger.get("/livekit-replay/clips/some-clip")
    await stranger.request("BREW", "/livekit-replay/me")

    async def metrics() -> str:
        return (await stranger.get("/metrics")).text

    text = await metrics()
    clips = 'lookback_http_requests_total{method="GET",route="/livekit-replay/clips/{clip_id}",status="401"}'
    assert value_of(text, clips) >= 1
    assert value_of(text, "lookback_recorder_up") == 1
    assert "BREW" not in text, "words of strangers make no series"
    assert "some-clip" not in text
    draining = 'lookback_sessions{state="draining"}'

    async def counted() -> bool:
        return value_of(await metrics(), draining) >= 1

    await eventually(counted, what="a draining session")


async def test_every_answer_is_protected(stranger: httpx.AsyncClient) -> None:
    for path in ("/", "/healthz", "/livekit-replay/me", "/nothing", "/clips/c1"):
        headers = (await stranger.get(path, headers={"Accept": "text/html"})).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy, path
        assert "frame-ancestors 'none'" in policy
        assert "object-src 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "script-src" not in policy, "scripts come from here only, by default-src"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


async def test_the_page_is_there_for_every_address_of_its_own(stranger: httpx.AsyncClient) -> None:
    html = {"Accept": "text/html,application/xhtml+xml"}
    root = await stranger.get("/", headers=html)
    assert root.status_code == 200
    assert "<title>Lookback" in root.text
    assert root.headers["cache-control"] == "no-cache"
    assert (await stranger.get("/clips/c1", headers=html)).text == root.text
    assert (await stranger.get("/assets/nothing.js")).status_code == 404
    for outside in ("/..%2f..%2fpyproject.toml", "/%2e%2e/pyproject.toml", "/assets/..%2f..%2f..%2fpyproject.toml"):
        assert "[project]" not in (await stranger.get(outside)).text


async def test_secrets_of_a_request_are_not_logged(server: Installation, stranger: httpx.AsyncClient) -> None:
    await stranger.get("/?token=top-secret-1&signature=top-secret-2", headers={"Authorization": "Bearer top-secret-3"})
    await stranger.get("/livekit-replay/me?token=top-secret-4", headers={"Authorization": "Bearer top-secret-5"})
    await eventually(lambda: server.log.count('"/livekit-replay/me"'), what="the request in the log")
    assert "top-secret" not in server.log
