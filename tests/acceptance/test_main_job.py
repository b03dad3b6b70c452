"""Share a screen, keep the last minutes, save an exact clip: end to end over the public API."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.support.encoded_clip import ClipShape
from tests.support.people import microseconds, seconds_of
from tests.support.pictures import beeps, codecs, duration, pictures
from tests.support.publishers import sharing
from tests.support.visitor import apart, number_at

if TYPE_CHECKING:
    from tests.support.installation import Installation

FRAME_S = 1 / 30
LATENCY_FRAMES = 8  # from the clock that the demo draws until its frame is encoded


async def test_the_last_ten_seconds_of_the_demo_are_an_exact_clip(server: Installation) -> None:
    async with server.person("demo-user") as person:
        session = await person.starts_the_demo("demo")
        await person.sees_buffered(session, 11)
        clip = await person.captures(session, durationSeconds=10, title="What just happened")
        media = await person.downloads(clip)
        await person.stops(session)
    assert clip["status"] == "ready"
    assert clip["contentType"] == "video/mp4"
    assert clip["gaps"] == []
    assert seconds_of(clip["delivered"]) == pytest.approx(10, abs=0.001)
    assert clip["durationSeconds"] == pytest.approx(10, abs=0.001)
    assert len(media) == clip["sizeBytes"]
    assert duration(media) == pytest.approx(10, abs=0.001)
    assert codecs(media) == ["h264", "opus"]
    _shows_every_frame(media, 10)
    first, start_us = pictures(media)[0].number, microseconds(clip["delivered"]["start"])
    assert apart(first, number_at(start_us / 1000)) <= LATENCY_FRAMES
    assert len(beeps(media)) == pytest.approx(10, abs=1)


async def test_a_vp8_share_gives_webm_and_an_mp4_of_it_plays(server: Installation) -> None:
    shape = ClipShape("vp8", seconds=10)
    async with server.person("vp8-user") as person:
        async with sharing(person, "vp8", shape) as share:
            await person.sees_buffered(share.session, 4)
            clip = await person.captures(share.session, durationSeconds=3)
        media = await person.downloads(clip)
        rendition = await person.wants_mp4(clip)
        mp4 = await person.fetches(rendition["url"])
    assert clip["contentType"] == "video/webm"
    assert duration(media) == pytest.approx(3, abs=0.002)
    assert codecs(media) == ["vp8", "opus"]
    _shows_every_frame(media, 3)
    assert codecs(mp4) == ["h264", "aac"]
    assert duration(mp4) == pytest.approx(3, abs=2 * FRAME_S)
    assert [p.number for p in pictures(mp4)][1:-1] == [p.number for p in pictures(media)][1:-1]


async def test_a_clip_ends_at_most_a_second_before_it_was_asked_for(server: Installation) -> None:
    async with server.person("punctual") as person, sharing(person, "punctual") as share:
        await person.sees_buffered(share.session, 3)
        clip = await person.captures(share.session, durationSeconds=2)
    late_us = microseconds(clip["requested"]["end"]) - microseconds(clip["delivered"]["end"])
    assert 0 <= late_us <= 1_000_000


async def test_the_clip_keeps_its_address_and_tag_when_it_becomes_a_file(server: Installation) -> None:
    async with server.person("patient") as person, sharing(person, "patient") as share:
        await person.sees_buffered(share.session, 4)
        clip = await person.captures(share.session, durationSeconds=3)
        before = await person.downloads(clip)
        stored = await person.sees_stored(clip)
        assert await person.downloads(clip) == before
        assert await person.downloads(stored) == before
        assert stored["etag"] == clip["etag"]
        assert person.digest(before) == stored["sha256"]


async def test_the_seconds_before_what_the_viewer_was_looking_at(server: Installation) -> None:
    async with server.person("viewer") as person, sharing(person, "viewer") as share:
        seen = await person.sees_buffered(share.session, 4)
        playhead = microseconds(seen["bufferedFrom"]) // 1000 + 3000
        clip = await person.captures(share.session, playhead=playhead, durationSeconds=2)
    assert microseconds(clip["delivered"]["end"]) == playhead * 1000
    assert seconds_of(clip["delivered"]) == pytest.approx(2, abs=0.001)


def _shows_every_frame(media: bytes, seconds: float) -> None:
    """One picture follows the other, by its number and by its time, from the start to the end."""
    shown = pictures(media)
    assert shown[0].at == 0
    assert all(after.number == (before.number + 1) & 0xFFFF for before, after in pairwise(shown))
    assert shown[-1].at < seconds <= shown[-1].at + 2 * FRAME_S
    assert len(shown) == pytest.approx(seconds * 30, abs=2)
