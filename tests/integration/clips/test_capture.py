"""What is saved for what was asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.clip_studio import ADMIN, BOB, SECOND, Studio
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.media import START_US, decoded, frame_data, record, writer_for

from lookback.clips.facts import iso
from lookback.clips.model import Interval, Storage
from lookback.errors import (
    CodecChangeError,
    GapsError,
    NoSegmentsError,
    NotFoundError,
    TooEarlyError,
    ValidationError,
)

if TYPE_CHECKING:
    from pathlib import Path

VP8 = ClipShape(codec="vp8")


async def test_the_last_seconds_are_exactly_that_long_and_play_at_once(studio: Studio) -> None:
    studio.record(frames=150)
    clip = await studio.capture(last_us=2_345_678)
    assert clip.delivered == Interval(START_US + 5 * SECOND - 2_345_678, START_US + 5 * SECOND)
    assert (clip.storage, clip.status, clip.container, clip.audio_codec) == (Storage.VIRTUAL, "ready", "mp4", "opus")
    assert (clip.width, clip.height) == (320, 180)
    data = studio.content(clip)
    assert len(data) == clip.size_bytes
    shown = decoded(data)
    assert (shown[0], shown[-1][1]) == ((0.0, 79), 149 % 120)


async def test_what_was_asked_for_is_kept_beside_what_was_delivered(studio: Studio) -> None:
    studio.record()
    studio.clock.now_us += 300_000
    clip = await studio.capture(last_us=SECOND)
    assert clip.requested == Interval(START_US + 3_300_000, START_US + 4_300_000)
    assert clip.delivered == Interval(START_US + 3 * SECOND, START_US + 4 * SECOND)
    asked = await studio.capture(last_us=60 * SECOND)
    assert asked.delivered == Interval(START_US, START_US + 4 * SECOND)
    assert asked.gaps == ()


async def test_an_absolute_range_and_a_playhead_mean_the_same(studio: Studio) -> None:
    studio.record()
    absolute = await studio.capture(start_us=START_US + SECOND, end_us=START_US + 2_500_000, title="a")
    playhead = await studio.capture(playhead_us=START_US + 2_500_000, last_us=1_500_000, title="b")
    assert absolute.delivered == playhead.delivered == Interval(START_US + SECOND, START_US + 2_500_000)
    assert studio.content(absolute) == studio.content(playhead)
    assert absolute.etag == playhead.etag
    assert absolute.clip_id != playhead.clip_id


async def test_clips_of_vp8_are_webm(studio: Studio) -> None:
    studio.record(encoded_clip(VP8))
    clip = await studio.capture()
    assert (clip.container, clip.video_codec, clip.content_type) == ("webm", "vp8", "video/webm")
    assert decoded(studio.content(clip))[0] == (0.0, 60)


async def test_a_clip_survives_its_segments(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture()
    before = studio.content(clip)
    studio.evict()
    assert studio.content(clip) == before


async def test_a_running_recording_is_saved_up_to_what_is_committed(studio: Studio) -> None:
    studio.record(frames=75, close=False)
    studio.still_recording()
    clip = await studio.capture(last_us=SECOND)
    assert clip.delivered.duration_us == SECOND
    assert studio.clock.now_us - clip.delivered.end_us < 600_000
    before = studio.content(clip)
    record(studio.session.directory, start_us=START_US + 3 * SECOND)
    assert studio.content(clip) == before


async def test_the_title_is_what_was_said_or_says_what_it_is(studio: Studio) -> None:
    studio.record()
    assert (await studio.capture(title="  The bug ")).title == "The bug"
    assert (await studio.capture()).title == "demo, 2 s"
    with pytest.raises(ValidationError):
        await studio.capture(title=" ")


@pytest.mark.parametrize(
    "wish", [{"last_us": 0}, {"start_us": 5, "end_us": 5}, {"start_us": 5}, {"last_us": 5, "start_us": 1}]
)
async def test_a_wish_without_one_sensible_range_is_refused(studio: Studio, wish: dict[str, Any]) -> None:
    studio.record()
    with pytest.raises(ValidationError):
        await studio.capture(**wish)


async def test_sessions_one_may_not_see_look_absent(studio: Studio) -> None:
    studio.record()
    with pytest.raises(NotFoundError):
        await studio.capture(who=BOB)
    assert (await studio.capture(who=ADMIN)).user_id == "root"


async def test_nothing_in_the_range_says_what_there_is(studio: Studio) -> None:
    studio.record()
    with pytest.raises(NoSegmentsError) as caught:
        await studio.capture(start_us=START_US - 10 * SECOND, end_us=START_US - SECOND)
    assert caught.value.facts == {"oldestAvailable": iso(START_US), "newestAvailable": iso(START_US + 4 * SECOND)}
    studio.evict()
    with pytest.raises(NoSegmentsError) as caught:
        await studio.capture()
    assert caught.value.facts == {"oldestAvailable": None, "newestAvailable": None}


async def test_a_range_with_gaps_must_be_allowed(studio: Studio) -> None:
    studio.record(run_id=b"run-0001")
    studio.record(run_id=b"run-0002", start_us=START_US + 10 * SECOND)
    with pytest.raises(GapsError) as caught:
        await studio.capture(last_us=12 * SECOND)
    gap = {
        "start": iso(START_US + 4 * SECOND),
        "end": iso(START_US + 10 * SECOND),
        "track": "all",
        "cause": "reconnect",
    }
    assert caught.value.facts == {"gaps": [gap]}
    clip = await studio.capture(last_us=12 * SECOND, allow_gaps=True)
    assert clip.delivered == Interval(START_US + 2 * SECOND, START_US + 14 * SECOND)
    assert [(g.start_us, g.end_us, g.cause) for g in clip.gaps] == [
        (START_US + 4 * SECOND, START_US + 10 * SECOND, "reconnect")
    ]
    shown = decoded(studio.content(clip))
    assert [number for _, number in shown] == [*range(60, 120), *range(120)]
    assert shown[60][0] == pytest.approx(8.0, abs=0.001)


async def test_a_clip_does_not_begin_or_end_in_a_gap(studio: Studio) -> None:
    studio.record(run_id=b"run-0001")
    studio.record(run_id=b"run-0002", start_us=START_US + 10 * SECOND)
    late: dict[str, Any] = {"start_us": START_US + 7 * SECOND, "end_us": START_US + 11 * SECOND}
    early: dict[str, Any] = {"start_us": START_US + 3 * SECOND, "end_us": START_US + 7 * SECOND}
    for wish in (late, early):
        with pytest.raises(GapsError):
            await studio.capture(**wish)
    begun = await studio.capture(**late, allow_gaps=True)
    assert begun.delivered == Interval(START_US + 10 * SECOND, START_US + 11 * SECOND)
    ended = await studio.capture(**early, allow_gaps=True)
    assert ended.delivered == Interval(START_US + 3 * SECOND, START_US + 4 * SECOND)
    with pytest.raises(NoSegmentsError):
        await studio.capture(start_us=START_US + 5 * SECOND, end_us=START_US + 6 * SECOND, allow_gaps=True)


async def test_a_hole_of_the_sound_alone_never_refuses(studio: Studio) -> None:
    studio.record(silent=lambda at_us: START_US + SECOND <= at_us < START_US + 2 * SECOND)
    assert (await studio.capture(last_us=4 * SECOND)).gaps == ()


async def test_lost_pictures_are_a_gap(studio: Studio) -> None:
    studio.record(lost={40})
    with pytest.raises(GapsError) as caught:
        await studio.capture(last_us=4 * SECOND)
    assert caught.value.facts["gaps"][0]["cause"] == "loss"
    clip = await studio.capture(last_us=4 * SECOND, allow_gaps=True)
    assert [n for _, n in decoded(studio.content(clip))] == [*range(40), *range(60, 120)]


async def test_a_change_of_codec_is_refused_with_the_ranges(studio: Studio) -> None:
    studio.record(run_id=b"run-0001")
    studio.record(encoded_clip(VP8), run_id=b"run-0002", start_us=START_US + 5 * SECOND)
    with pytest.raises(CodecChangeError) as caught:
        await studio.capture(last_us=9 * SECOND, allow_gaps=True)
    assert caught.value.facts["ranges"] == [
        {"start": iso(START_US), "end": iso(START_US + 4 * SECOND), "codec": "h264"},
        {"start": iso(START_US + 5 * SECOND), "end": iso(START_US + 9 * SECOND), "codec": "vp8"},
    ]
    assert (await studio.capture(last_us=3 * SECOND)).container == "webm"
    assert (await studio.capture(start_us=START_US, end_us=START_US + 3 * SECOND)).container == "mp4"


async def test_the_future_is_refused(studio: Studio) -> None:
    studio.record()
    with pytest.raises(TooEarlyError) as caught:
        await studio.capture(start_us=START_US, end_us=studio.clock.now_us + 1_500_000)
    assert caught.value.facts == {"retryAfter": 2}


async def test_a_post_roll_waits_for_what_happens_next(studio: Studio) -> None:
    clip = encoded_clip()
    writer = writer_for(studio.session.directory, clip)
    written = 0

    def happen(now_us: int) -> None:
        nonlocal written
        while START_US + written * SECOND // 30 <= now_us:
            key, data = frame_data(clip, written)
            writer.video(START_US + written * SECOND // 30, data, key=key)
            written += 1
        writer.tick(now_us)

    studio.clock.now_us = START_US + 3 * SECOND
    happen(studio.clock.now_us)
    studio.clock.on_wait = happen
    studio.still_recording()
    clip_made = await studio.capture(last_us=2 * SECOND, post_roll_us=3 * SECOND)
    assert clip_made.delivered == clip_made.requested == Interval(START_US + SECOND, START_US + 6 * SECOND)
    assert studio.clock.now_us < START_US + 8 * SECOND
    assert len(decoded(studio.content(clip_made))) == 150


async def test_a_post_roll_does_not_wait_for_a_session_that_ended(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture(last_us=SECOND, post_roll_us=2 * SECOND)
    assert clip.delivered == Interval(START_US + 3 * SECOND, START_US + 4 * SECOND)
    with pytest.raises(TooEarlyError):
        await studio.capture(post_roll_us=3600 * SECOND)


async def test_a_publisher_that_stays_away_ends_the_wait(studio: Studio) -> None:
    studio.record(frames=60, close=False)
    studio.still_recording()
    clip = await studio.capture(last_us=SECOND, post_roll_us=2 * SECOND)
    assert clip.delivered.end_us <= START_US + 2 * SECOND
    assert studio.clock.now_us <= START_US + 6_100_000


async def test_the_same_key_is_the_same_clip(studio: Studio) -> None:
    studio.record()
    first = await studio.capture_or_find(idempotency_key="k")
    again = await studio.capture_or_find(idempotency_key="k", last_us=SECOND)
    assert first[1]
    assert again == (first[0], False)
    many = (studio.capture_or_find(idempotency_key="x", last_us=SECOND) for _ in range(5))
    made = await asyncio.gather(*many)
    assert len({clip.clip_id for clip, _ in made}) == 1
    assert sum(created for _, created in made) == 1


async def test_a_key_that_was_answered_with_an_equal_clip_stays_with_it(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture(idempotency_key="k")
    assert await studio.capture_or_find(idempotency_key="x") == (clip, False)
    studio.clock.now_us += 60 * SECOND
    assert await studio.capture_or_find(idempotency_key="x") == (clip, False)


async def test_two_presses_at_once_are_one_clip(studio: Studio) -> None:
    studio.record()
    made = await asyncio.gather(*(studio.capture_or_find() for _ in range(4)))
    assert len({clip.clip_id for clip, _ in made}) == 1
    assert (await studio.capture(title="another")).clip_id != made[0][0].clip_id
    studio.clock.now_us += 6 * SECOND
    assert (await studio.capture()).clip_id != made[0][0].clip_id


async def test_a_second_press_adds_no_row(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture()
    await studio.capture()
    assert (await studio.repository.all_clips()) == [clip]


async def test_segments_that_cannot_be_read_are_gaps(studio: Studio) -> None:
    studio.record()
    studio.record(run_id=b"run-0002", start_us=START_US + 4 * SECOND, frames=180)
    indexes: list[Path] = sorted(studio.session.directory.glob("*.idx"))
    indexes[3].write_bytes(b"")
    with pytest.raises(GapsError) as caught:
        await studio.capture(last_us=6 * SECOND)
    assert [g["cause"] for g in caught.value.facts["gaps"]] == ["damaged"]
