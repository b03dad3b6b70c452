"""What we offer a LiveKit server, and what its answers say (RFC 3264, RFC 8829): always the same few lines.

On `/rtc/v1` the client offers and LiveKit answers with the client's payload types. Only what can be recorded is
offered, so the server refuses other codecs by itself. No congestion feedback, no header extensions: the server then
sends the full rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lookback.errors import MalformedError
from lookback.media.samples import Codec
from lookback.recorder import sdp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lookback.recorder.answer import Identity, Role
    from lookback.recorder.sdp import Fingerprint, Section

Kind = Literal["audio", "video"]

PAYLOADS: Mapping[int, Codec] = {111: Codec.OPUS, 96: Codec.VP8} | dict.fromkeys((98, 100, 102, 104), Codec.H264)
RTX: Mapping[int, int] = {97: 96, 99: 98, 101: 100, 103: 102, 105: 104}
_H264_PROFILES = {98: "42e01f", 100: "42001f", 102: "4d001f", 104: "64001f"}
_SETUP: Mapping[Role | None, str] = {None: "actpass", "client": "active", "server": "passive"}
_ROLES: Mapping[str, Role] = {"active": "server", "passive": "client"}
_SENDING = frozenset({"sendonly", "sendrecv"})

# A room holds many tracks, and the server is one that an operator has configured.
_MOST_SECTIONS = 1_000
_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Stream:
    """The packets of one track: its SSRC and that of its retransmissions."""

    kind: Kind
    ssrc: int
    rtx_ssrc: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. `role` is our DTLS role; `streams` are those it sends now, by `mid`."""

    role: Role
    fingerprints: tuple[Fingerprint, ...]
    ufrag: str
    pwd: str
    ice_lite: bool
    candidates: tuple[str, ...]
    streams: Mapping[str, Stream]


def write_offer(sections: Sequence[Kind], identity: Identity, role: Role | None, number: int, version: int) -> str:
    """Offer to receive these sections; the place of each is its mid, so they only ever grow.

    `role`: our DTLS role once it is agreed on. `number` names the connection, `version` grows with every offer.
    """
    mids = " ".join(map(str, range(len(sections))))
    lines = ["v=0", f"o=- {number} {version} IN IP4 127.0.0.1", "s=-", "t=0 0"]
    lines += [f"a=group:BUNDLE {mids}", "a=msid-semantic: WMS *"]
    for mid, kind in enumerate(sections):
        lines += _section(mid, kind, identity, _SETUP[role])
    return "\r\n".join(lines) + "\r\n"


def read_answer(text: str) -> Answer:
    """Read what the server answered; raises MalformedError."""
    description = sdp.parse(text, most_sections=_MOST_SECTIONS, most_bytes=_MOST_BYTES)
    lead = next((section for section in description.sections if section.offered), None)
    if lead is None or lead.setup not in _ROLES or not lead.fingerprints or not lead.ice_ufrag or not lead.ice_pwd:
        raise MalformedError("LiveKit's answer has no transport")
    candidates = (candidate for section in description.sections for candidate in section.candidates)
    return Answer(
        role=_ROLES[lead.setup],
        fingerprints=lead.fingerprints,
        ufrag=lead.ice_ufrag,
        pwd=lead.ice_pwd,
        ice_lite=description.ice_lite,
        candidates=tuple(dict.fromkeys(candidates)),
        streams=dict(_streams(description.sections)),
    )


def _section(mid: int, kind: Kind, identity: Identity, setup: str) -> Iterator[str]:
    yield f"m={kind} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, _FORMATS[kind]))}"
    yield from ("c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0")
    yield f"a=ice-ufrag:{identity.ufrag}"
    yield f"a=ice-pwd:{identity.pwd}"
    yield f"a=fingerprint:{identity.fingerprint.algorithm} {identity.fingerprint.value}"
    yield f"a=setup:{setup}"
    yield f"a=mid:{mid}"
    yield from ("a=recvonly", "a=rtcp-mux", "a=rtcp-rsize")
    yield from _CODEC_LINES[kind]
    if mid == 0:
        yield from (f"a=candidate:{candidate}" for candidate in identity.candidates)
        yield "a=end-of-candidates"


def _audio_lines() -> Iterator[str]:
    """No `nack`: LiveKit never resends audio. No RED either: what is lost stays lost, and the sizes stay small."""
    yield from ("a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;stereo=1;useinbandfec=1")


def _video_lines() -> Iterator[str]:
    for number, codec in PAYLOADS.items():
        if codec is Codec.OPUS:
            continue
        yield f"a=rtpmap:{number} {codec.value.upper()}/90000"
        yield from (f"a=rtcp-fb:{number} {kind}" for kind in ("nack", "nack pli", "ccm fir"))
        if profile := _H264_PROFILES.get(number):
            yield f"a=fmtp:{number} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile}"
    for number, repeated in RTX.items():
        yield from (f"a=rtpmap:{number} rtx/90000", f"a=fmtp:{number} apt={repeated}")


_FORMATS: Mapping[Kind, tuple[int, ...]] = {"audio": (111,), "video": (96, 97, 98, 99, 100, 101, 102, 103, 104, 105)}
_CODEC_LINES: Mapping[Kind, tuple[str, ...]] = {"audio": tuple(_audio_lines()), "video": tuple(_video_lines())}


def _streams(sections: Sequence[Section]) -> Iterator[tuple[str, Stream]]:
    for section in sections:
        kind: Kind = "audio" if section.kind == "audio" else "video"
        repeats = set(section.repaired_by.values())
        ssrc = next((ssrc for ssrc in section.ssrcs if ssrc not in repeats), None)
        if section.offered and section.direction in _SENDING and ssrc is not None:
            yield section.mid, Stream(kind, ssrc, section.repaired_by.get(ssrc))
