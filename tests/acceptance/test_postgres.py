"""The program on PostgreSQL: the main job, and what happens while the database is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.installation import an_installation
from tests.support.people import BASE, microseconds
from tests.support.pictures import beeps, duration, pictures
from tests.support.postgres import a_postgres_server
from tests.support.publishers import sharing
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.people import Person
    from tests.support.postgres import PostgresServer

SEGMENTS = {"REPLAY_SEGMENT_DURATION_SECONDS": "2"}


async def test_a_share_is_recorded_saved_and_played(postgres: PostgresServer, tmp_path: Path) -> None:
    database = await postgres.new_database(empty=True)
    async with an_installation(tmp_path / "home", DATABASE_URL=database, **SEGMENTS) as server:
        async with server.person("alice") as alice:
            session = await alice.starts_the_demo()
            seen = await alice.sees_buffered(session, 5)
            end_ms = microseconds(seen["bufferedUntil"]) // 1000
            clip = await alice.captures(session, start=end_ms - 4000, end=end_ms, title="On PostgreSQL")
            media = await alice.downloads(clip)
            await alice.stops(session)
            stored = await alice.sees_stored(clip)
        await server.restart()
        async with server.person("alice") as alice:
            assert (await alice.clips())[0]["title"] == "On PostgreSQL"
            assert await alice.downloads(stored) == media
        await server.stop()
        assert (await server.check())[0] == 0
    assert duration(media) == pytest.approx(4, abs=0.001)
    numbers = [picture.number for picture in pictures(media)]
    assert numbers == sorted(set(numbers))  # the generated screen leaves pictures out where the machine is busy
    assert numbers[-1] - numbers[0] <= 120
    assert len(beeps(media)) == pytest.approx(4, abs=1)


async def test_a_database_that_goes_away_costs_no_picture(tmp_path: Path) -> None:
    with a_postgres_server() as postgres:
        database = await postgres.new_database(empty=True)
        async with (
            an_installation(tmp_path / "home", DATABASE_URL=database, **SEGMENTS) as server,
            server.person("alice") as alice,
            sharing(alice) as share,
        ):
            seen = await alice.sees_buffered(share.session, 2)
            postgres.stop()
            try:
                await _is_told_to_come_back(alice)
            finally:
                postgres.start()
            until_us = microseconds(seen["bufferedUntil"]) + 2_000_000
            await eventually(lambda: _answers(alice), what="an answer")
            seen = await alice.sees_buffered_until(share.session, until_us)
            assert seen["gaps"] == []
            assert seen["status"] == "recording"
            end_ms = until_us // 1000 - 500
            clip = await alice.captures(share.session, start=end_ms - 2000, end=end_ms)
            assert clip["gaps"] == []


async def _is_told_to_come_back(person: Person) -> None:
    for method, path in (("GET", "sessions"), ("GET", "my-clips"), ("GET", "me"), ("POST", "start")):
        body = {"roomName": "another", "source": "synthetic"} if method == "POST" else None
        answer = await person.http.request(method, f"{BASE}/{path}", json=body)
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) > 0
        assert (answer.json()["code"], answer.json()["detail"]) == (
            "storage-unavailable",
            "The database does not answer",
        )
    ready = await person.http.get("/readyz")
    assert ready.status_code == 503
    assert [check["name"] for check in ready.json()["checks"] if not check["ok"]] == ["database"]
    assert (await person.http.get("/healthz")).is_success


async def _answers(person: Person) -> bool:
    return (await person.http.get(f"{BASE}/sessions")).is_success
