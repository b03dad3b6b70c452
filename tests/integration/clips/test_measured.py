"""How long a capture took, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from structlog.testing import capture_logs

from lookback.clips.stopwatch import Step, Stopwatch, disk_pressure, tell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.clip_studio import Studio

STEPS = {"find", "commit", "queue", "plan", "reserve", "write", "row"}


async def test_every_capture_says_how_long_each_step_took(studio: Studio) -> None:
    studio.record()
    with capture_logs() as logs:
        clip = await studio.capture(last_us=1_000_000)
    (line,) = [line for line in logs if line["event"] == "Replay captured"]
    assert (line["log_level"], line["clip"], line["size_bytes"]) == ("info", clip.clip_id, clip.size_bytes)
    assert line["steps_ms"].keys() == STEPS
    assert line["took_ms"] > 0
    assert "slow_step" not in line


async def test_a_slow_capture_names_the_step_and_what_the_disk_did(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture(last_us=1_000_000)
    with capture_logs() as logs:
        tell(clip, {"commit": 9.0, "plan": 0.1, "write": 1.2, "row": 0.2})
    (line,) = logs
    assert (line["log_level"], line["slow_step"], line["took_ms"]) == ("warning", "write", 1500.0)
    assert line["disk_pressure"] == disk_pressure()


async def test_waiting_for_the_future_makes_no_capture_slow(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture(last_us=1_000_000)
    with capture_logs() as logs:
        tell(clip, {"commit": 60.0, "write": 0.02})
    assert [(line["log_level"], line["took_ms"]) for line in logs] == [("info", 20.0)]


def test_a_step_done_twice_adds_up() -> None:
    watch = Stopwatch()
    watch.lap("plan")
    first = watch.seconds["plan"]
    watch.lap("plan")
    seconds = cast("Mapping[Step, float]", watch.seconds)
    assert seconds["plan"] > first
    assert list(seconds) == ["plan"]
