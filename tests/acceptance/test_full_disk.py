"""A small disk fills up while people share and save, and is freed: nothing that was saved is lost, all goes on."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.support.alert_receiver import an_alert_receiver
from tests.support.encoded_clip import ClipShape
from tests.support.installation import an_installation
from tests.support.people import Refused
from tests.support.publishers import sharing
from tests.support.shaky_ground import fill, on_a_loop_mount, on_a_small_disk, seen_by
from tests.support.waiting import eventually, now_us

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.people import Json, Person

MEGABYTES = 300
STEPS = ["calm", "no-renditions", "small-captures", "shorter-windows", "fewer-sessions"]
H264, VP8 = ClipShape(bitrate_bps=1_500_000, noise=True), ClipShape("vp8", bitrate_bps=1_500_000, noise=True)
NAMES = ("anna", "bert", "cleo", "dora", "emil")


@dataclass(slots=True)
class Sharer:
    """Somebody who shares and saves. `saved`: clips with the digest of what was downloaded at once."""

    person: Person
    session: Json
    saved: list[tuple[Json, str]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    async def saves(self) -> None:
        """Save the last two seconds, whatever is missing of them."""
        try:
            clip = await self.person.captures(self.session, durationSeconds=2, allowGaps=True)
            self.saved.append((clip, self.person.digest(await self.person.downloads(clip))))
        except Refused as refusal:
            self.refused.append(refusal)

    async def saves_on_and_on(self) -> None:
        """Do so until cancelled."""
        while True:
            await self.saves()
            await asyncio.sleep(1.0)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["tmpfs", "ext4"])
async def test_a_disk_that_fills_up_costs_no_clip_and_recording_resumes_by_itself(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    roots = {"REPLAY_BUFFER_PATH": str(folder / "buffer"), "REPLAY_STORAGE_PATH": str(folder / "clips")}
    if kind == "ext4":
        ground = on_a_loop_mount(folder, tmp_path / "image", MEGABYTES)
    else:
        ground = on_a_small_disk(folder, MEGABYTES)
    async with (
        an_alert_receiver() as receiver,
        an_installation(
            tmp_path / "home",
            ground=ground,
            REPLAY_SEGMENT_DURATION_SECONDS="2",
            LOOKBACK_ALERT_WEBHOOK=receiver.url,
            **roots,
        ) as server,
        server.person("root", admin=True) as admin,
        five_people(server) as sharers,
    ):
        disk = seen_by(server.api_pid, folder)
        webm = await sharers[-1].person.captures(sharers[-1].session, durationSeconds=1)
        async with saving(sharers):
            await _fills_up(disk, admin)
            await _converts_nothing(sharers[-1], webm)
            await eventually(lambda: _is_at(admin, "fewer-sessions"), within=60, what="the last step")
            await eventually(lambda: _pauses_somebody(admin), what="a session that pauses")
            await _starts_nobody(server)
            await _saves_nothing_large(sharers[0])
            for ballast in disk.glob("ballast*"):
                ballast.unlink()
            await eventually(lambda: _is_at(admin, "calm"), within=30, what="calm")
            for sharer in sharers:
                seen = await sharer.person.sees_buffered_until(sharer.session, now_us() + 2_000_000)
                assert (seen["status"], seen["reason"]) == ("recording", None)
                assert {gap["cause"] for gap in seen["gaps"]} <= {"storage"}, seen["gaps"]
            before = [len(sharer.saved) for sharer in sharers]
            await eventually(lambda: all(len(s.saved) > n for s, n in zip(sharers, before, strict=True)))
        assert _steps_in(server.log) == STEPS, "every step was taken, one after the other"
        await eventually(lambda: "space.calm" in receiver.types, what="the last alert")
        assert {f"space.{step}" for step in STEPS} <= set(receiver.types), "and administrators were told of each"
        refusals = {(refusal.status, refusal.code) for sharer in sharers for refusal in sharer.refused}
        assert refusals <= {(507, "disk-full"), (400, "no-segments")}
        await _nothing_saved_is_lost(sharers)

        await server.is_consistent()


async def _fills_up(disk: Path, admin: Person) -> None:
    """Let something else on the machine take the disk, faster than recording but slow enough to see every step."""
    with (disk / "ballast-1").open("wb", buffering=0) as file:
        for step, free_mb in (("no-renditions", 28), ("small-captures", 20), ("shorter-windows", 13)):
            while _free_bytes(disk) > free_mb << 20:
                file.write(bytes(1 << 20))
            await eventually(partial(_is_at, admin, *STEPS[STEPS.index(step) :]), within=20, what=step)
    fill(disk).rename(disk / "ballast-2")


async def _converts_nothing(sharer: Sharer, webm: Json) -> None:
    with pytest.raises(Refused, match="nothing is converted") as rendition:
        await sharer.person.answer("POST", f"clips/{webm['clipId']}/renditions", json={"format": "mp4"})
    assert (rendition.value.status, rendition.value.code) == (507, "disk-full")


async def _starts_nobody(server: Installation) -> None:
    async with server.person("late") as late:
        with pytest.raises(Refused, match="no new replay buffer") as refusal:
            await late.starts_the_demo("late")
    assert (refusal.value.status, refusal.value.code) == (507, "disk-full")
    assert refusal.value.problem["retryAfter"] == 30


async def _saves_nothing_large(sharer: Sharer) -> None:
    with pytest.raises(Refused) as refusal:
        await sharer.person.captures(sharer.session, durationSeconds=60, allowGaps=True)
    assert (refusal.value.status, refusal.value.code) == (507, "disk-full")


async def _nothing_saved_is_lost(sharers: list[Sharer]) -> None:
    assert sum(len(sharer.saved) for sharer in sharers) > 10
    for sharer in sharers:
        for clip, digest in sharer.saved:
            stored = await sharer.person.sees_stored(clip, within=90)
            assert stored["sha256"] == digest
            assert sharer.person.digest(await sharer.person.downloads(stored)) == digest
            assert stored["etag"] == clip["etag"]


def _steps_in(log: str) -> list[str]:
    """The steps that were taken on the way up, in order, by what the log says."""
    taken = ["calm"]
    for line in log.splitlines():
        step = re.search(r'"to": ?"([a-z-]+)"', line) if "space.changed" in line else None
        if step is not None and STEPS.index(step[1]) > STEPS.index(taken[-1]):
            taken.append(step[1])
    return taken


def _free_bytes(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


async def _space(admin: Person) -> Json:
    space: Json = (await admin.answer("GET", "admin/space")).json()
    return space


async def _pauses_somebody(admin: Person) -> bool:
    return bool((await _space(admin))["pausedSessions"])


async def _is_at(admin: Person, *steps: str) -> bool:
    return (await _space(admin))["step"] in steps


@asynccontextmanager
async def five_people(server: Installation) -> AsyncIterator[list[Sharer]]:
    """Four share H.264, the last one VP8; each has something to save."""
    async with AsyncExitStack() as stack:
        sharers = []
        for name in NAMES:
            person = await stack.enter_async_context(server.person(name))
            shape = VP8 if name == NAMES[-1] else H264
            share = await stack.enter_async_context(sharing(person, f"room-{name}", shape))
            sharers.append(Sharer(person, share.session))
        for sharer in sharers:
            await sharer.person.sees_buffered(sharer.session, 3)
        yield sharers


@asynccontextmanager
async def saving(sharers: list[Sharer]) -> AsyncIterator[None]:
    """Everybody saves on and on while the body runs."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(sharer.saves_on_and_on()) for sharer in sharers]
        yield
        for task in running:
            task.cancel()
