from __future__ import annotations

import pytest

from lookback.access.redaction import hide_secrets


@pytest.mark.parametrize(
    "name", ["token", "access_token", "Authorization", "jwt_secret", "password", "signature", "Cookie", "ice_pwd"]
)
def test_what_has_a_telling_name_is_hidden(name: str) -> None:
    assert hide_secrets(None, "info", {"event": "x", name: "top-secret"}) == {"event": "x", name: "[hidden]"}


def test_secrets_are_hidden_however_deep_they_are() -> None:
    event = {"request": {"headers": [{"authorization": "top-secret"}], "path": "/x"}, "took_ms": 3}
    hidden = hide_secrets(None, "info", event)
    assert "top-secret" not in str(hidden)
    assert hidden["request"]["path"] == "/x"
    assert hidden["took_ms"] == 3


def test_secrets_in_addresses_are_hidden() -> None:
    event = {"error": "GET http://h/v?user=a&signature=abc&for=play and /?token=eyJx.y.z failed, Bearer eyJa.b.c"}
    hidden = str(hide_secrets(None, "info", event))
    assert "user=a" in hidden
    for secret in ("abc", "eyJx", "eyJa"):
        assert secret not in hidden
    database = {"exception": "postgresql+asyncpg://lookback:hunter2@db/x"}
    assert "hunter2" not in str(hide_secrets(None, "info", database))


def test_the_keys_of_shared_links_are_hidden() -> None:
    event = {"path": "/livekit-replay/shared/aB-_9", "detail": "https://h/shared/aB-_9?x=1 and /shared/aB-_9"}
    assert hide_secrets(None, "info", event) == {
        "path": "/livekit-replay/shared/[hidden]",
        "detail": "https://h/shared/[hidden]?x=1 and /shared/[hidden]",
    }


def test_the_rest_stays_as_it_is() -> None:
    event = {"event": "clip.captured", "session": "s1", "took_ms": 1.5, "none": None}
    assert hide_secrets(None, "info", dict(event)) == event
