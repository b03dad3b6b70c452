"""Chromium with livekit-client shares in a real room; what is seen and heard in the clips of it is checked."""

from __future__ import annotations

import time
from itertools import accumulate, pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.installation import Installation, one_installation
from tests.support.livekit_browser import NO_BROWSER, a_browser_sharing, can_browse, lateness
from tests.support.livekit_server import LivekitServer, one_livekit_server
from tests.support.livekit_settings import livekit_settings
from tests.support.people import Refused, seconds_of
from tests.support.pictures import beeps, pictures
from tests.support.waiting import now_us

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.people import Json, Person
    from tests.support.pictures import Picture

IN_STEP_S = 0.060
ONE_PICTURE = 10  # hundredths of a second
SECOND = 1_000_000

pytestmark = pytest.mark.skipif(not can_browse(), reason=NO_BROWSER)


@pytest.fixture(scope="module")
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivekitServer]:
    with one_livekit_server(tmp_path_factory.mktemp("livekit"), for_browsers=True) as server:
        yield server


@pytest.fixture(scope="module")
def installation(livekit: LivekitServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with one_installation(tmp_path_factory.mktemp("home"), **livekit_settings(livekit)) as running:
        yield running


@pytest.mark.parametrize(("codec", "publish"), [("vp8", {}), ("h264", {"videoCodec": "h264"})])
async def test_pictures_and_sound_are_in_step_over_a_mute(
    livekit: LivekitServer, alice: Person, codec: str, publish: dict[str, Any]
) -> None:
    """By livekit-client's defaults: simulcast of VP8, or H.264, with pauses in silence and redundant sound."""
    room = f"mute-{codec}"
    async with a_browser_sharing(livekit, room, "alice", publish=publish) as sharer:
        session = await starts(alice, room)
        await alice.sees_buffered(session, 4)
        muted_s = time.monotonic()
        await sharer.mute()
        await goes_on(alice, session, 2.0)  # by its sound
        await sharer.mute(muted=False)
        stood_s = time.monotonic() - muted_s
        await goes_on(alice, session, 2.5)
        clip, media = await saves(alice, session)
    assert (clip["video"]["codec"], clip["gaps"]) == (codec, [])
    assert_goes_forward(numbered(media))
    assert longest_stand(media) == pytest.approx(stood_s, abs=1.0)
    assert_every_second_is_heard(media)
    assert_in_step(media)


@pytest.mark.parametrize("shared", ["canvas", "tab"])
async def test_a_screen_that_moves_stands_still_and_moves(livekit: LivekitServer, alice: Person, shared: str) -> None:
    """Of a canvas that stands still nothing is sent at all, of a tab its picture about once a second."""
    async with a_browser_sharing(livekit, f"still-{shared}", "alice", tab=shared == "tab") as sharer:
        session = await starts(alice, f"still-{shared}")
        await alice.sees_buffered(session, 3)
        await sharer.stand_still()
        await goes_on(alice, session, 7.0)
        await sharer.stand_still(still=False)
        await goes_on(alice, session, 2.5)
        clip, media = await saves(alice, session)
    assert clip["gaps"] == []
    assert_goes_forward(numbered(media))
    assert longest_stand(media) == pytest.approx(7.0, abs=1.5)
    assert_every_second_is_heard(media)
    assert_in_step(media)


async def test_a_page_that_is_loaded_anew_goes_on_in_its_session(livekit: LivekitServer, alice: Person) -> None:
    async with a_browser_sharing(livekit, "reload", "alice") as sharer:
        session = await starts(alice, "reload")
        await alice.sees_buffered(session, 2.5)
        await sharer.reload()
        await alice.sees_gap(session, "reconnect")
        await goes_on(alice, session, 2.5)
        clip, media = await saves(alice, session)
    (gap,) = clip["gaps"]
    assert (gap["track"], gap["cause"]) == ("all", "reconnect")
    assert_goes_forward(numbered(media))
    # Told is what there is neither of pictures nor of sound; a page may stop to draw before it is gone.
    assert 0 < seconds_of(gap) <= longest_stand(media) + 0.25
    assert_keeps_time(numbered(media))
    assert_in_step(media)


@pytest.mark.parametrize("codec", ["vp9", "av1"])
async def test_a_codec_that_cannot_be_recorded_is_refused_unless_there_is_another(
    livekit: LivekitServer, alice: Person, codec: str
) -> None:
    """With livekit-client's defaults there is: the server asks for its VP8 as soon as somebody wants that."""
    publish = {"videoCodec": codec, "backupCodec": False}
    async with a_browser_sharing(livekit, codec, "alice", publish=publish) as sharer:
        with pytest.raises(Refused) as raised:
            await starts(alice, codec)
        assert (raised.value.status, raised.value.code) == (422, "unsupported-codec")
        sentence = f"The screen is shared as {codec.upper()}, but only H264 and VP8 can be recorded"
        assert raised.value.problem["detail"] == sentence
        await sharer.take_back()
        await sharer.share(videoCodec=codec)
        session = await starts(alice, codec)
        await goes_on(alice, session, 1.0)
        clip, media = await saves(alice, session)
    assert clip["video"]["codec"] == "vp8"
    assert_goes_forward(numbered(media))


async def starts(person: Person, room: str) -> Json:
    """Keep one's share in a room; it is being recorded then."""
    session: Json = (await person.answer("POST", "start", json={"roomName": room})).json()
    return await person.sees_status(session, "recording")


async def goes_on(person: Person, session: Json, seconds: float) -> None:
    """Wait until what happens in the next seconds can be saved; it has been one recording all the time."""
    await person.sees_buffered_until(session, now_us() + round(seconds * SECOND))
    assert (await person.sees(session))["status"] == "recording"


async def saves(person: Person, session: Json) -> tuple[Json, bytes]:
    """Save all there is, and end the session; (clip, its file)."""
    clip = await person.captures(session, durationSeconds=60, allowGaps=True)
    media = await person.downloads(clip)
    await person.stops(session)
    return clip, media


def numbered(media: bytes) -> list[Picture]:
    """The pictures that are not black: the browser sends such ones until LiveKit has heard of a mute."""
    return [picture for picture in pictures(media) if picture.number]


def assert_goes_forward(shown: list[Picture]) -> None:
    """None is torn or from before; by one picture LiveKit goes back itself where it takes another layer."""
    highest = accumulate((picture.number for picture in shown), max)
    assert all(newest - picture.number <= ONE_PICTURE for newest, picture in zip(highest, shown, strict=True))


def assert_keeps_time(shown: list[Picture]) -> None:
    """As much time passes from picture to picture as by the sharer's clock."""
    for before, after in pairwise(shown):
        assert after.at - before.at == pytest.approx((after.number - before.number) / 100, abs=0.25)


def longest_stand(media: bytes) -> float:
    """For how long the clip shows the same, in seconds, by the sharer's clock."""
    return max(after.number - before.number for before, after in pairwise(numbered(media))) / 100


def assert_every_second_is_heard(media: bytes) -> None:
    seconds = [beep.second for beep in beeps(media)]
    assert seconds == list(range(seconds[0], seconds[0] + len(seconds)))
    assert len(seconds) > 5


def assert_in_step(media: bytes) -> None:
    late = lateness(media)
    assert len(late) >= 3
    assert abs(median(late)) < IN_STEP_S, late
