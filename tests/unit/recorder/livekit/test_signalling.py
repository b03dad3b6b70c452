"""The address to join a room at."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
from livekit.protocol import rtc

from lookback.recorder.livekit.signalling import Reach, join_url


def request_in(url: str) -> rtc.JoinRequest:
    (blob,) = parse_qs(urlsplit(url).query)["join_request"]
    wrapped = rtc.WrappedJoinRequest.FromString(base64.urlsafe_b64decode(blob))
    return rtc.JoinRequest.FromString(wrapped.join_request)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("ws://livekit:7880", "ws://livekit:7880/rtc/v1"),
        ("wss://livekit.example.org/", "wss://livekit.example.org/rtc/v1"),
        ("https://example.org/livekit", "wss://example.org/livekit/rtc/v1"),
        ("http://[::1]:7880", "ws://[::1]:7880/rtc/v1"),
    ],
)
def test_it_is_a_websocket_below_the_servers_address(given: str, expected: str) -> None:
    assert join_url(given).partition("?")[0] == expected


@pytest.mark.parametrize("given", ["", "livekit", "ftp://livekit", "ws://", "file:///etc/passwd"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="address"):
        join_url(given)


def test_nothing_is_subscribed_to_unasked_and_nothing_is_paused() -> None:
    settings = request_in(join_url("ws://livekit")).connection_settings
    assert not settings.auto_subscribe
    assert not settings.adaptive_stream
    assert settings.HasField("subscriber_allow_pause")
    assert not settings.subscriber_allow_pause


def test_a_resume_names_the_participant() -> None:
    assert not request_in(join_url("ws://livekit")).reconnect
    request = request_in(join_url("ws://livekit", resume="PA_1"))
    assert (request.reconnect, request.participant_sid) == (True, "PA_1")


def test_the_token_is_not_shown() -> None:
    assert "hush" not in repr(Reach(None, "ws://livekit", "hush", None))  # type: ignore[arg-type]
