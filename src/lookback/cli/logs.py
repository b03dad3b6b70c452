"""How the program logs: one event per line, with ids, and never a secret."""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from lookback.settings import Settings

_SECRET_KEYS = re.compile(r"token|secret|password|authorization|signature|cookie|ice_pwd", re.IGNORECASE)
# Signatures and tokens in addresses, bearer tokens, JSON Web Tokens, passwords in database addresses.
_SECRET_TEXTS = re.compile(
    r"(?<=token=)[^&\s\"']+|(?<=signature=)[^&\s\"']+|(?<=Bearer )\S+"
    r"|eyJ[\w-]*\.[\w-]+\.[\w-]*|(?<=:)(?<!://)[^:/@\s]+(?=@)"
)
_HIDDEN = "[hidden]"


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


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what is stored under a telling name, or looks like a secret within a text, whoever logged it."""
    for key, value in event.items():
        event[key] = _hidden(key, value)
    return event


def _hidden(key: object, value: Any) -> Any:
    if isinstance(key, str) and _SECRET_KEYS.search(key):
        return _HIDDEN
    if isinstance(value, str):
        return _SECRET_TEXTS.sub(_HIDDEN, value)
    if isinstance(value, dict):
        return {name: _hidden(name, inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(None, inner) for inner in value]
    return value


def _plain(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    return event
