"""The offer and the ICE-restart fragment of a test publisher, as a browser would write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.recorder.sdp import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookback.recorder.sdp import Description, Section
    from tests.support.whip_sender import WhipSender

AUDIO, VIDEO, RTX = 111, 98, 99
_VIDEO_LINES = {
    "h264": ("H264/90000", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
    "vp8": ("VP8/90000", ""),
}


def offer(sender: WhipSender) -> str:
    """Everything `sender` publishes, bundled."""
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    lines += [f"a=group:BUNDLE {'0 1' if sender.audio else '1'}", *_audio(sender), *_video(sender)]
    return "\r\n".join(lines) + "\r\n"


def restart_fragment(sender: WhipSender) -> str:
    """The body of an ICE-restart PATCH (RFC 9725 section 4.3.3)."""
    lines = ["a=group:BUNDLE 0 1", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0"]
    return "\r\n".join([*lines, f"a=ice-ufrag:{sender.ufrag}", f"a=ice-pwd:{sender.pwd}"]) + "\r\n"


def after_restart(lead: Section, fragment: str) -> Description:
    """What the recorder is like now: the credentials of the fragment, the rest as it was."""
    credentials = [line for line in fragment.split("\r\n") if line.startswith("a=ice-") and line != "a=ice-lite"]
    lines = ["v=0", f"m={lead.kind} 9 {lead.protocol} 0", *credentials]
    return parse("\r\n".join([*lines, *(f"a=candidate:{candidate}" for candidate in lead.candidates)]))


def _audio(sender: WhipSender) -> list[str]:
    if sender.audio is None:
        return []
    lines = _section(sender, "audio", "0", (AUDIO,))
    lines += [f"a=rtpmap:{AUDIO} opus/48000/2", f"a=fmtp:{AUDIO} minptime=10;useinbandfec=1"]
    lines += [f"a=rtcp-fb:{AUDIO} nack"] * sender.audio_nack
    return lines + [f"a=ssrc:{sender.audio.ssrc} cname:x"] * sender.names_ssrcs


def _video(sender: WhipSender) -> list[str]:
    encoding, parameters = _VIDEO_LINES[sender.clip.shape.codec]
    lines = _section(sender, "video", "1", (VIDEO, RTX) if sender.rtx else (VIDEO,))
    lines += [f"a=rtpmap:{VIDEO} {encoding}", f"a=rtcp-fb:{VIDEO} nack", f"a=rtcp-fb:{VIDEO} nack pli"]
    lines += [f"a=fmtp:{VIDEO} {parameters}"] if parameters else []
    lines += [f"a=rtpmap:{RTX} rtx/90000", f"a=fmtp:{RTX} apt={VIDEO}"] if sender.rtx else []
    if sender.rtx and sender.names_ssrcs:
        lines += [f"a=ssrc-group:FID {sender.video.ssrc} {sender.rtx.ssrc}", f"a=ssrc:{sender.rtx.ssrc} cname:x"]
    return lines + [f"a=ssrc:{sender.video.ssrc} cname:x"] * sender.names_ssrcs


def _section(sender: WhipSender, kind: str, mid: str, payload_types: Sequence[int]) -> list[str]:
    digest = sender.certificate.fingerprint
    return [
        f"m={kind} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, payload_types))}",
        "c=IN IP4 0.0.0.0",
        f"a=ice-ufrag:{sender.ufrag}",
        f"a=ice-pwd:{sender.pwd}",
        f"a=fingerprint:{digest.algorithm} {digest.value}",
        f"a=setup:{sender.setup}",
        f"a=mid:{mid}",
        "a=sendonly",
        "a=rtcp-mux",
    ]
