"""SDP fragments of a running WHIP session: trickle and ICE restart (RFC 9725 section 4.3, RFC 8840 section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.errors import MalformedError
from lookback.recorder import sdp

if TYPE_CHECKING:
    from lookback.recorder.answer import Identity


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a publisher sends by PATCH; `ufrag` and `pwd` are "" when it names none.

    `group` and `media` are its BUNDLE and first `m=` line as written, `mid` that section's mid; each may be "".
    """

    ufrag: str
    pwd: str
    group: str
    media: str
    mid: str


def parse_fragment(text: str) -> Fragment:
    """Read a fragment; raises MalformedError when it is not lines of SDP or its credentials are not."""
    lines = sdp.split_lines(text)
    found = sdp.attributes(lines)
    ufrag, pwd = sdp.ice_credentials(found)
    if bool(ufrag) != bool(pwd):
        raise MalformedError("The fragment has only one of a=ice-ufrag and a=ice-pwd")
    return Fragment(
        ufrag=ufrag,
        pwd=pwd,
        group=next((line for line in lines if line.startswith("a=group:BUNDLE")), ""),
        media=next((line for line in lines if line.startswith("m=")), ""),
        mid=sdp.token(dict(reversed(found)).get("mid", ""), "a=mid"),
    )


def write_fragment(request: Fragment, identity: Identity) -> str:
    """The answer to an ICE restart: our new credentials under the publisher's own group, section and mid."""
    lines = ["a=ice-lite", request.group, request.media, f"a=mid:{request.mid}" if request.mid else ""]
    lines += [f"a=ice-ufrag:{identity.ufrag}", f"a=ice-pwd:{identity.pwd}"]
    lines += [f"a=candidate:{candidate}" for candidate in identity.candidates]
    return "\r\n".join([*filter(None, lines), "a=end-of-candidates"]) + "\r\n"
