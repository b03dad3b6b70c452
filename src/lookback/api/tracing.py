"""Spans: requests, captures and their steps, work in the background.

Names and attributes are ours or numbers: no address, id, name or title, whoever chose it, gets into a span.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from time import time_ns
from typing import TYPE_CHECKING, Protocol

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode, format_trace_id, set_span_in_context, use_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from structlog.contextvars import bound_contextvars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Span, Tracer
    from starlette.types import Scope

    from lookback.clips.stopwatch import CaptureTimes, Step

    Answered = Callable[[str | None, str | None, int], None]
    """Called with the method, if it is a known one, the route, if there is one, and the status of a request."""

# Only this one header: `tracestate` and `baggage` are words of strangers, and nobody is called to hand them on to.
_TRACEPARENT = "traceparent"
_HTTP = "HTTP"
_propagator = TraceContextTextMapPropagator()


class Traces(Protocol):
    """Sees what takes time."""

    def request(self, scope: Scope) -> AbstractContextManager[Answered]:
        """Around a request; the function it gives is called before the end."""

    def work(self, name: str) -> AbstractContextManager[object]:
        """Around a piece of work that nobody waits for, by its name."""

    def captures(self, times: CaptureTimes) -> CaptureTimes:
        """What is told how long captures take, and tells `times`."""


class Untraced:
    """Nobody wants to know."""

    def request(self, _scope: Scope) -> AbstractContextManager[Answered]:
        """See Traces."""
        return nullcontext(_ignored)

    def work(self, _name: str) -> AbstractContextManager[object]:
        """See Traces."""
        return nullcontext()

    def captures(self, times: CaptureTimes) -> CaptureTimes:
        """See Traces."""
        return times


class Tracing:
    """Makes spans. Lines that are logged within one have its `trace_id`."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def request(self, scope: Scope) -> Iterator[Answered]:
        """See Traces; continues the trace that came with the request (W3C Trace Context)."""
        parent = _propagator.extract({_TRACEPARENT: Headers(scope=scope).getlist(_TRACEPARENT)}, Context())
        span = self._tracer.start_span(_HTTP, parent, SpanKind.SERVER)
        with _current(span):
            yield lambda method, route, status: _answered(span, method, route, status)

    @contextmanager
    def work(self, name: str) -> Iterator[None]:
        """See Traces."""
        span = self._tracer.start_span(name)
        with _current(span):
            try:
                yield
            except Exception as error:
                _failed(span, type(error).__name__)
                raise

    def captures(self, times: CaptureTimes) -> CaptureTimes:
        """See Traces."""
        return _TracedCaptures(self._tracer, times)


class _TracedCaptures:
    """Implements clips.stopwatch.CaptureTimes: a capture that was made becomes a span, and each of its steps one."""

    def __init__(self, tracer: Tracer, times: CaptureTimes) -> None:
        self._tracer, self._times = tracer, times

    def captured(self, seconds: Mapping[Step, float]) -> None:
        """See CaptureTimes; it is over now, and its steps came one after the other."""
        ended_ns = time_ns()
        self._times.captured(seconds)
        at_ns = ended_ns - sum(_nanoseconds(took) for took in seconds.values())
        capture = self._tracer.start_span("capture", start_time=at_ns)
        within = set_span_in_context(capture)
        for step, took in seconds.items():
            span = self._tracer.start_span(f"capture.{step}", within, start_time=at_ns)
            at_ns += _nanoseconds(took)
            span.end(at_ns)
        capture.end(ended_ns)


@contextmanager
def _current(span: Span) -> Iterator[None]:
    # The SDK would write down what exceptions say, which may be anything.
    within = use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False)
    context = span.get_span_context()
    # With OTEL_SDK_DISABLED there are spans without ids.
    with within, bound_contextvars(**({"trace_id": format_trace_id(context.trace_id)} if context.is_valid else {})):
        yield


def _answered(span: Span, method: str | None, route: str | None, status: int) -> None:
    """Names and attributes are OpenTelemetry's semantic conventions for HTTP servers."""
    span.update_name(f"{method or _HTTP} {route}" if route else method or _HTTP)
    span.set_attribute("http.request.method", method or "_OTHER")
    if route:
        span.set_attribute("http.route", route)
    if status:
        span.set_attribute("http.response.status_code", status)
    if status >= 500:
        _failed(span, str(status))


def _failed(span: Span, why: str) -> None:
    span.set_attribute("error.type", why)
    span.set_status(StatusCode.ERROR)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)


def _ignored(_method: str | None, _route: str | None, _status: int) -> None:
    pass
