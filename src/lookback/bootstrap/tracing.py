"""Whether traces are made, and for whom, from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.api.tracing import Tracing, Untraced

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from lookback.api.tracing import Traces
    from lookback.settings import Settings


def traces_of(settings: Settings, stack: AsyncExitStack) -> Traces:
    """What sees requests and work; raises SettingsError. What is left is delivered when the stack is closed."""
    if settings.traces_url is None:
        return Untraced()
    from lookback.bootstrap.trace_delivery import TraceDelivery  # noqa: PLC0415 - the SDK takes a third of a second

    delivery = TraceDelivery(settings.traces_url)
    stack.push_async_callback(delivery.end)
    return Tracing(delivery.tracer)
