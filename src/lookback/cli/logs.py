"""How the program logs: one event per line, with ids, and never a secret."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog

from lookback.access.redaction import hide_secrets

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from lookback.settings import Settings


def configure_logs(settings: Settings) -> None:
    """Send our events and the libraries' warnings to standard error."""
    console = settings.lookback_log_format == "console" or (
        settings.lookback_log_format == "auto" and sys.stderr.isatty()
    )
    render: Any = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer()
    )
    level = getattr(logging, settings.lookback_log_level.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper("iso", utc=True),
    ]
    trace: list[Any] = [] if console else [structlog.processors.format_exc_info]
    structlog.configure(
        processors=[*shared, *trace, hide_secrets, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_plain, *trace, hide_secrets, render])
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def _plain(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    return event
