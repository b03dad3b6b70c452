"""The demo in a LiveKit room, as the guide says it."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.installation import Installation
    from tests.support.people import Person


async def test_a_generated_screen_is_shared_and_kept_until_it_is_ended(
    installation: Installation, alice: Person
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lookback", "demo", "--livekit", "--room", "shown", "--user", "alice"),
        env=installation._environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        session = await eventually(lambda: alice.session_in("shown"), within=60, what="a session")
        await alice.sees_buffered(session, 2, within=60)
        clip = await alice.captures(session, durationSeconds=1)
        assert (clip["video"]["width"], clip["video"]["height"]) == (1280, 720)
        process.send_signal(signal.SIGINT)
        printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    assert "alice shares a generated screen in the LiveKit room shown" in printed.decode()
    assert session["sessionId"] in printed.decode()
    await alice.sees_status(session, "interrupted", "draining")
