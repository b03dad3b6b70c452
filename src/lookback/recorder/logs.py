"""The worker's log: written by a thread of its own, so that a stuck terminal or a dead reader stops no packet."""

from __future__ import annotations

import logging
import queue
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog

from lookback.access.redaction import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lookback.recorder.config import RecorderConfig

_MOST_LINES = 10_000


class _Lines:
    """A file-like object for whole lines; what finds no room or no reader is lost."""

    def __init__(self) -> None:
        self._queue: queue.Queue[str | None] = queue.Queue(_MOST_LINES)
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def write(self, text: str) -> int:
        try:
            self._queue.put_nowait(text)
        except queue.Full:
            return 0
        return len(text)

    def flush(self) -> None:
        """Nothing to do: the thread flushes."""

    def close(self, timeout_s: float = 1.0) -> None:
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _write_all(self) -> None:
        while (text := self._queue.get()) is not None:
            try:
                sys.stderr.write(text)
                sys.stderr.flush()
            except (OSError, ValueError):
                # The terminal or pipe went away with whoever started us: recording goes on without a log.
                continue


@contextmanager
def worker_logs(config: RecorderConfig) -> Iterator[None]:
    """Log to standard error as configured while the body runs."""
    lines = _Lines()
    render: Any = structlog.processors.JSONRenderer()
    if config.log_format == "console":
        render = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # the other one prints local variables: secrets
        )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso", utc=True),
            structlog.processors.format_exc_info,
            hide_secrets,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, config.log_level.upper())),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", lines)),  # write and flush are all it uses
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.reset_defaults()
        lines.close()
