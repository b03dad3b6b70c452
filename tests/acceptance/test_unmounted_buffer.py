"""The buffer's disk is unmounted while people share, and mounted again."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from tests.support.alert_receiver import an_alert_receiver
from tests.support.installation import an_installation
from tests.support.people import Refused, microseconds
from tests.support.publishers import sharing
from tests.support.shaky_ground import mount_for, on_a_removable_disk, seen_by
from tests.support.waiting import eventually, now_us

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.people import Json, Person

SHARES = 3
NOTICED_SECONDS = RESUMED_SECONDS = 10


@pytest.mark.parametrize("disk", ["the same", "an empty one"])
async def test_an_unmounted_buffer_is_noticed_and_never_filled(tmp_path: Path, disk: str) -> None:
    folder, plug = tmp_path / "mounted", tmp_path / "plug"
    for path in (folder, plug):
        path.mkdir()
    ground = on_a_removable_disk(plug, folder, megabytes=64)
    async with (
        an_alert_receiver() as receiver,
        an_installation(
            tmp_path / "home",
            ground=ground,
            REPLAY_BUFFER_PATH=str(folder),
            LOOKBACK_ALERT_WEBHOOK=receiver.url,
        ) as server,
    ):
        place = seen_by(server.api_pid, folder)
        async with AsyncExitStack() as stack:
            people: list[Person] = []
            sessions = []
            for number in range(SHARES):
                person = await stack.enter_async_context(server.person(f"sharer-{number}"))
                share = await stack.enter_async_context(sharing(person, f"room-{number}"))
                people.append(person)
                sessions.append(share.session)
            for person, session in zip(people, sessions, strict=True):
                await person.sees_buffered(session, 2)
            mount_for(server.api_pid, "umount", "--lazy", str(folder))
            assert list(place.iterdir()) == [], "this is the empty place below the mount"
            begun_s, away_us = time.monotonic(), now_us()
            await eventually(
                lambda: server.log.count("The buffer's disk is not mounted") >= SHARES,
                within=NOTICED_SECONDS,
                what="a word about the disk for every session",
            )
            await eventually(lambda: time.monotonic() - begun_s > 4, within=NOTICED_SECONDS, what="a few seconds")
            assert list(place.iterdir()) == [], "nothing is written below a mount"
            async with server.person("another") as another:
                with pytest.raises(Refused) as refused:
                    await another.answer("POST", "start", json={"roomName": "other", "source": "synthetic"})
            assert refused.value.status == 503
            assert refused.value.problem["detail"] == "The buffer directory's disk is not mounted"
            source = ("--bind", str(plug)) if disk == "the same" else ("-t", "tmpfs", "-o", "size=64m", "another")
            mount_for(server.api_pid, "mount", *source, str(folder))
            back_us = now_us()
            for person, session in zip(people, sessions, strict=True):
                seen = await person.sees_buffered_until(session, back_us + 1_000_000)
                assert now_us() - back_us < RESUMED_SECONDS * 1_000_000
                missing_us = sum(_length_us(gap) for gap in seen["gaps"])
                assert missing_us < back_us - away_us, "what came meanwhile was kept in memory"
            await eventually(lambda: "storage.back" in receiver.types, what="the alert that it is over")
            assert "The buffer directory's disk is not mounted" in receiver.sentences


def _length_us(gap: Json) -> int:
    return microseconds(gap["end"]) - microseconds(gap["start"])
