"""Sessions as those see them who look after all of them, and what happened to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.people import microseconds

if TYPE_CHECKING:
    from tests.support.installation import Installation


async def test_who_manages_limits_sees_everybody_s_sessions_and_how_far_behind_they_are(server: Installation) -> None:
    async with server.person("watched") as watched, server.person("root", admin=True) as root:
        session = await watched.starts_the_demo("watched")
        await watched.sees_buffered(session, 1)
        found = {item["sessionId"]: item for item in (await root.answer("GET", "admin/sessions")).json()["items"]}
        running = found[session["sessionId"]]
        assert (running["userId"], running["status"]) == ("watched", "recording")
        assert 0 <= running["lagSeconds"] < 5
        await watched.stops(session)
        found = {item["sessionId"]: item for item in (await root.answer("GET", "admin/sessions")).json()["items"]}
        assert found[session["sessionId"]]["lagSeconds"] is None


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
