"""Disks are tried, whoever hangs hangs alone, and changes are told once."""

from __future__ import annotations

import os
import shutil
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from lookback.buffer.marker import MARKER, RootIdentity, recognise
from lookback.errors import StorageUnavailableError
from lookback.operations.storage_health import SLOW_US, Level, RootFacts, judge
from lookback.operations.storage_probe import probe_root, require_writable
from lookback.operations.storage_watch import FRESH_US, LASTING_US, StorageWatch

if TYPE_CHECKING:
    from pathlib import Path

    from lookback.operations.storage_health import Problem


def test_a_disk_that_works_shows_it_and_nothing_is_left(tmp_path: Path) -> None:
    identity = recognise(tmp_path)
    facts = probe_root("buffer", tmp_path, identity)
    assert (facts.fault, facts.hard_links, facts.mount is not None) == (0, True, True)
    assert facts.took_us > 0
    assert [path.name for path in tmp_path.iterdir()] == [MARKER]


def test_nothing_is_written_where_nothing_is_mounted(tmp_path: Path) -> None:
    facts = probe_root("buffer", tmp_path, RootIdentity("mine", "/no/such/mount"))
    assert [problem.kind for problem in judge(facts)] == ["not-mounted"]
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_a_fault(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.write_text("")
    assert [problem.level for problem in judge(probe_root("storage", root, None))] == [Level.GONE]


class Clock:
    def __init__(self) -> None:
        self.now_us = 1_000_000_000

    def __call__(self) -> int:
        return self.now_us


async def test_a_change_is_told_once_and_a_session_is_refused_with_the_reason(tmp_path: Path) -> None:
    told: list[tuple[Level, list[str]]] = []
    clock, root = Clock(), tmp_path / "root"
    root.mkdir()

    def alert(level: Level, problems: tuple[Problem, ...]) -> None:
        told.append((level, [problem.kind for problem in problems]))

    watch = StorageWatch({"buffer": lambda: probe_root("buffer", root, None)}, {}, clock=clock, alert=alert)
    await watch.require()
    shutil.rmtree(root)
    await watch.require()  # what was seen a moment ago still holds
    for _ in range(2):
        clock.now_us += FRESH_US
        with pytest.raises(StorageUnavailableError) as refused:
            await watch.require()
    assert (
        refused.value.detail
        == watch.reason("buffer")
        == "The buffer directory cannot be written: " + ("No such file or directory")
    )
    root.mkdir()
    clock.now_us += FRESH_US
    await watch.require()
    assert told == [(Level.GONE, ["failing"]), (Level.OK, [])]


async def test_what_is_wrong_only_for_a_moment_does_not_last() -> None:
    clock, took_us = Clock(), SLOW_US + 1
    watch = StorageWatch({"buffer": lambda: RootFacts("buffer", took_us=took_us)}, {}, clock=clock)

    async def lasting() -> list[str]:
        await watch.probe()
        return [problem.kind for problem in watch.lasting]

    assert await lasting() == []
    clock.now_us += LASTING_US
    assert await lasting() == ["slow"]
    took_us = 0
    assert await lasting() == []
    took_us = SLOW_US + 1
    clock.now_us += LASTING_US
    assert await lasting() == []


async def test_a_disk_that_hangs_holds_nobody_up_and_is_asked_once() -> None:
    hanging, asked = threading.Event(), []

    def probe() -> RootFacts:
        asked.append(1)
        hanging.wait(30)
        return RootFacts("buffer")

    clock = Clock()
    watch = StorageWatch({"buffer": probe}, {}, clock=clock, deadline_s=0.05)
    begun_s = time.monotonic()
    for _ in range(3):
        clock.now_us += FRESH_US
        with pytest.raises(StorageUnavailableError, match="does not answer"):
            await watch.require()
    assert time.monotonic() - begun_s < 5
    assert len(asked) == 1
    hanging.set()


async def test_a_mount_that_is_gone_is_seen_between_two_thorough_looks(tmp_path: Path) -> None:
    identity = RootIdentity(recognise(tmp_path).root_id, "/no/such/mount")
    probes = 0

    def probe() -> RootFacts:
        nonlocal probes
        probes += 1
        return probe_root("buffer", tmp_path, identity)

    def look() -> None:
        if not (tmp_path / MARKER).exists():
            raise FileNotFoundError

    watch = StorageWatch({"buffer": probe}, {"buffer": look}, clock=Clock())
    await watch.look()
    await watch.look()
    assert (probes, watch.level) == (1, Level.OK)
    (tmp_path / MARKER).unlink()
    await watch.look()
    assert (probes, watch.level) == (2, Level.GONE)


async def test_a_folder_that_takes_no_file_is_seen_between_two_thorough_looks(tmp_path: Path) -> None:
    identity = recognise(tmp_path)
    probes = 0

    def probe() -> RootFacts:
        nonlocal probes
        probes += 1
        return probe_root("buffer", tmp_path, identity)

    watch = StorageWatch({"buffer": probe}, {"buffer": partial(require_writable, tmp_path, identity)}, clock=Clock())
    await watch.look()
    await watch.look()
    assert probes == 1
    require_writable(tmp_path, identity)
    assert os.listdir(tmp_path) == [MARKER]  # noqa: PTH208 - of an event loop with nothing else to do
    (tmp_path / f".probe-{os.getpid()}-look").mkdir()  # no file can be made under this name
    await watch.look()
    assert probes == 2
