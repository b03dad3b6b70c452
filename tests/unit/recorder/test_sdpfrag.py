"""Fragments of trickle and ICE restart."""

from __future__ import annotations

import pytest

from lookback.errors import MalformedError
from lookback.recorder.answer import Identity
from lookback.recorder.sdp import Fingerprint
from lookback.recorder.sdpfrag import parse_fragment, write_fragment

IDENTITY = Identity("newu", "n" * 32, Fingerprint("sha-256", "AB"), ("1 1 udp 1 192.0.2.1 9 typ host",))
RESTART = "\r\n".join(  # noqa: FLY002 - a body reads best line by line
    [
        "a=ice-options:trickle ice2",
        "a=group:BUNDLE 0 1",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=mid:0",
        "a=ice-ufrag:ysXw",
        "a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k",
        "a=candidate:1387637174 1 udp 2122260223 192.0.2.7 61764 typ host generation 0",
        "",
    ]
)


def test_a_restart_names_new_credentials() -> None:
    fragment = parse_fragment(RESTART)
    assert (fragment.ufrag, fragment.pwd, fragment.mid) == ("ysXw", "vw5LmwG4y/e6dPP/zAP9Gp5k", "0")


def test_its_answer_has_ours_under_the_same_section() -> None:
    answer = write_fragment(parse_fragment(RESTART), IDENTITY)
    assert answer.split("\r\n") == [
        "a=ice-lite",
        "a=group:BUNDLE 0 1",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=mid:0",
        "a=ice-ufrag:newu",
        f"a=ice-pwd:{'n' * 32}",
        "a=candidate:1 1 udp 1 192.0.2.1 9 typ host",
        "a=end-of-candidates",
        "",
    ]


def test_a_trickled_candidate_alone_names_none() -> None:
    fragment = parse_fragment("a=mid:0\na=candidate:1 1 udp 1 192.0.2.7 9 typ host\n")
    assert (fragment.ufrag, fragment.media) == ("", "")
    assert "m=" not in write_fragment(fragment, IDENTITY)


@pytest.mark.parametrize(
    "body",
    [
        "a=ice-ufrag:only\r\n",
        "a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n",
        "a=ice-ufrag:a b\r\na=ice-pwd:vw5LmwG4y\r\n",
        "{}",
        "a=mid:x y\r\n",
        "a=" + "x" * 70_000,
    ],
)
def test_other_bodies_are_malformed(body: str) -> None:
    with pytest.raises(MalformedError):
        parse_fragment(body)
