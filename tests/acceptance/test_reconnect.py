"""A publisher that nobody here wrote vanishes and comes back: one session, two runs, and the hole is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.people import Refused, microseconds, seconds_of
from tests.support.pictures import duration, pictures
from tests.support.publishers import ffmpeg_sharing, session_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.people import Json

SECOND_RUN = 10_000  # the number of its first barcode


async def test_ffmpeg_publishes_vanishes_and_continues_the_session(server: Installation, tmp_path: Path) -> None:
    async with server.person("restarter") as person:
        async with ffmpeg_sharing(person, "restart", tmp_path) as publisher:
            session = await session_in(person, "restart")
            await person.sees_buffered(session, 3)
            publisher.vanish()
        async with ffmpeg_sharing(person, "restart", tmp_path, "--first-number", str(SECOND_RUN)):
            seen = await person.sees_gap(session, "reconnect")
            gap = seen["gaps"][0]
            await person.sees_buffered_until(session, microseconds(gap["end"]) + 2_000_000)
            around = _around(gap)
            with pytest.raises(Refused) as refusal:
                await person.captures(session, **around)
            clip = await person.captures(session, **around, allowGaps=True)
            media = await person.downloads(clip)
    assert refusal.value.status == 409
    assert refusal.value.code == "gaps"
    assert refusal.value.problem["gaps"] == [gap]
    assert clip["gaps"] == [gap]
    _shows_both_runs(media, gap, clip)


async def test_a_share_that_is_ended_stays_capturable(server: Installation, tmp_path: Path) -> None:
    async with server.person("leaver") as person:
        async with ffmpeg_sharing(person, "leave", tmp_path) as publisher:
            session = await session_in(person, "leave")
            await person.sees_buffered(session, 3)
            await publisher.leave()
        await person.sees_status(session, "draining", "interrupted")
        clip = await person.captures(session, durationSeconds=2)
        media = await person.downloads(clip)
    assert duration(media) == pytest.approx(2, abs=0.001)


def _around(gap: Json) -> Json:
    """A second before the gap until a second after it."""
    return {
        "start": microseconds(gap["start"]) // 1000 - 1000,
        "end": microseconds(gap["end"]) // 1000 + 1000,
    }


def _shows_both_runs(media: bytes, gap: Json, clip: Json) -> None:
    """The last picture of the first run is held over the gap; then the second run begins with its first picture."""
    shown = pictures(media)
    first = [picture for picture in shown if picture.number < SECOND_RUN]
    second = [picture for picture in shown if picture.number >= SECOND_RUN]
    # The picture of a publisher that has just vanished stands still for a moment before it counts as gone.
    assert 0 < len(first) <= 32
    assert len(second) == pytest.approx(30, abs=2)
    assert [picture.number for picture in second] == list(range(SECOND_RUN, SECOND_RUN + len(second)))
    assert second[0].at - first[-1].at >= seconds_of(gap) - 0.001
    assert duration(media) == pytest.approx(seconds_of(clip["delivered"]), abs=0.001)
