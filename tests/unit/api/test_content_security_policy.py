"""What the page may connect to."""

from __future__ import annotations

import pytest

from lookback.api.edge import CONTENT_SECURITY_POLICY, content_security_policy


def test_without_livekit_the_page_reaches_this_server_only() -> None:
    policy = content_security_policy(None)
    assert policy == CONTENT_SECURITY_POLICY
    assert "default-src 'self'" in policy
    assert "connect-src" not in policy


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("wss://livekit.example.org", "wss://livekit.example.org https://livekit.example.org"),
        ("https://livekit.example.org:7443/base", "wss://livekit.example.org:7443 https://livekit.example.org:7443"),
        ("http://127.0.0.1:7880", "ws://127.0.0.1:7880 http://127.0.0.1:7880"),
    ],
)
def test_with_livekit_it_reaches_that_server_too(url: str, allowed: str) -> None:
    assert content_security_policy(url).endswith(f"; connect-src 'self' {allowed}")
