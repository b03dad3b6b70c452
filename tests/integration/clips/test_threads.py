"""Captures have threads of their own."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import pytest
from tests.support.clip_studio import Studio, a_studio

from lookback.clips.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MORE_THAN_THERE_ARE = 64
_word: ContextVar[str] = ContextVar("word", default="none")


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return a_studio(tmp_path / "buffer", tmp_path / "clips")


@contextmanager
def everybodys_threads_are_busy() -> Iterator[None]:
    """As they are with hashes and downloads on a slow disk, which ends only after the block."""
    over = threading.Event()
    loop = asyncio.get_running_loop()
    waiting = [loop.run_in_executor(None, over.wait) for _ in range(MORE_THAN_THERE_ARE)]
    try:
        yield
    finally:
        over.set()
    assert waiting


async def test_a_capture_waits_for_no_hash_and_no_download(studio: Studio) -> None:
    studio.record()
    with everybodys_threads_are_busy():
        clip = await asyncio.wait_for(studio.capture(), 20)
    assert len(studio.content(clip)) == clip.size_bytes


async def test_calls_see_the_context_they_come_from_and_their_failures_come_back() -> None:
    threads = Threads("test", 1)
    _word.set("here")
    assert await threads.run(_word.get) == "here"
    assert (await threads.run(threading.current_thread)).name.startswith("test")
    with pytest.raises(ZeroDivisionError):
        await threads.run(divmod, 1, 0)
