"""Spans go to an OpenTelemetry receiver over OTLP/HTTP, in batches, from a thread that nobody waits for.

What else there is to set (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_HEADERS, OTEL_BSP_*,
OTEL_TRACES_SAMPLER, ...) the SDK reads from the environment itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from threading import Thread
from typing import TYPE_CHECKING, Any

import requests
import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from lookback import __version__
from lookback.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer

log = structlog.get_logger(__name__)

_SERVICE = "lookback"
_END_S = 3.0
_SAY_AGAIN_S = 600.0
# Their lines hold the receiver's address and headers, or are written whenever a stranger sends nonsense.
_SILENT = ("opentelemetry.exporter", "opentelemetry.util", "opentelemetry.trace", "opentelemetry.sdk._shared_internal")


class TraceDelivery:
    """Takes spans from `tracer` and delivers them; raises SettingsError. When too many wait, the oldest go."""

    def __init__(self, url: str, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        for name in _SILENT:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        # Not the global one: libraries would make spans of their own, with whole addresses in them.
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        try:
            self._provider.add_span_processor(BatchSpanProcessor(_Receiver(url, monotonic_s)))
        except ValueError as error:
            raise SettingsError(f"A setting OTEL_BSP_* is wrong: {error}") from error
        self.tracer: Tracer = self._provider.get_tracer(_SERVICE, __version__)

    async def end(self) -> None:
        """Deliver what is left, as far as that can be done in a few seconds."""
        ending = Thread(target=self._provider.shutdown, name="traces", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, _END_S)


class _Receiver(SpanExporter):
    """Says in the log when nothing arrives: at once, then every ten minutes, and when it works again."""

    def __init__(self, url: str, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._session = _Session()
        self._exporter = OTLPSpanExporter(endpoint=url, session=self._session)
        self._lost = 0
        self._said_s: float | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See SpanExporter."""
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._delivered()
        else:
            self._failed(len(spans))
        return result

    def shutdown(self) -> None:
        """See SpanExporter."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _delivered(self) -> None:
        if self._said_s is not None:
            log.info("traces.delivered_again", lost_spans=self._lost)
        self._lost, self._said_s = 0, None

    def _failed(self, spans: int) -> None:
        self._lost += spans
        now_s = self._monotonic_s()
        if self._said_s is None or now_s >= self._said_s + _SAY_AGAIN_S:
            self._said_s = now_s
            log.warning("traces.not_delivered", reason=self._session.outcome, lost_spans=self._lost)


class _Session(requests.Session):
    """Remembers how the last request ended, in a word without an address: the exporter only logs it."""

    outcome = ""

    def request(self, *args: Any, **more: Any) -> requests.Response:
        """See requests.Session."""
        try:
            answer = super().request(*args, **more)
        except Exception as error:
            self.outcome = type(error).__name__
            raise
        self.outcome = str(answer.status_code)
        return answer


def _resource() -> Resource:
    """Who we are; what the environment says comes last, so that it holds."""
    ours = Resource({"service.name": _SERVICE, "service.version": __version__})
    return Resource.create().merge(ours).merge(OTELResourceDetector().detect())
