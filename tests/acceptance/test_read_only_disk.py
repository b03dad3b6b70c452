"""A disk becomes read-only while people share and save, and writable again: it is said, and nothing saved is lost."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.alert_receiver import an_alert_receiver
from tests.support.installation import an_installation
from tests.support.people import Refused, microseconds, seconds_of
from tests.support.pictures import pictures
from tests.support.publishers import sharing
from tests.support.read_only_disk import READ_ONLY_DISKS
from tests.support.shaky_ground import seen_by
from tests.support.told_gaps import untold_holes
from tests.support.waiting import eventually, now_us

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.alert_receiver import AlertReceiver
    from tests.support.installation import Installation
    from tests.support.people import Json, Person
    from tests.support.read_only_disk import ReadOnlyDisk

NOTICED_SECONDS = RESUMED_SECONDS = 10
NO_BUFFER = "The buffer directory cannot be written: Read-only file system"
NO_CLIPS = "The clip directory cannot be written: Read-only file system"


@dataclass(slots=True)
class Sharer:
    """Somebody who shares and saves. `saved`: clips with the digest of what was downloaded at once."""

    person: Person
    session: Json
    saved: list[tuple[Json, str]] = field(default_factory=list)

    async def sees(self) -> Json:
        return await self.person.sees(self.session)

    async def sees_reason(self, reason: str | None) -> None:
        """Wait until the session says just this of itself; it is one that is being recorded."""

        async def says() -> bool:
            seen = await self.sees()
            return (seen["status"], seen["reason"]) == ("recording", reason)

        await eventually(says, within=NOTICED_SECONDS, what=f"the reason {reason}")

    async def saves(self, **wish: Any) -> Json:
        """Save a range, and play it."""
        clip = await self.person.captures(self.session, **wish)
        media = await self.person.downloads(clip)
        self.saved.append((clip, self.person.digest(media)))
        assert await asyncio.to_thread(pictures, media)
        return clip

    async def saves_everything(self) -> Json:
        """Save all that is buffered, in whole milliseconds inside of it."""
        seen = await self.sees()
        start_ms = -(-microseconds(seen["bufferedFrom"]) // 1000)
        end_ms = microseconds(seen["bufferedUntil"]) // 1000
        return await self.saves(start=start_ms, end=end_ms, allowGaps=True)

    async def plays_all(self) -> None:
        """Play what was saved: it is what it was."""
        for clip, digest in self.saved:
            assert self.person.digest(await self.person.downloads(clip)) == digest

    async def usage(self) -> Json:
        me: Json = (await self.person.answer("GET", "me")).json()
        return {name: me[name] for name in ("usedBytes", "reservedBytes")}


@pytest.fixture(params=READ_ONLY_DISKS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> ReadOnlyDisk:
    (tmp_path / "disk").mkdir()
    return READ_ONLY_DISKS[request.param](tmp_path / "disk", tmp_path / "image")


@pytest.mark.timeout(300)
async def test_a_buffer_that_becomes_read_only_is_said_and_goes_on_afterwards(
    tmp_path: Path, disk: ReadOnlyDisk
) -> None:
    async with (
        an_alert_receiver() as receiver,
        shared(tmp_path, disk, receiver, REPLAY_BUFFER_PATH=str(tmp_path / "disk")) as (server, admin, sharers),
    ):
        processes = server.api_pid, await server.recorder_pid()
        for sharer in sharers:
            await sharer.saves(durationSeconds=2)
        disk.turn_read_only(server.api_pid)
        away_us = now_us()
        await tells(receiver, NO_BUFFER)
        assert "buffer.read-only" in await problems(admin)
        await starts_nobody(server, NO_BUFFER)
        for sharer in sharers:
            await sharer.sees_reason("The buffer is read-only")
            await sharer.saves_everything()
            await sharer.plays_all()
        await disk.make_writable(server.api_pid)
        back_us = now_us()
        for sharer in sharers:
            seen = await sharer.person.sees_buffered_until(sharer.session, back_us + 1_000_000, within=RESUMED_SECONDS)
            assert {gap["cause"] for gap in seen["gaps"]} <= {"storage"}
            assert sum(map(seconds_of, seen["gaps"])) * 1e6 < back_us - away_us, (
                "what came meanwhile was kept in memory"
            )
            assert untold_holes(seen_by(server.api_pid, server.session_dir(sharer.session)), seen["gaps"]) == []
            await sharer.sees_reason(None)
            await sharer.saves_everything()
            await sharer.plays_all()
        await eventually(lambda: "storage.back" in receiver.types, within=NOTICED_SECONDS)
        assert (server.api_pid, await server.recorder_pid()) == processes
        await all_is_well(server, admin, sharers)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("disk", ["a write-protected mount"], indirect=True)
async def test_a_clip_folder_that_becomes_read_only_is_said_and_recording_goes_on(
    tmp_path: Path, disk: ReadOnlyDisk
) -> None:
    async with (
        an_alert_receiver() as receiver,
        shared(tmp_path, disk, receiver, REPLAY_STORAGE_PATH=str(tmp_path / "disk")) as (server, admin, sharers),
    ):
        for sharer in sharers:
            await sharer.person.sees_stored(await sharer.saves(durationSeconds=2))
        disk.turn_read_only(server.api_pid)
        await tells(receiver, NO_CLIPS)
        assert "clips.read-only" in await problems(admin)
        await starts_nobody(server, NO_CLIPS)
        for sharer in sharers:
            used = await sharer.usage()
            with pytest.raises(Refused, match="The disk is read-only") as refused:
                await sharer.saves(durationSeconds=1)
            assert (refused.value.status, refused.value.code) == (503, "storage-unavailable")
            assert await sharer.usage() == used
            await sharer.plays_all()
        await disk.make_writable(server.api_pid)
        await eventually(lambda: "storage.back" in receiver.types, within=NOTICED_SECONDS)
        for sharer in sharers:
            await sharer.person.sees_stored(await sharer.saves(durationSeconds=1))
            await sharer.plays_all()
            assert (await sharer.sees())["gaps"] == [], "recording needs no clip folder"
        await all_is_well(server, admin, sharers)


@asynccontextmanager
async def shared(
    tmp_path: Path, disk: ReadOnlyDisk, receiver: AlertReceiver, **settings: str
) -> AsyncIterator[tuple[Installation, Person, list[Sharer]]]:
    """A server that uses the disk, who looks after it, and two people who share."""
    settings |= {"REPLAY_SEGMENT_DURATION_SECONDS": "2", "LOOKBACK_ALERT_WEBHOOK": receiver.url}
    async with (
        an_installation(tmp_path / "home", ground=disk.command, **settings) as server,
        server.person("root", admin=True) as admin,
        AsyncExitStack() as stack,
    ):
        sharers = []
        for name in ("anna", "bert"):
            person = await stack.enter_async_context(server.person(name))
            share = await stack.enter_async_context(sharing(person, f"room-{name}"))
            sharers.append(Sharer(person, share.session))
        for sharer in sharers:
            await sharer.person.sees_buffered(sharer.session, 4)
        yield server, admin, sharers


async def tells(receiver: AlertReceiver, sentence: str) -> None:
    """Wait for the alert that says so."""
    await eventually(lambda: sentence in receiver.sentences, within=NOTICED_SECONDS, what=sentence)


async def problems(admin: Person) -> set[str]:
    """The ids of what is not ok."""
    findings = (await admin.answer("GET", "admin/health")).json()["findings"]
    return {finding["id"] for finding in findings if finding["level"] != "ok"}


async def starts_nobody(server: Installation, sentence: str) -> None:
    async with server.person("late") as late:
        with pytest.raises(Refused) as refused:
            await late.starts_the_demo("late")
    assert (refused.value.status, refused.value.problem["detail"]) == (503, sentence)


async def all_is_well(server: Installation, admin: Person, sharers: list[Sharer]) -> None:
    """Wait until every clip is stored and nothing is inconsistent; nothing has failed that nobody foresaw."""
    for sharer in sharers:
        for clip, digest in sharer.saved:
            assert (await sharer.person.sees_stored(clip, within=60))["sha256"] == digest

    async def healthy() -> bool:
        return not {problem for problem in await problems(admin) if problem.partition(".")[2] == "read-only"}

    await eventually(healthy, what="health")
    await server.is_consistent()
    assert "Traceback" not in server.log
