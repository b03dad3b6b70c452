"""Session descriptions as values: what a peer's SDP says (RFC 8866, 8839, 8842, 8843, 5576)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_BYTES = 64 * 1024  # the longest offer seen is Chromium's with every codec: 7 KiB
_MAX_SECTIONS = 32
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE = re.compile(r"[a-z]=")
_TOKEN = re.compile(r"[!#$%&'*+.0-9A-Z^_`a-z{|}~-]{1,64}")  # RFC 8866 section 9, "token"
_ICE_CHARACTERS = re.compile(r"[A-Za-z0-9+/]{4,256}")  # RFC 8839 section 5.4
_FINGERPRINT = re.compile(r"([A-Za-z0-9-]{1,16}) +((?:[0-9A-Fa-f]{2}:){15,63}[0-9A-Fa-f]{2})")  # RFC 8122 section 5
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_SETUPS = ("actpass", "active", "passive")

Attributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Digest of a DTLS certificate: `algorithm` in lower case, `value` as upper-case pairs with colons."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class Format:
    """One payload type of a section; `encoding` in upper case, `parameters` the fmtp value as written."""

    payload_type: int
    encoding: str
    clock_rate: int
    channels: int
    parameters: str
    feedback: frozenset[str]

    def parameter(self, name: str) -> str | None:
        """Value of one fmtp parameter (name in lower case), None when it is not given."""
        for item in self.parameters.split(";"):
            key, _, value = item.strip().partition("=")
            if key.lower() == name:
                return value.strip()
        return None


@dataclass(frozen=True, slots=True)
class Section:
    """One `m=` section; session-level defaults are already in it.

    `format_names` is the format list as written, `formats` those of it that have a name, in the same order.
    `repaired_by` maps an SSRC to its retransmission SSRC (FID groups). `mid` is "" when absent. `offered` is False for
    port 0, unless the section is there only in the bundle (RFC 8843 section 6).
    """

    kind: str
    offered: bool
    protocol: str
    format_names: tuple[str, ...]
    formats: tuple[Format, ...]
    mid: str
    direction: str
    setup: str
    rtcp_mux: bool
    ice_ufrag: str
    ice_pwd: str
    fingerprints: tuple[Fingerprint, ...]
    candidates: tuple[str, ...]
    ssrcs: tuple[int, ...]
    repaired_by: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Description:
    """A whole session description; `bundle` holds the mids of its first BUNDLE group."""

    sections: tuple[Section, ...]
    bundle: tuple[str, ...]
    ice_lite: bool


def parse(text: str, *, most_sections: int = _MAX_SECTIONS, most_bytes: int = MAX_BYTES) -> Description:
    """Read an offer or an answer.

    Raises MalformedError for anything that is not SDP, longer than allowed, or wrong in a line that matters here;
    lines that do not matter are skipped. LF alone is accepted as a line end.
    """
    lines = split_lines(text, most_bytes)
    if not lines or lines[0] != "v=0":
        raise MalformedError("The session description does not begin with v=0")
    starts = [number for number, line in enumerate(lines) if line.startswith("m=")]
    if len(starts) > most_sections:
        raise MalformedError(f"The session description has more than {most_sections} media sections")
    session = attributes(lines[: starts[0]] if starts else lines)
    ends = [*starts, len(lines)][1:]
    sections = tuple(_section(lines[start:end], session) for start, end in zip(starts, ends, strict=True))
    mids = [section.mid for section in sections if section.mid]
    if len(set(mids)) != len(mids):
        raise MalformedError("Two media sections have the same a=mid")
    return Description(sections, _bundle(session), any(name == "ice-lite" for name, _ in session))


def split_lines(text: str, most_bytes: int = MAX_BYTES) -> list[str]:
    """Lines of a description without their ends; raises MalformedError when it is too long or not text."""
    if len(text) > most_bytes or len(text.encode(errors="replace")) > most_bytes:
        raise MalformedError(f"The session description is longer than {most_bytes} bytes")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    lines = [line for line in lines if line]
    for line in lines:
        if not _LINE.match(line) or "\r" in line or _CONTROL.search(line):
            raise MalformedError("The session description has a line that is not type=value")
    return lines


def attributes(lines: Iterable[str]) -> Attributes:
    """Names and values of the `a=` lines, in order; a flag has the value ""."""
    pairs = (line[2:].partition(":") for line in lines if line.startswith("a="))
    return tuple((name, value.strip()) for name, _, value in pairs)


def ice_credentials(own: Attributes, session: Attributes = ()) -> tuple[str, str]:
    """The ufrag and the password, "" where not given (RFC 8839 section 5.4)."""
    found = _first(own, "ice-ufrag", session), _first(own, "ice-pwd", session)
    for value in found:
        if value and not _ICE_CHARACTERS.fullmatch(value):
            raise MalformedError("An ICE credential has characters or a length that RFC 8839 does not allow")
    return found


def token(value: str, what: str) -> str:
    """`value` when it is a token that may be written back into an answer."""
    if value and not _TOKEN.fullmatch(value):
        raise MalformedError(f"{what} is not a token")
    return value


def _section(lines: list[str], session: Attributes) -> Section:
    kind, port, protocol, *names = _media_line(lines[0])
    own = attributes(lines[1:])
    ufrag, pwd = ice_credentials(own, session)
    return Section(
        kind=kind,
        offered=_number(port.partition("/")[0], 0xFFFF, "port") > 0 or ("bundle-only", "") in own,
        protocol=protocol,
        format_names=tuple(names),
        formats=tuple(_formats(names, own)),
        mid=token(_first(own, "mid"), "a=mid"),
        direction=next((name for name, _ in (*own, *session) if name in _DIRECTIONS), "sendrecv"),
        setup=_setup(_first(own, "setup", session)),
        rtcp_mux=any(name in {"rtcp-mux", "rtcp-mux-only"} for name, _ in own),
        ice_ufrag=ufrag,
        ice_pwd=pwd,
        fingerprints=_fingerprints(own) or _fingerprints(session),
        candidates=tuple(value for name, value in own if name == "candidate"),
        ssrcs=_ssrcs(own),
        repaired_by=_repairs(own),
    )


def _media_line(line: str) -> list[str]:
    fields = line[2:].split()
    if len(fields) < 4:
        raise MalformedError("A media section lacks its port, protocol or formats")
    if not re.fullmatch(r"[A-Za-z0-9/.-]{1,64}", fields[2]):  # RFC 8866 section 9, "proto"
        raise MalformedError("The protocol of a media section is not readable")
    for field in (fields[0], *fields[3:]):
        token(field, "A word of a media line")
    return fields


def _formats(names: list[str], own: Attributes) -> Iterator[Format]:
    encodings = dict(_by_payload_type(own, "rtpmap"))
    parameters = dict(_by_payload_type(own, "fmtp"))
    feedback: dict[str, set[str]] = {}
    for name, value in own:
        if name == "rtcp-fb":
            payload_type, _, kind = value.partition(" ")
            feedback.setdefault(payload_type, set()).add(kind.strip().lower())
    for name in dict.fromkeys(names):
        if (encoding := encodings.get(name)) is None:
            continue
        rate, _, channels = encoding.partition("/")[2].partition("/")
        yield Format(
            payload_type=_number(name, 127, "payload type"),
            encoding=token(encoding.partition("/")[0], "An encoding name").upper(),
            clock_rate=_number(rate, 10_000_000, "clock rate"),
            channels=_number(channels or "1", 255, "channel count"),
            parameters=parameters.get(name, ""),
            feedback=frozenset(feedback.get(name, set()) | feedback.get("*", set())),
        )


def _by_payload_type(own: Attributes, wanted: str) -> Iterator[tuple[str, str]]:
    for name, value in own:
        if name == wanted:
            if not value.isascii():  # it may be written back; some readers take U+2028 for a line end
                raise MalformedError(f"a={wanted} is not ASCII")
            payload_type, _, rest = value.partition(" ")
            yield payload_type, rest.strip()


def _ssrcs(own: Attributes) -> tuple[int, ...]:
    words = (value.split() for name, value in own if name == "ssrc")
    return tuple(dict.fromkeys(_number(found[0] if found else "", 0xFFFFFFFF, "SSRC") for found in words))


def _repairs(own: Attributes) -> dict[int, int]:
    """Flow identification groups: media SSRC -> retransmission SSRC (RFC 5576 section 4.2, RFC 4588 section 8.8)."""
    groups = (value.split() for name, value in own if name == "ssrc-group")
    pairs = [group[1:] for group in groups if len(group) == 3 and group[0] == "FID"]
    return {_number(main, 0xFFFFFFFF, "SSRC"): _number(repair, 0xFFFFFFFF, "SSRC") for main, repair in pairs}


def _fingerprints(found: Attributes) -> tuple[Fingerprint, ...]:
    values = [value for name, value in found if name == "fingerprint"]
    matches = [_FINGERPRINT.fullmatch(value) for value in values]
    if not all(matches):
        raise MalformedError("A certificate fingerprint is not readable")
    return tuple(Fingerprint(match[1].lower(), match[2].upper()) for match in matches if match)


def _setup(value: str) -> str:
    """The DTLS role offered; the old default is active (RFC 4145 section 4)."""
    if value and value not in _SETUPS:
        raise MalformedError("a=setup is neither actpass, active nor passive")
    return value or "active"


def _bundle(session: Attributes) -> tuple[str, ...]:
    groups = (value.split() for name, value in session if name == "group")
    return next((tuple(group[1:]) for group in groups if group and group[0] == "BUNDLE"), ())


def _first(own: Attributes, wanted: str, session: Attributes = ()) -> str:
    return next((value for name, value in (*own, *session) if name == wanted), "")


def _number(text: str, largest: int, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10) or int(text) > largest:
        raise MalformedError(f"The {what} of a media section is not a number in range")
    return int(text)
