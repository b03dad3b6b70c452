"""What we offer LiveKit, and what its answers say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.errors import MalformedError
from lookback.media.samples import Codec
from lookback.recorder import sdp
from lookback.recorder.answer import Identity
from lookback.recorder.livekit.offer import PAYLOADS, RTX, Stream, read_answer, write_offer
from lookback.recorder.sdp import Fingerprint

FINGERPRINT = Fingerprint("sha-256", ":".join(["AB"] * 32))
US = Identity("ufrg", "p" * 22, FINGERPRINT, ("1 1 udp 2130706431 192.0.2.1 5000 typ host",))
KINDS = st.lists(st.sampled_from(["audio", "video"]), min_size=1, max_size=40)


def answer(*sections: str, setup: str = "active") -> str:
    """An answer as LiveKit writes it, reduced to what matters."""
    head = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
    head += f"a=fingerprint:sha-256 {FINGERPRINT.value}\r\na=group:BUNDLE 0 1\r\n"
    transport = f"a=ice-ufrag:abcd\r\na=ice-pwd:{'w' * 24}\r\na=setup:{setup}\r\na=rtcp-mux\r\n"
    return head + "".join(section + transport for section in sections)


AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\na=sendonly\r\na=ssrc:11 cname:x\r\n"
VIDEO = (
    "m=video 9 UDP/TLS/RTP/SAVPF 98 99\r\na=mid:1\r\na=rtpmap:98 H264/90000\r\na=sendonly\r\n"
    "a=ssrc-group:FID 21 22\r\na=ssrc:21 cname:x\r\na=ssrc:22 cname:x\r\n"
    "a=candidate:1 1 udp 2130706431 192.0.2.9 7882 typ host\r\n"
)
IDLE = "m=video 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:2\r\na=rtpmap:98 H264/90000\r\na=inactive\r\na=ssrc:31 cname:x\r\n"


@given(KINDS)
def test_an_offer_is_one_transport_with_a_section_per_track(kinds: list[str]) -> None:
    read = sdp.parse(write_offer(kinds, US, None, 7, 1), most_sections=100, most_bytes=1 << 20)  # type: ignore[arg-type]
    assert [section.kind for section in read.sections] == kinds
    assert read.bundle == tuple(str(place) for place in range(len(kinds)))
    assert {section.direction for section in read.sections} == {"recvonly"}
    assert {section.setup for section in read.sections} == {"actpass"}
    assert [bool(section.candidates) for section in read.sections] == [place == 0 for place in range(len(kinds))]


def test_only_what_can_be_recorded_is_offered() -> None:
    audio, video = sdp.parse(write_offer(["audio", "video"], US, None, 7, 1)).sections
    assert {f.encoding for f in audio.formats} == {"OPUS"}
    assert {f.encoding for f in video.formats} == {"H264", "VP8", "RTX"}
    for offered in (*audio.formats, *video.formats):
        if offered.encoding == "RTX":
            assert RTX[offered.payload_type] == int(offered.parameter("apt") or 0)
        else:
            assert PAYLOADS[offered.payload_type] is Codec(offered.encoding.lower())


def test_feedback_is_repair_and_key_frames_and_nothing_about_congestion() -> None:
    audio, video = sdp.parse(write_offer(["audio", "video"], US, None, 7, 1)).sections
    assert {f.feedback for f in audio.formats} == {frozenset()}  # LiveKit resends no audio
    assert {f.feedback for f in video.formats if f.encoding != "RTX"} == {frozenset({"nack", "nack pli", "ccm fir"})}


@pytest.mark.parametrize(("role", "setup"), [("server", "passive"), ("client", "active")])
def test_later_offers_keep_the_role(role: str, setup: str) -> None:
    (section,) = sdp.parse(write_offer(["video"], US, role, 7, 2)).sections  # type: ignore[arg-type]
    assert section.setup == setup


def test_an_answer_names_the_packets_of_each_track() -> None:
    read = read_answer(answer(AUDIO, VIDEO, IDLE))
    assert read.streams == {"0": Stream("audio", 11, None), "1": Stream("video", 21, 22)}
    assert (read.role, read.ufrag, read.ice_lite) == ("server", "abcd", False)
    assert read.fingerprints == (FINGERPRINT,)
    assert read.candidates == ("1 1 udp 2130706431 192.0.2.9 7882 typ host",)


def test_repairs_are_told_from_media_wherever_they_stand() -> None:
    swapped = VIDEO.replace("a=ssrc:21 cname:x\r\na=ssrc:22 cname:x\r\n", "a=ssrc:22 cname:x\r\na=ssrc:21 cname:x\r\n")
    assert read_answer(answer(AUDIO, swapped)).streams["1"] == Stream("video", 21, 22)


def test_the_server_may_be_passive() -> None:
    assert read_answer(answer(AUDIO, setup="passive")).role == "client"


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "nonsense",
        answer(),
        answer(AUDIO, setup="actpass"),
        answer(AUDIO).replace("a=ice-ufrag:abcd\r\n", ""),
        answer(AUDIO).replace("a=ice-pwd", "a=x"),
        answer(AUDIO).replace("a=fingerprint", "a=x"),
        answer(AUDIO.replace("m=audio 9", "m=audio 0")),
    ],
)
def test_an_answer_without_a_transport_is_refused(broken: str) -> None:
    with pytest.raises(MalformedError):
        read_answer(broken)


@given(st.text())
def test_any_text_is_an_answer_or_malformed(text: str) -> None:
    try:
        read_answer(answer(AUDIO) + text)
    except MalformedError as error:
        assert error.detail  # noqa: PT017 - what else it raises fails the test


def test_a_room_with_a_hundred_tracks_can_be_answered() -> None:
    many = [VIDEO.replace("a=mid:1", f"a=mid:{mid}").replace("21", f"1{mid:03}") for mid in range(100)]
    assert len(read_answer(answer(*many)).streams) == 100
