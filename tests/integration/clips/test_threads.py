"""Captures have threads of their own, and whoever waits for a disk that hangs is let go."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import pytest
from tests.support.clip_studio import Studio, a_studio

from lookback.buffer.threads import DiskThreads
from lookback.errors import StorageUnavailableError

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
    threads = DiskThreads("test", 1)
    _word.set("here")
    assert await threads.run(_word.get) == "here"
    assert (await threads.run(threading.current_thread)).name.startswith("test")
    with pytest.raises(ZeroDivisionError):
        await threads.run(divmod, 1, 0)


class SaidSilence:
    """A disk that answers until a test says otherwise."""

    def __init__(self) -> None:
        self.sentence: str | None = None

    def known(self) -> str | None:
        return self.sentence

    async def now(self) -> str | None:
        return self.sentence


async def test_whoever_waits_for_a_disk_that_does_not_answer_is_let_go_and_the_work_ends_by_itself() -> None:
    answers, silent = threading.Event(), SaidSilence()
    threads, done = DiskThreads("test", 1, silent), asyncio.Event()

    async def work() -> None:
        await threads.run(answers.wait)
        done.set()

    silent.sentence = "The disk does not answer"
    with pytest.raises(StorageUnavailableError, match="The disk does not answer"):
        await threads.attend(work())
    with pytest.raises(StorageUnavailableError, match="The disk does not answer"):
        await threads.ask(answers.is_set)
    assert not done.is_set()
    answers.set()
    await asyncio.wait_for(done.wait(), 20)
    silent.sentence = None
    assert await threads.ask(answers.is_set)


async def test_what_takes_long_on_a_disk_that_answers_is_waited_for() -> None:
    answers, asked = threading.Event(), asyncio.Event()

    class Answering(SaidSilence):
        async def now(self) -> str | None:
            asked.set()
            answers.set()
            return None

    assert await DiskThreads("test", 1, Answering()).ask(answers.wait)
    assert asked.is_set()


async def test_whoever_is_cancelled_takes_what_they_asked_for_along() -> None:
    answers = threading.Event()
    threads, ended = DiskThreads("test", 1), asyncio.Event()

    async def work() -> None:
        try:
            await threads.run(answers.wait)
        finally:
            ended.set()

    waiting = asyncio.create_task(threads.attend(work()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()
    answers.set()


async def test_there_are_never_more_threads_than_said_and_every_call_has_its_turn() -> None:
    threads = DiskThreads("test", 3)
    names = await asyncio.gather(*(threads.run(_name_after_a_moment) for _ in range(60)))
    assert 1 < len(set(names)) <= 3


def _name_after_a_moment() -> str:
    threading.Event().wait(0.002)
    return threading.current_thread().name


def test_a_process_ends_while_a_call_hangs() -> None:
    program = (
        "import asyncio, threading\n"
        "from lookback.buffer.threads import DiskThreads\n"
        "async def main():\n"
        "    asyncio.ensure_future(DiskThreads('test', 1).run(threading.Event().wait))\n"
        "    await asyncio.sleep(0.1)\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
