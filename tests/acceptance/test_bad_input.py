"""What is wrong gets a clear sentence, and nothing that was right is lost."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.installation import an_installation
from tests.support.people import Refused, microseconds
from tests.support.pictures import pictures
from tests.support.publishers import sending, sharing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.people import Json, Person

HOSTILE_ROOM = ("../" * 10 + "etc/passwd\u202e/" + "ä" * 200)[:200]

AUDIO_ONLY = "\r\n".join(
    [
        *("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0"),
        *("m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", "a=ice-ufrag:abcd", f"a=ice-pwd:{'p' * 24}"),
        *(f"a=fingerprint:sha-256 {':'.join(['AA'] * 32)}", "a=setup:actpass", "a=mid:0", "a=sendonly"),
        *("a=rtcp-mux", "a=rtpmap:111 opus/48000/2", ""),
    ]
)


async def test_a_room_of_200_hostile_characters_is_a_room_like_any_other(server: Installation) -> None:
    before = set(server.home.parent.iterdir())
    async with server.person("guest") as person, sharing(person, HOSTILE_ROOM) as share:
        await person.sees_buffered(share.session, 3)
        clip = await person.captures(share.session, durationSeconds=2)
        assert len(pictures(await person.downloads(clip))) == pytest.approx(60, abs=2)
    assert share.session["roomName"] == HOSTILE_ROOM
    assert set(server.home.parent.iterdir()) == before
    assert server.buffer in server.session_dir(share.session).resolve().parents


async def test_an_offer_without_video_is_refused_with_a_sentence(server: Installation) -> None:
    async with server.person("listener") as person:
        refusal = await _refused(person, "POST", "/whip/radio", content=AUDIO_ONLY, headers=_SDP)
        assert await person.session_in("radio") is None
    assert refusal.status in {400, 422}
    assert "video" in refusal.problem["detail"].lower()


@pytest.mark.parametrize("offer", ["", "hello", "v=0\r\n" * 1000, "\0" * 9, "m=video 9 UDP/TLS/RTP/SAVPF 96"])
async def test_an_offer_that_is_none_is_refused_with_a_sentence(server: Installation, offer: str) -> None:
    async with server.person("garbler") as person:
        refusal = await _refused(person, "POST", "/whip/garbage", content=offer, headers=_SDP)
        assert await person.session_in("garbage") is None
    assert refusal.status in {400, 422}
    assert len(refusal.problem["detail"]) > 10


async def test_a_publisher_without_a_key_frame_fails_and_is_told_why(tmp_path: Path) -> None:
    clip = encoded_clip(ClipShape(gop=600))
    without_key_frames = replace(clip, video=tuple(unit for unit in clip.video if not unit[0]))
    async with (
        an_installation(tmp_path / "home", LOOKBACK_START_TIMEOUT_SECONDS="3") as server,
        server.person("keyless") as person,
        sending(person, "keyless", without_key_frames, answers_pli=False) as share,
    ):
        failed = await person.sees_status(share.session, "failed", within=30)
        with pytest.raises(Refused):
            await person.captures(share.session, durationSeconds=1)
    assert "key frame" in failed["reason"] or "sharing" in failed["reason"]
    assert share.sender.counts["plis"] > 0, "nobody asked for a key frame"


@pytest.mark.parametrize("length", [0, 1, 3], ids=["zero bytes", "as much garbage", "more garbage"])
async def test_a_damaged_segment_is_a_gap_and_the_rest_is_there(server: Installation, length: int) -> None:
    async with server.person(f"unlucky-{length}") as person:
        async with sharing(person, "damage") as share:
            seen = await person.sees_buffered(share.session, 7)
        damaged = sorted(server.session_dir(share.session).glob("segment-*.mp4"))[1]
        damaged.write_bytes(os.urandom(length * damaged.stat().st_size))
        everything = _everything(seen)
        refusal = await _refused_capture(person, share.session, everything)
        clip = await person.captures(share.session, **everything, allowGaps=True)
        shown = pictures(await person.downloads(clip))
    assert [gap["cause"] for gap in refusal.problem["gaps"]] == ["damaged"]
    assert [gap["cause"] for gap in clip["gaps"]] == ["damaged"]
    missing = (microseconds(clip["gaps"][0]["end"]) - microseconds(clip["gaps"][0]["start"])) / 1_000_000
    assert 2 <= missing <= 3.1  # a segment ends with the first key frame after its two seconds
    assert len(shown) == pytest.approx((7 - missing) * 30, abs=4)


async def test_a_range_with_nothing_in_it_says_what_can_be_had(server: Installation) -> None:
    async with server.person("historian") as person, sharing(person, "history") as share:
        seen = await person.sees_buffered(share.session, 2)
        first_ms = microseconds(seen["bufferedFrom"]) // 1000
        long_ago = {"start": first_ms - 3_600_000, "end": first_ms - 3_590_000}
        refusal = await _refused_capture(person, share.session, long_ago)
    assert refusal.status == 400
    assert refusal.problem["detail"] == "No segments found in specified time range"
    assert microseconds(refusal.problem["oldestAvailable"]) == microseconds(seen["bufferedFrom"])
    assert microseconds(refusal.problem["newestAvailable"]) >= microseconds(seen["bufferedUntil"])


_SDP = {"Content-Type": "application/sdp"}


def _everything(seen: Json) -> Json:
    start = -(-microseconds(seen["bufferedFrom"]) // 1000)
    return {"start": start, "end": start + 7000}


async def _refused(person: Person, method: str, path: str, **more: object) -> Refused:
    with pytest.raises(Refused) as refusal:
        await person.answer(method, quote(path), **more)
    return refusal.value


async def _refused_capture(person: Person, session: Json, wish: Json) -> Refused:
    with pytest.raises(Refused) as refusal:
        await person.captures(session, **wish)
    return refusal.value
