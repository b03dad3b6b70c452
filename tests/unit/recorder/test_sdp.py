"""Offers of publishers as they are, and answers to them; no sockets."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lookback.errors import MalformedError, UnsupportedCodecError, ValidationError
from lookback.media.samples import Codec
from lookback.recorder.answer import Agreement, Identity, agree, write_answer
from lookback.recorder.sdp import MAX_BYTES, Description, Fingerprint, Section, parse

OFFERS = Path(__file__).parents[2] / "data" / "sdp"
NAMES = sorted(path.stem for path in OFFERS.glob("*.sdp"))
IDENTITY = Identity(
    "0a1b2c3d", "p" * 32, Fingerprint("sha-256", ":".join(["AB"] * 32)), ("1 1 udp 1 192.0.2.1 9 typ host",)
)


class Wanted(NamedTuple):
    """Codec, payload type and RTX payload type of the video; payload type of the audio; our DTLS role."""

    codec: Codec
    video: int
    rtx: int | None
    audio: int | None
    role: str = "server"


WANTED = {
    "chromium-default": Wanted(Codec.H264, 108, 109, 111),
    "chromium-h264-first": Wanted(Codec.H264, 108, 109, 111),
    "chromium-gathered": Wanted(Codec.H264, 108, 109, 111),
    "chromium-simulcast": Wanted(Codec.H264, 108, 109, 111),
    "chromium-data-channel": Wanted(Codec.VP8, 96, 97, 111),
    "chromium-video-only": Wanted(Codec.H264, 108, 109, None),
    "ffmpeg-passive": Wanted(Codec.H264, 106, 105, 111, "client"),
    "ffmpeg-active": Wanted(Codec.H264, 106, 105, 111),
    "firefox-like": Wanted(Codec.H264, 126, 127, 109),
    "gstreamer-like": Wanted(Codec.VP8, 96, 97, 98),
    "obs-like": Wanted(Codec.H264, 96, None, 111),
}
REFUSED = {
    "chromium-vp9-av1": UnsupportedCodecError,
    "chromium-audio-only": ValidationError,
    "chromium-recvonly": ValidationError,
}


def text_of(name: str) -> str:
    return (OFFERS / f"{name}.sdp").read_bytes().decode()


def answered(offer: str) -> tuple[Description, Agreement, Description, str]:
    """The offer, what is agreed, and our answer read back."""
    described = parse(offer)
    agreement = agree(described)
    answer = write_answer(described, agreement, IDENTITY, 7)
    return described, agreement, parse(answer), answer


def changed(name: str, old: str, new: str) -> str:
    text = text_of(name)
    assert old in text
    return text.replace(old, new)


def section_of(description: Description, kind: str) -> Section:
    return next(section for section in description.sections if section.kind == kind)


def test_every_offer_of_the_corpus_has_its_expectation() -> None:
    assert set(NAMES) == WANTED.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", WANTED)
def test_the_best_codec_is_chosen_with_the_publishers_numbers(name: str) -> None:
    wanted = WANTED[name]
    _, agreement, _, _ = answered(text_of(name))
    video, audio = agreement.video, agreement.audio
    assert (video.codec, video.format.payload_type, video.rtx_payload_type) == wanted[:3]
    assert (audio and audio.format.payload_type) == wanted.audio
    assert agreement.role == wanted.role
    assert agreement.payloads[wanted.video] is wanted.codec
    assert agreement.rtx == ({} if wanted.rtx is None else {wanted.rtx: wanted.video})


@pytest.mark.parametrize("name", WANTED)
def test_an_answer_mirrors_the_offers_sections(name: str) -> None:
    offer, agreement, answer, text = answered(text_of(name))
    assert [(s.kind, s.mid, s.protocol) for s in answer.sections] == [
        (s.kind, s.mid, s.protocol) for s in offer.sections
    ]
    taken = {track.section for track in agreement.tracks}
    assert [section.offered for section in answer.sections] == [n in taken for n in range(len(offer.sections))]
    assert answer.bundle == tuple(offer.sections[n].mid for n in sorted(taken))
    assert answer.ice_lite
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")


@pytest.mark.parametrize("name", WANTED)
def test_an_answer_offers_the_transport_and_nothing_we_do_not_do(name: str) -> None:
    _, agreement, answer, text = answered(text_of(name))
    for track in agreement.tracks:
        section = answer.sections[track.section]
        assert (section.ice_ufrag, section.ice_pwd) == (IDENTITY.ufrag, IDENTITY.pwd)
        assert section.fingerprints == (IDENTITY.fingerprint,)
        assert section.setup == ("active" if agreement.role == "client" else "passive")
        assert (section.direction, section.rtcp_mux) == ("recvonly", True)
    assert [bool(s.candidates) for s in answer.sections if s.offered] == [True] + [False] * (len(agreement.tracks) - 1)
    for refused in ("extmap", "transport-cc", "goog-remb", "simulcast", "a=rid", "a=msid", "red/", "ulpfec"):
        assert refused not in text


@pytest.mark.parametrize("name", WANTED)
def test_feedback_is_what_was_offered_and_nack(name: str) -> None:
    offer, agreement, answer, _ = answered(text_of(name))
    for track in agreement.tracks:
        offered = next(f for f in offer.sections[track.section].formats if f.payload_type == track.format.payload_type)
        ours = answer.sections[track.section].formats[0]
        assert ours.feedback == (offered.feedback & {"nack", "nack pli", "ccm fir"}) | {"nack"}


@pytest.mark.parametrize("name", REFUSED)
def test_offers_that_cannot_be_recorded_are_refused(name: str) -> None:
    with pytest.raises(REFUSED[name]):
        agree(parse(text_of(name)))


def test_a_refused_codec_is_named_with_what_would_work() -> None:
    with pytest.raises(UnsupportedCodecError, match="offers AV1 and VP9, but only H264 and VP8") as caught:
        agree(parse(text_of("chromium-vp9-av1")))
    assert caught.value.facts == {"offered": ["AV1", "VP9"], "supported": ["H264", "VP8"]}


def test_ssrcs_and_their_retransmissions_are_taken_from_the_offer() -> None:
    _, agreement, _, _ = answered(text_of("firefox-like"))
    assert [(t.ssrc, t.rtx_ssrc) for t in agreement.tracks] == [(1357924680, 246813579), (987654321, None)]


def test_a_simulcast_offer_names_no_video_ssrc_and_still_gets_an_answer() -> None:
    _, agreement, _, _ = answered(text_of("chromium-simulcast"))
    assert agreement.video.ssrc is None


def test_single_nal_unit_mode_is_taken_when_there_is_nothing_better() -> None:
    _, agreement, _, _ = answered(changed("obs-like", "packetization-mode=1", "packetization-mode=0"))
    assert agreement.payloads == {96: Codec.H264, 111: Codec.OPUS}


def test_interleaved_mode_cannot_be_received() -> None:
    with pytest.raises(UnsupportedCodecError):
        agree(parse(changed("obs-like", "packetization-mode=1", "packetization-mode=2")))


def test_payload_types_that_look_like_rtcp_are_passed_over() -> None:
    offer = text_of("gstreamer-like").replace("96 97", "72 97").replace(":96 ", ":72 ")
    with pytest.raises(UnsupportedCodecError):
        agree(parse(offer))


def test_unsupported_audio_is_declined_and_the_video_recorded() -> None:
    offer = changed("obs-like", "opus/48000/2", "G722/8000")
    _, agreement, answer, _ = answered(offer)
    assert agreement.audio is None
    assert not section_of(answer, "audio").offered
    assert answer.bundle == ("1",)


def test_a_second_video_section_is_declined() -> None:
    offer = text_of("obs-like").replace("BUNDLE 0 1", "BUNDLE 0 1 2")
    extra = offer[offer.index("m=video") :].replace("a=mid:1", "a=mid:2")
    _, agreement, answer, _ = answered(offer + extra)
    assert [track.section for track in agreement.tracks] == [0, 1]
    assert not answer.sections[2].offered


def test_sound_is_wanted_in_stereo_and_without_pauses() -> None:
    offer = changed("obs-like", "minptime=10;maxaveragebitrate=96000;stereo=1", "minptime=10;usedtx=1;stereo=0")
    _, _, answer, _ = answered(offer)
    assert section_of(answer, "audio").formats[0].parameters == "minptime=10;sprop-stereo=1;useinbandfec=1;stereo=1"


def test_video_parameters_are_answered_as_offered() -> None:
    _, _, answer, _ = answered(text_of("ffmpeg-active"))
    parameters = section_of(answer, "video").formats[0].parameters
    assert parameters == "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42000d"


def test_sections_on_transports_of_their_own_are_refused() -> None:
    with pytest.raises(ValidationError, match="BUNDLE"):
        agree(parse(changed("obs-like", "a=group:BUNDLE 0 1\r\n", "")))


def test_one_section_alone_needs_no_bundle() -> None:
    offer = changed("chromium-video-only", "a=group:BUNDLE 0\r\n", "").replace("a=mid:0\r\n", "")
    _, _, answer, text = answered(offer)
    assert answer.sections[0].offered
    assert "a=mid" not in text


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("a=rtcp-mux\r\n", "", "rtcp-mux"),
        ("a=fingerprint:sha-256 ", "a=fingerprint:sha-1 ", "fingerprint"),
        ("a=ice-ufrag:Qw7x\r\n", "", "ICE credentials"),
        ("a=setup:actpass\r\n", "a=setup:actpass\r\na=ice-lite\r\n", "ICE-lite"),
    ],
)
def test_what_we_cannot_talk_to_is_refused_with_a_reason(old: str, new: str, hint: str) -> None:
    with pytest.raises(ValidationError, match=hint):
        agree(parse(changed("obs-like", old, new)))


def test_one_payload_type_for_both_tracks_is_refused() -> None:
    offer = text_of("obs-like").replace("SAVPF 111", "SAVPF 96").replace(":111 ", ":96 ")
    with pytest.raises(ValidationError, match="one payload type"):
        agree(parse(offer))


def test_a_video_codec_in_the_audio_section_is_declined() -> None:
    _, agreement, _, _ = answered(changed("obs-like", "opus/48000/2", "H264/90000"))
    assert agreement.audio is None


@pytest.mark.parametrize(
    "offer",
    [
        "",
        "hello",
        "v=1\r\n",
        "v=0\r\nnot a line\r\n",
        "v=0\r\nm=video\r\n",
        "v=0\r\nm=video nine UDP/TLS/RTP/SAVPF 96\r\n",
        "v=0\r\nm=video 99999 UDP/TLS/RTP/SAVPF 96\r\n",
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 300\r\na=rtpmap:300 VP8/90000\r\n",
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF ٩٦\r\n",
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/fast\r\n",
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ssrc:4294967296 cname:x\r\n",
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ssrc:\r\n",
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ssrc-group:FID 1 x\r\n",
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:a b\r\n",
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:\x00\r\n",
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=fmtp:96 x=1\u2028a=ice-lite\r\n",
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n",
        "v=0\r\nm=video 9 UDP\\TLS 96\r\n",
        "v=0\r\na=ice-ufrag:a b c d\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
        "v=0\r\na=ice-pwd:\u00e4\u00e4\u00e4\u00e4\u00e4\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
        "v=0\r\na=fingerprint:sha-256 AB\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
        "v=0\r\na=setup:holdconn\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
        "v=0\r\n" + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 33,
        "v=0\r\na=" + "x" * MAX_BYTES,
        "v=0\r\na=" + "ä" * (MAX_BYTES // 2),
        "v=0\r\na=x\ra=ice-lite\r\n",
    ],
)
def test_hostile_offers_are_malformed(offer: str) -> None:
    with pytest.raises(MalformedError):
        parse(offer)


@given(st.text())
@example("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ssrc-group:FID 1 2\r\n")
def test_any_text_is_a_description_or_malformed(text: str) -> None:
    for offer in (text, f"v=0\r\n{text}", f"v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na={text}"):
        try:
            parse(offer)
        except MalformedError:
            continue


@given(st.sampled_from(sorted(WANTED)), st.data())
def test_a_broken_offer_is_refused_or_answered_but_never_crashes(name: str, data: st.DataObject) -> None:
    text = text_of(name)
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 40))
    broken = text[:at] + data.draw(st.text(max_size=10)) + text[at + cut :]
    try:
        _, _, answer, _ = answered(broken)
    except (MalformedError, ValidationError, UnsupportedCodecError):
        return
    assert any(section.offered for section in answer.sections)
