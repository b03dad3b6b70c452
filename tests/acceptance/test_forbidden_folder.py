"""A folder that the server's user may not use: a start says so, a running server notices it and goes on afterwards."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.alert_receiver import an_alert_receiver
from tests.support.examining import environment, examined_together
from tests.support.installation import Installation, an_installation
from tests.support.people import Refused, microseconds
from tests.support.publishers import sharing
from tests.support.shaky_ground import bound_by_modes
from tests.support.waiting import eventually, now_us

if TYPE_CHECKING:
    from tests.support.people import Json, Person

NOTICED_SECONDS = RESUMED_SECONDS = 10
SOMEBODY_ELSE = 65534
SENTENCE = "The buffer directory cannot be written: Permission denied"

Forbid = Callable[[Path], None]


def closed(folder: Path) -> None:
    """Let nobody in."""
    folder.chmod(0)


def somebody_else_s(folder: Path) -> None:
    """Let others look, and only its new owner write; giving things away is for root."""
    if os.geteuid():
        pytest.skip("Only root can give a folder to another user; the folder that is closed to us runs for everybody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, SOMEBODY_ELSE, SOMEBODY_ELSE)
        path.chmod(0o755 if path.is_dir() else 0o644)


def opened(folder: Path) -> None:
    """Make it ours again."""
    folder.chmod(0o755)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, os.geteuid(), os.getegid())


def a_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("variable", "forbid"), [("REPLAY_BUFFER_PATH", closed), ("REPLAY_STORAGE_PATH", somebody_else_s)]
)
async def test_a_start_says_which_folder_it_may_not_use(tmp_path: Path, variable: str, forbid: Forbid) -> None:
    folder = a_folder(tmp_path)
    server = Installation(tmp_path / "home", {variable: str(folder)}, bound_by_modes())
    try:
        forbid(folder)
        await refuses_to_start(server, variable)
        opened(folder)
        await server.start()
        await server.stop()
        forbid(folder)  # the folder is known by now
        await refuses_to_start(server, variable)
    finally:
        opened(folder)


async def refuses_to_start(server: Installation, variable: str) -> None:
    before = server.log
    with pytest.raises(AssertionError, match="the server ended"):
        await server.start()
    said = server.log.removeprefix(before)
    assert said.startswith(f"{variable} is wrong: the folder cannot be ")
    assert said.endswith(" (Permission denied).\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize("shut", ["folder", "."])
def test_the_doctor_names_a_folder_that_is_closed_or_below_a_closed_one(tmp_path: Path, shut: str) -> None:
    above = tmp_path / "above"
    (above / "folder").mkdir(parents=True)
    settings = {"REPLAY_BUFFER_PATH": str(above / "folder")}
    closed(above / shut)
    try:
        (found,) = examined_together(bound_by_modes(), [environment(tmp_path / "home", settings)])
    finally:
        opened(above)
        opened(above / "folder")
    assert "buffer.forbidden" in found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("forbid", [closed, somebody_else_s])
async def test_a_permission_lost_while_running_is_named_and_given_back_recording_goes_on(
    tmp_path: Path, forbid: Forbid
) -> None:
    folder = a_folder(tmp_path)
    settings = {"REPLAY_BUFFER_PATH": str(folder), "REPLAY_SEGMENT_DURATION_SECONDS": "2"}
    async with (
        an_alert_receiver() as receiver,
        an_installation(
            tmp_path / "home", ground=bound_by_modes(), LOOKBACK_ALERT_WEBHOOK=receiver.url, **settings
        ) as server,
        server.person("root", admin=True) as admin,
        server.person("anna") as anna,
        sharing(anna, "closed") as share,
    ):
        await anna.sees_buffered(share.session, 4)
        saved = await anna.sees_stored(await anna.captures(share.session, durationSeconds=1))
        forbid(folder)
        try:
            await eventually(lambda: SENTENCE in receiver.sentences, within=NOTICED_SECONDS, what=SENTENCE)
            assert receiver.said[-1]["facts"] == {"problems": ["buffer.forbidden"]}
            findings = (await admin.answer("GET", "admin/health")).json()["findings"]
            assert "buffer.forbidden" in {finding["id"] for finding in findings}
            async with server.person("late") as late:
                await is_refused(late.starts_the_demo, "late", sentence=SENTENCE)
            said = "The recorder may not write to the buffer"
            await eventually(lambda: said in server.log, within=NOTICED_SECONDS, what=said)
            await (cannot_be_read if forbid is closed else is_copied)(anna, share.session)
            assert anna.digest(await anna.downloads(saved)) == saved["sha256"]
        finally:
            opened(folder)
        back_us = now_us()
        seen = await anna.sees_buffered_until(share.session, back_us + 1_000_000, within=RESUMED_SECONDS)
        assert {gap["cause"] for gap in seen["gaps"]} <= {"storage"}
        await eventually(lambda: "storage.back" in receiver.types, within=NOTICED_SECONDS, what="that it is over")

        await server.is_consistent()
        assert "Traceback" not in server.log


async def cannot_be_read(person: Person, session: Json) -> None:
    for ask in (person.sees, partial(person.captures, durationSeconds=1)):
        await is_refused(ask, session, sentence="The server may not use the folder")


async def is_copied(person: Person, session: Json) -> None:
    """What can be read is copied to where it can be written."""
    start_ms = -(-microseconds((await person.sees(session))["bufferedFrom"]) // 1000)
    await person.sees_stored(await person.captures(session, start=start_ms, end=start_ms + 2000))


async def is_refused(ask: Callable[..., Awaitable[Json]], about: Any, *, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        await ask(about)
    assert (refused.value.status, refused.value.code) == (503, "storage-unavailable")
    assert refused.value.problem["detail"] == sentence
