"""Sessions as those see them who look after all of them, and what happened to some: stopped, failed, interrupted."""

from __future__ import annotations

import os
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.encoded_clip import encoded_clip
from tests.support.installation import an_installation
from tests.support.people import Refused, microseconds
from tests.support.sender_sdp import offer
from tests.support.whip_sender import WhipSender

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.people import Json, Person


async def test_who_manages_limits_sees_everybody_s_sessions_and_how_far_behind_they_are(server: Installation) -> None:
    async with server.person("watched") as watched, server.person("root", admin=True) as root:
        session = await watched.starts_the_demo("watched")
        await watched.sees_buffered(session, 1)
        running = await as_administrators_see(root, session)
        assert (running["userId"], running["status"], running["recorded"]) == ("watched", "recording", "yes")
        assert 0 <= running["lagSeconds"] < 5
        await watched.stops(session)
        stopped = await as_administrators_see(root, session)
        assert (stopped["recorded"], stopped["lagSeconds"]) == ("no", None)


async def as_administrators_see(root: Person, session: Json) -> Json:
    """The session in the list of all."""
    found = (await root.answer("GET", "admin/sessions")).json()["items"]
    seen: Json = next(item for item in found if item["sessionId"] == session["sessionId"])
    return seen


async def test_all_sessions_come_page_by_page_and_a_cursor_stays_where_it_was(server: Installation) -> None:
    async with AsyncExitStack() as stack:
        root, *people = [
            await stack.enter_async_context(server.person(name, admin=name == "root"))
            for name in ("root", "first", "second", "third", "fourth")
        ]
        first, second, third = [await person.starts_the_demo("pages") for person in people[:3]]

        async def page(**query: Any) -> tuple[list[str], str | None]:
            answer = (await root.answer("GET", "admin/sessions", params=query)).json()
            return [item["sessionId"] for item in answer["items"]], answer["nextCursor"]

        newest, cursor = await page(limit=1)
        assert newest == [third["sessionId"]]
        fourth = await people[3].starts_the_demo("pages")
        assert (await page(limit=2, cursor=cursor))[0] == [second["sessionId"], first["sessionId"]]
        assert (await page(limit=1))[0] == [fourth["sessionId"]]
        everything, end = await page(limit=200)
        assert (everything[:4], end) == ([s["sessionId"] for s in (fourth, third, second, first)], None)
        for query in ({"cursor": "nonsense"}, {"limit": 0}, {"limit": 201}):
            with pytest.raises(Refused) as refused:
                await page(**query)
            assert refused.value.status == 400
        for person, session in zip(people, (first, second, third, fourth), strict=True):
            await person.stops(session)


async def test_a_recorder_that_hangs_is_said_to_be_silent(tmp_path: Path) -> None:
    async with (
        an_installation(tmp_path) as here,
        here.person("watched") as watched,
        here.person("root", admin=True) as root,
    ):
        session = await watched.starts_the_demo()
        await watched.sees_buffered(session, 1)
        recorder = await here.recorder_pid()
        os.kill(recorder, signal.SIGSTOP)
        try:
            seen = await as_administrators_see(root, session)
            assert (seen["status"], seen["recorded"], seen["lagSeconds"]) == ("recording", "unknown", None)
        finally:
            os.kill(recorder, signal.SIGCONT)
        seen = await as_administrators_see(root, session)
        assert seen["recorded"] == "yes"


async def test_a_session_tells_its_story(server: Installation) -> None:
    async with server.person("narrator") as narrator, server.person("root", admin=True) as root:
        session = await narrator.starts_the_demo("story")
        await narrator.sees_buffered(session, 1)
        await root.answer("POST", f"stop/{session['sessionId']}")
        path = f"sessions/{session['sessionId']}/story"
        told = (await narrator.answer("GET", path)).json()
        assert (await root.answer("GET", path)).json() == told
    kinds = [event["kind"] for event in told["events"]]
    assert kinds == ["starting", "recording", "draining"]
    asked, recorded, stopped = told["events"]
    assert asked["sentence"] == "Its user asked for it"
    assert recorded["sentence"].startswith("The first key frame is on disk, after ")
    assert stopped["sentence"] == "Stopped by somebody who manages the replay buffers here"
    assert microseconds(asked["at"]) <= microseconds(recorded["at"]) <= microseconds(stopped["at"])
    assert (told["status"], told["leftOut"], told["nextStep"]) == ("draining", 0, None)


async def offers_and_sends_nothing(person: Person, room: str) -> Json:
    """The session of a publisher of whom no packet comes."""
    sdp = {"Content-Type": "application/sdp"}
    answer = await person.answer("POST", f"/whip/{room}", content=offer(WhipSender(encoded_clip())), headers=sdp)
    return {"sessionId": answer.headers["X-Lookback-Session"], "roomName": room}


async def test_failures_and_interruptions_are_told_by_the_server_and_beside_it(tmp_path: Path) -> None:
    async with (
        an_installation(tmp_path, LOOKBACK_START_TIMEOUT_SECONDS="5") as here,
        here.person("mute") as mute,
        here.person("phoenix") as phoenix,
    ):
        failed = await offers_and_sends_nothing(mute, "stage")
        session = await phoenix.starts_the_demo("nest")
        await phoenix.sees_buffered(session, 1)
        await phoenix.captures(session, durationSeconds=1)
        await phoenix.deletes(await phoenix.captures(session, durationSeconds=1, title="Gone"))
        await mute.sees_status(failed, "failed")
        await here.kill_recorder()
        await phoenix.sees_gap(session, "reconnect")
        await phoenix.sees_status(session, "recording")
        await phoenix.stops(session)
        of_failed = (await mute.answer("GET", f"sessions/{failed['sessionId']}/story")).json()
        told = (await phoenix.answer("GET", f"sessions/{session['sessionId']}/story")).json()
        with pytest.raises(Refused) as refused:
            await phoenix.answer("GET", f"sessions/{failed['sessionId']}/story")
        status, printed = await here.command("why", session["sessionId"])
    assert refused.value.status == 404
    assert [event["kind"] for event in of_failed["events"]] == ["starting", "failed"]
    assert of_failed["events"][1]["sentence"] == "No picture came within 5 s: the publisher sent no key frame"
    assert (of_failed["status"], "key frames" in of_failed["nextStep"]) == ("failed", True)
    kinds = [event["kind"] for event in told["events"]]
    assert [kind for kind in kinds if kind != "gap"] == [
        "starting",
        "recording",
        "interrupted",
        "recording",
        "draining",
    ]
    gaps = [event["sentence"] for event in told["events"] if event["kind"] == "gap"]
    assert any(gap.startswith("Nothing for ") and gap.endswith(" s: the publisher was away") for gap in gaps)
    assert told["events"][-1]["sentence"] == "Stopped by its user"
    assert status == 0
    *lines, last = printed.splitlines()[1:]
    assert [line.split()[1] for line in lines] == kinds
    assert (told["clips"], of_failed["clips"], last) == (1, 0, "1 clip of it is kept.")
