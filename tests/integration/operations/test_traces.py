"""Traces of a real server reach a real receiver: nested as the work was, without a name or secret, in nobody's way."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, get_args

import httpx
import pytest
from opentelemetry.trace import NoOpTracer
from structlog.contextvars import get_contextvars
from structlog.testing import capture_logs
from tests.support.installation import ROOT, an_installation
from tests.support.trace_receiver import PATH, TraceReceiver, a_trace_receiver, facts
from tests.support.waiting import eventually

from lookback import __version__
from lookback.api.tracing import Tracing
from lookback.bootstrap.trace_delivery import TraceDelivery
from lookback.clips.stopwatch import Step
from lookback.errors import SettingsError
from lookback.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from opentelemetry.proto.trace.v1.trace_pb2 import Span
    from tests.support.installation import Installation

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT_ID = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{PARENT_ID}-01"
ROOM = "secret-room"
TITLE = "A title nobody else may read"
CAPTURE = "POST /livekit-replay/capture"
STATUS = "GET /livekit-replay/status/{room_name:path}"
OFTEN = {"OTEL_BSP_SCHEDULE_DELAY": "100"}
AWAY = "http://127.0.0.1:1"


@pytest.fixture
async def receiver() -> AsyncIterator[TraceReceiver]:
    async with a_trace_receiver() as receiver:
        yield receiver


async def test_a_capture_is_a_trace_that_continues_the_callers(receiver: TraceReceiver, tmp_path: Path) -> None:
    async with an_installation(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, **OFTEN) as server:
        async with server.person("secret-user") as person:
            session = await person.starts_the_demo(ROOM)
            await person.sees_buffered(session, 2)
            clip = await person.answer(
                "POST",
                "capture",
                json={"sessionId": session["sessionId"], "durationSeconds": 1, "title": TITLE},
                headers={
                    "traceparent": TRACEPARENT,
                    "tracestate": "theirs=secret-tenant",
                    "baggage": "who=secret-person",
                },
            )
            await person.downloads(clip.json())
            await person.sees_stored(clip.json())
            await eventually(lambda: receiver.named(CAPTURE), what="the request's span")
            await eventually(lambda: receiver.named("clip.store"), what="the background's span")
            token = person.token
        lines = _lines(server)
    _is_nested(receiver)
    _says_nothing_of(receiver, token, session, clip.json())
    assert {span.name for span in receiver.spans if span.name.startswith("clip.")} == {"clip.poster", "clip.store"}
    assert receiver.named("buffer.sweep"), "the sweep at the start"
    assert receiver.named(STATUS), "by its route, not by its room"
    assert {scope.scope.name for batch in receiver.batches for scope in batch.scope_spans} == {"lookback"}
    us = facts(receiver.batches[0].resource.attributes)
    assert (us["service.name"], us["service.version"]) == ("lookback", __version__)
    assert [line["event"] for line in lines if line.get("trace_id") == TRACE_ID] == ["Replay captured", "http.request"]


async def test_the_environment_says_who_we_are_and_what_is_sent_along(receiver: TraceReceiver, tmp_path: Path) -> None:
    settings = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": receiver.url + PATH,
        "OTEL_EXPORTER_OTLP_ENDPOINT": AWAY,
        "OTEL_EXPORTER_OTLP_HEADERS": "x-key=word",
        "OTEL_SERVICE_NAME": "ours",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
    }
    async with an_installation(tmp_path, **settings, **OFTEN):
        batch = await eventually(lambda: next(iter(receiver.batches), None), what="a span")
    said = facts(batch.resource.attributes)
    assert (said["service.name"], said["deployment.environment.name"]) == ("ours", "test")
    assert receiver.headers[0]["x-key"] == "word"


async def test_failures_are_marked_and_strange_words_are_not_repeated(receiver: TraceReceiver, tmp_path: Path) -> None:
    async with (
        an_installation(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, **OFTEN) as server,
        httpx.AsyncClient(base_url=server.url) as http,
    ):
        assert (await http.get("/no/such/secret-page.txt")).status_code == httpx.codes.NOT_FOUND
        await http.request("SECRETMETHOD", "/healthz", headers={"traceparent": f"00-{'0' * 32}-{PARENT_ID}-01"})
        await http.get("/livekit-replay/status/secret-room?token=secret", headers={"traceparent": "secret" * 200})
        seen = await eventually(lambda: receiver.named(STATUS), what="the last request's span")
        assert facts(seen[0].attributes) == {
            "http.request.method": "GET",
            "http.route": STATUS.removeprefix("GET "),
            "http.response.status_code": httpx.codes.UNAUTHORIZED,
        }
        assert facts(receiver.named("GET")[0].attributes)["http.response.status_code"] == httpx.codes.NOT_FOUND
        strange = next(span for span in receiver.spans if facts(span.attributes).get("http.request.method") == "_OTHER")
        assert not strange.parent_span_id
        assert any(strange.trace_id)
    assert "secret" not in b"".join(receiver.bodies).decode(errors="replace").lower()
    assert "traceparent" not in server.log


def test_the_framework_makes_no_spans_of_its_own() -> None:
    program = """
import asyncio, httpx
from pathlib import Path
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from lookback.api.app import HttpConfig, create_app

made = InMemorySpanExporter()
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(made))

async def ask() -> None:
    transport = httpx.ASGITransport(create_app(None, HttpConfig(Path("nowhere"))))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        assert (await http.get("/healthz?signature=secret")).is_success

asyncio.run(ask())
print(*[span.to_json() for span in made.get_finished_spans()])
"""
    printed = _printed_by(program)
    assert "path=/healthz" in printed, "our own line about the request"
    assert "span_id" not in printed


async def test_a_receiver_that_hangs_holds_up_nothing(receiver: TraceReceiver, tmp_path: Path) -> None:
    receiver.hold.clear()
    # Without a limit of our own the end would wait half a minute, longer than `stop` allows.
    patient = {"OTEL_EXPORTER_OTLP_TIMEOUT": "600", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, **OFTEN}
    async with an_installation(tmp_path, **patient) as server, httpx.AsyncClient(base_url=server.url) as http:
        await eventually(lambda: receiver.bodies, what="a first batch that is not answered")
        for _ in range(20):
            assert (await http.get("/readyz")).is_success
    assert len(receiver.bodies) == 1


async def test_a_receiver_that_is_away_is_told_once_and_not_by_its_address(tmp_path: Path) -> None:
    address = "http://operator:hunter2@127.0.0.1:1/secret-path"
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_EXPORTER_OTLP_TIMEOUT": "0.1", **OFTEN}
    settings |= {"OTEL_EXPORTER_OTLP_HEADERS": "hunter2 without a name"}
    async with an_installation(tmp_path, **settings) as server, httpx.AsyncClient(base_url=server.url) as http:
        await eventually(lambda: "traces.not_delivered" in server.log, what="the line in the log")
        assert (await http.get("/readyz")).is_success
    told = [line for line in _lines(server) if line["event"].startswith("traces.")]
    assert [(line["level"], line["event"], line["reason"]) for line in told] == [
        ("warning", "traces.not_delivered", "ConnectionError")
    ]
    assert told[0]["lost_spans"] > 0
    assert "hunter2" not in server.log
    assert "secret-path" not in server.log


async def test_failures_are_told_every_ten_minutes_and_their_end_once(receiver: TraceReceiver) -> None:
    now_s = 0.0
    delivery = TraceDelivery(receiver.url + PATH, lambda: now_s)
    with capture_logs() as logs:
        for status, now_s in ((401, 0.0), (401, 599.0), (401, 600.0), (200, 601.0), (200, 602.0), (400, 603.0)):  # noqa: B007
            receiver.status = status
            delivery.tracer.start_span("work").end()
            await asyncio.to_thread(delivery._provider.force_flush)
    await delivery.end()
    assert [(line["event"], line.get("reason"), line["lost_spans"]) for line in logs] == [
        ("traces.not_delivered", "401", 1),
        ("traces.not_delivered", "401", 3),
        ("traces.delivered_again", None, 3),
        ("traces.not_delivered", "400", 1),
    ]


def test_when_the_sdk_is_switched_off_there_is_no_id_to_log() -> None:
    with Tracing(NoOpTracer()).work("work"):
        assert get_contextvars() == {}


def test_wrong_settings_stop_the_start_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("localhost:4318", "grpc://host:4317", "http://user:hunter2@host:port"):
        for name in ("otel_exporter_otlp_endpoint", "otel_exporter_otlp_traces_endpoint"):
            with pytest.raises(SettingsError) as raised:
                load_settings(**{name: wrong})
            assert (
                raised.value.detail == f"{name.upper()} is wrong: it must be an address such as http://localhost:4318."
            )
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "0")
    with pytest.raises(SettingsError, match="OTEL_BSP_"):
        TraceDelivery(AWAY)


async def test_without_an_address_nothing_is_loaded_or_logged(tmp_path: Path) -> None:
    async with an_installation(tmp_path) as server, httpx.AsyncClient(base_url=server.url) as http:
        assert (await http.get("/readyz", headers={"traceparent": TRACEPARENT})).is_success
    assert "trace_id" not in server.log
    assert _loaded_with() == []
    assert "opentelemetry.sdk" in _loaded_with(OTEL_EXPORTER_OTLP_ENDPOINT=AWAY)


def _is_nested(receiver: TraceReceiver) -> None:
    (request,), (capture,) = receiver.named(CAPTURE), receiver.named("capture")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE_ID, PARENT_ID)
    assert facts(request.attributes) == {
        "http.request.method": "POST",
        "http.route": "/livekit-replay/capture",
        "http.response.status_code": httpx.codes.CREATED,
    }
    _lies_within(capture, request)
    steps = sorted((s for s in receiver.spans if s.parent_span_id == capture.span_id), key=_start)
    assert [step.name for step in steps] == [f"capture.{step}" for step in get_args(Step)]
    for step, before in zip(steps, [None, *steps], strict=False):
        _lies_within(step, capture)
        assert step.start_time_unix_nano == (before.end_time_unix_nano if before else capture.start_time_unix_nano)
    assert steps[-1].end_time_unix_nano == capture.end_time_unix_nano


def _lies_within(inner: Span, outer: Span) -> None:
    assert (inner.trace_id, inner.parent_span_id) == (outer.trace_id, outer.span_id)
    assert outer.start_time_unix_nano <= inner.start_time_unix_nano
    assert inner.start_time_unix_nano <= inner.end_time_unix_nano <= outer.end_time_unix_nano


def _start(span: Span) -> int:
    return span.start_time_unix_nano


def _says_nothing_of(receiver: TraceReceiver, token: str, session: dict[str, Any], clip: dict[str, Any]) -> None:
    said = b"".join(receiver.bodies)
    for word in (token, ROOM, TITLE, "secret", session["sessionId"], clip["clipId"], "signature", "127.0.0.1"):
        assert word.encode() not in said, word


def _lines(server: Installation) -> list[dict[str, Any]]:
    """The lines of the log that are events."""
    return [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]


def _loaded_with(**settings: str) -> list[str]:
    """What is loaded of the libraries for traces when the server is put together."""
    program = """
import sys
from contextlib import AsyncExitStack
import lookback.bootstrap.app
from lookback.bootstrap.tracing import traces_of
from lookback.settings import load_settings
traces_of(load_settings(), AsyncExitStack())
of_traces = ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto", "requests")
print(*[module for module in of_traces if module in sys.modules])
"""
    return _printed_by(program, OTEL_TRACES_SAMPLER="always_off", **settings).split()


def _printed_by(program: str, **settings: str) -> str:
    """What a program prints that has our code, and these settings."""
    found = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")} | settings,
        check=True,
        capture_output=True,
        text=True,
    )
    return found.stdout.strip()
