"""What to take from a publisher's offer, and the answer that says so (RFC 9725, RFC 8829, RFC 6184, RFC 7587)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lookback.errors import UnsupportedCodecError, ValidationError
from lookback.media.samples import Codec, Track

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lookback.recorder.sdp import Description, Fingerprint, Format, Section

Role = Literal["client", "server"]

SUPPORTED_VIDEO = ("H264", "VP8")
_NOT_CODECS = frozenset({"RTX", "RED", "ULPFEC", "FLEXFEC-03", "FLEXFEC"})
_OUR_ROLE: Mapping[str, Role] = {"actpass": "server", "active": "server", "passive": "client"}
_SETUP_LINE: Mapping[Role, str] = {"server": "passive", "client": "active"}
_DIGESTS = frozenset({"sha-256", "sha-384", "sha-512"})
_H264_PROFILES = ("42e0", "4200", "4d00")  # constrained baseline, baseline, main; any other after them
_FEEDBACK = ("nack", "nack pli", "ccm fir")
_CLOCKS = {Codec.H264: "H264/90000", Codec.VP8: "VP8/90000", Codec.OPUS: "opus/48000/2"}


@dataclass(frozen=True, slots=True)
class AcceptedTrack:
    """One section we take: which codec, and the numbers its packets carry.

    `ssrc` and `rtx_ssrc` are None when the offer does not name them. `answers_nack`: the publisher offered to.
    """

    section: int
    codec: Codec
    format: Format
    rtx_payload_type: int | None
    ssrc: int | None
    rtx_ssrc: int | None

    @property
    def answers_nack(self) -> bool:
        """Whether the publisher offered to resend lost packets of this track."""
        return "nack" in self.format.feedback


@dataclass(frozen=True, slots=True)
class Agreement:
    """What offer and answer agree on. `role` is our DTLS role, `fingerprints` are the publisher's."""

    tracks: tuple[AcceptedTrack, ...]
    role: Role
    fingerprints: tuple[Fingerprint, ...]
    remote_ufrag: str

    @property
    def payloads(self) -> dict[int, Codec]:
        """Payload type -> codec."""
        return {track.format.payload_type: track.codec for track in self.tracks}

    @property
    def rtx(self) -> dict[int, int]:
        """Retransmission payload type -> payload type it repairs."""
        return {
            track.rtx_payload_type: track.format.payload_type
            for track in self.tracks
            if track.rtx_payload_type is not None
        }

    @property
    def video(self) -> AcceptedTrack:
        """The accepted video track; there always is one."""
        return next(track for track in self.tracks if track.codec.track is Track.VIDEO)

    @property
    def audio(self) -> AcceptedTrack | None:
        """The accepted audio track."""
        return next((track for track in self.tracks if track.codec.track is Track.AUDIO), None)


@dataclass(frozen=True, slots=True)
class Identity:
    """Our side of the transport, as the answer shows it; `candidates` are values of `a=candidate`."""

    ufrag: str
    pwd: str
    fingerprint: Fingerprint
    candidates: Sequence[str]


def agree(offer: Description) -> Agreement:
    """Choose one video and at most one audio section of a publisher's offer.

    Raises ValidationError when the offer lacks video or is not bundled DTLS-SRTP with a full ICE agent, and
    UnsupportedCodecError (facts: offered, supported) when its video has no codec that can be recorded.
    """
    sending = [(i, s) for i, s in enumerate(offer.sections) if s.offered and s.direction in {"sendonly", "sendrecv"}]
    video = _first_track(sending, "video")
    if video is None:
        raise _no_video(sending)
    audio = _first_track(sending, "audio")
    tracks = tuple(sorted((t for t in (video, audio) if t is not None), key=lambda track: track.section))
    _require_one_transport(offer, tracks)
    lead = offer.sections[tracks[0].section]
    return Agreement(tracks, _OUR_ROLE[lead.setup], _usable_fingerprints(lead), lead.ice_ufrag)


def write_answer(offer: Description, agreement: Agreement, identity: Identity, session_number: int) -> str:
    """Our answer as SDP: every section of the offer in order, those not taken with port 0 (RFC 3264 section 6)."""
    tracks = {track.section: track for track in agreement.tracks}
    mids = [offer.sections[index].mid for index in tracks]
    lines = ["v=0", f"o=- {session_number} 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite"]
    lines += [f"a=group:BUNDLE {' '.join(mids)}"] if all(mids) else []
    for index, section in enumerate(offer.sections):
        if (track := tracks.get(index)) is None:
            lines += _rejected(section)
        else:
            lines += _accepted(section, track, agreement.role, identity, lead=track is agreement.tracks[0])
    return "\r\n".join(lines) + "\r\n"


def _first_track(sending: Iterable[tuple[int, Section]], kind: str) -> AcceptedTrack | None:
    tracks = (_track(index, section) for index, section in sending if section.kind == kind)
    return next((track for track in tracks if track is not None), None)


def _track(index: int, section: Section) -> AcceptedTrack | None:
    ranked = [(rank, place) for place, f in enumerate(section.formats) if (rank := _rank(section.kind, f)) is not None]
    if not ranked:
        return None
    chosen = section.formats[min(ranked)[1]]
    main = next(iter(section.repaired_by), None) or next(iter(section.ssrcs), None)
    return AcceptedTrack(
        section=index,
        codec=Codec(chosen.encoding.lower()),
        format=chosen,
        rtx_payload_type=_rtx_of(chosen, section.formats),
        ssrc=main,
        rtx_ssrc=section.repaired_by.get(main) if main is not None else None,
    )


def _rank(kind: str, offered: Format) -> int | None:
    """How good a format is, 0 best; None when it cannot be recorded.

    Payload types 64 to 95 would be taken for RTCP on a multiplexed port (RFC 5761 section 4).
    """
    if 64 <= offered.payload_type <= 95:
        return None
    match kind, offered.encoding, offered.clock_rate:
        case "audio", "OPUS", 48_000:
            return 0
        case "video", "H264", 90_000:
            return _h264_rank(offered)
        case "video", "VP8", 90_000:
            return 20
    return None


def _h264_rank(offered: Format) -> int | None:
    """Non-interleaved before single NAL unit mode, simple profiles first (RFC 6184 sections 6.2 and 8.1)."""
    mode = offered.parameter("packetization-mode") or "0"
    if mode not in {"0", "1"}:
        return None
    profile = (offered.parameter("profile-level-id") or "42000a").lower()[:4]
    place = _H264_PROFILES.index(profile) if profile in _H264_PROFILES else len(_H264_PROFILES)
    return place + (0 if mode == "1" else 10)


def _rtx_of(chosen: Format, formats: Iterable[Format]) -> int | None:
    """The retransmission format of `chosen` (RFC 4588 section 8.6)."""
    number = str(chosen.payload_type)
    found = (f.payload_type for f in formats if f.encoding == "RTX" and f.parameter("apt") == number)
    return next(found, None)


def _no_video(sending: Iterable[tuple[int, Section]]) -> ValidationError | UnsupportedCodecError:
    videos = [section for _, section in sending if section.kind == "video"]
    if not videos:
        return ValidationError("The offer has no video to record: add the screen's video track before publishing")
    names = dict.fromkeys(f.encoding for section in videos for f in section.formats)
    offered = [name for name in names if name not in _NOT_CODECS]
    listed = _spoken(offered) or "no video codec"
    detail = f"The publisher offers {listed}, but only {_spoken(SUPPORTED_VIDEO)} can be recorded"
    return UnsupportedCodecError(detail, offered=offered, supported=list(SUPPORTED_VIDEO))


def _spoken(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _require_one_transport(offer: Description, tracks: Sequence[AcceptedTrack]) -> None:
    sections = [offer.sections[track.section] for track in tracks]
    if len(sections) > 1 and not all(section.mid and section.mid in offer.bundle for section in sections):
        raise ValidationError("The offer must put all media into one transport (a=group:BUNDLE with every a=mid)")
    if not all(section.rtcp_mux for section in sections):
        raise ValidationError("The offer must multiplex RTP and RTCP (a=rtcp-mux)")
    if len({track.format.payload_type for track in tracks}) != len(tracks):
        raise ValidationError("The offer uses one payload type for video and for audio")
    if offer.ice_lite:
        raise ValidationError("The publisher is an ICE-lite agent too, so nobody would start the connection")
    if not sections[0].ice_ufrag or not sections[0].ice_pwd:
        raise ValidationError("The offer has no ICE credentials (a=ice-ufrag and a=ice-pwd)")


def _usable_fingerprints(section: Section) -> tuple[Fingerprint, ...]:
    usable = tuple(f for f in section.fingerprints if f.algorithm in _DIGESTS)
    if not usable:
        raise ValidationError("The offer has no DTLS certificate fingerprint (a=fingerprint with sha-256)")
    return usable


def _rejected(section: Section) -> list[str]:
    lines = [f"m={section.kind} 0 {section.protocol} {' '.join(section.format_names)}", "c=IN IP4 0.0.0.0"]
    lines += [f"a=mid:{section.mid}"] if section.mid else []
    return [*lines, "a=inactive"]


def _accepted(section: Section, track: AcceptedTrack, role: Role, identity: Identity, *, lead: bool) -> Iterator[str]:
    """One section; port 9 and no address mean "see the candidates" (RFC 8840 section 4.1.1).

    Candidates go only into the first section of the bundle (RFC 8843 section 10.1.1).
    """
    number, rtx = track.format.payload_type, track.rtx_payload_type
    names = f"{number} {rtx}" if rtx is not None else f"{number}"
    yield f"m={section.kind} 9 {section.protocol} {names}"
    yield "c=IN IP4 0.0.0.0"
    yield "a=rtcp:9 IN IP4 0.0.0.0"
    if section.mid:
        yield f"a=mid:{section.mid}"
    yield f"a=ice-ufrag:{identity.ufrag}"
    yield f"a=ice-pwd:{identity.pwd}"
    yield f"a=fingerprint:{identity.fingerprint.algorithm} {identity.fingerprint.value}"
    yield f"a=setup:{_SETUP_LINE[role]}"
    yield from ("a=recvonly", "a=rtcp-mux", "a=rtcp-rsize")
    yield from _codec_lines(track)
    if lead:
        yield from (f"a=candidate:{candidate}" for candidate in identity.candidates)
        yield "a=end-of-candidates"


def _codec_lines(track: AcceptedTrack) -> Iterator[str]:
    number, rtx = track.format.payload_type, track.rtx_payload_type
    yield f"a=rtpmap:{number} {_CLOCKS[track.codec]}"
    if parameters := _parameters(track):
        yield f"a=fmtp:{number} {parameters}"
    for kind in _FEEDBACK:
        if kind == "nack" or kind in track.format.feedback:
            yield f"a=rtcp-fb:{number} {kind}"
    if rtx is not None:
        yield f"a=rtpmap:{rtx} rtx/90000"
        yield f"a=fmtp:{rtx} apt={number}"


def _parameters(track: AcceptedTrack) -> str:
    """The offer's own parameters, except that we ask for stereo and for sound without pauses (RFC 7587 section 7)."""
    if track.codec is not Codec.OPUS:
        return track.format.parameters
    offered = (item.strip() for item in track.format.parameters.split(";"))
    kept = [item for item in offered if item and item.partition("=")[0].lower() not in {"usedtx", "stereo"}]
    return ";".join([*kept, "stereo=1"])
