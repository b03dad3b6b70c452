"""A disk that is full, read-only or gone costs the seconds it was, and nothing that was there before."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from tests.support.installation import Installation, an_installation
from tests.support.people import microseconds
from tests.support.pictures import pictures
from tests.support.publishers import sharing
from tests.support.shaky_ground import fill, on_a_small_disk, seen_by
from tests.support.waiting import eventually, now_us

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.people import Json, Person


async def test_a_full_disk_costs_the_seconds_it_was_full(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    ground = on_a_small_disk(folder, megabytes=16)
    # Nobody makes room here: what a full disk does by itself is what this is about.
    settings = {"REPLAY_BUFFER_PATH": str(folder), "LOOKBACK_MIN_FREE_GB": "0"}
    async with an_installation(tmp_path / "home", ground=ground, **settings) as server:
        disk = seen_by(server.api_pid, folder)
        async with server.person("hoarder") as person, sharing(person, "full") as share:
            await person.sees_buffered(share.session, 2)
            ballast = fill(disk)
            await eventually(lambda: "storage" in server.log, within=20, what="a word about storage in the log")
            stuck = await _stands_still(person, share.session)
            before = await person.captures(share.session, **_everything(stuck))
            ballast.unlink()
            seen = await person.sees_gap(share.session, "storage")
            await person.sees_buffered_until(share.session, microseconds(seen["gaps"][0]["end"]) + 1_000_000)
            after = await person.captures(share.session, durationSeconds=1)
            for clip in (before, after):
                assert clip["gaps"] == []
                assert len(pictures(await person.downloads(clip))) == pytest.approx(clip["durationSeconds"] * 30, abs=3)
            assert len((await person.sees(share.session))["gaps"]) == 1


async def test_recording_survives_the_removal_of_the_whole_buffer(tmp_path: Path) -> None:
    async with (
        an_installation(tmp_path / "home") as server,
        server.person("mover") as person,
        sharing(person, "vanish") as share,
    ):
        await person.sees_buffered(share.session, 2)
        removed_us = now_us()
        shutil.rmtree(server.buffer)
        await person.sees_buffered_until(share.session, removed_us + 3_000_000)
        clip = await person.captures(share.session, durationSeconds=1)
        assert len(pictures(await person.downloads(clip))) == pytest.approx(30, abs=3)
        assert "The buffer's directory has vanished" in server.log


async def test_a_read_only_buffer_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "protected"
    folder.mkdir()
    ground = on_a_small_disk(folder, megabytes=1, options="ro")
    server = Installation(tmp_path / "home", {"REPLAY_BUFFER_PATH": str(folder)}, ground)
    with pytest.raises(AssertionError, match="the server ended"):
        await server.start()
    assert server.log == "REPLAY_BUFFER_PATH is wrong: the folder cannot be written (Read-only file system).\n"


async def _stands_still(person: Person, session: Json) -> Json:
    """Wait until nothing more is written."""
    last: list[Json] = [await person.sees(session)]

    async def same() -> Json | None:
        last.append(await person.sees(session))
        quiet = len(last) > 30 and last[-1]["bufferedUntil"] == last[-30]["bufferedUntil"]
        return last[-1] if quiet else None

    return await eventually(same, what="a buffer that stands still")


def _everything(session: Json) -> Json:
    """What is buffered, in whole milliseconds inside of it."""
    return {
        "start": -(-microseconds(session["bufferedFrom"]) // 1000),
        "end": microseconds(session["bufferedUntil"]) // 1000,
    }
