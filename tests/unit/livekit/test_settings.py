from __future__ import annotations

import pytest

from lookback.errors import SettingsError
from lookback.livekit.settings import LivekitSettings
from lookback.livekit.tokens import Credentials
from lookback.settings import load_settings

WHOLE = {"LIVEKIT_URL": "wss://livekit.example.org", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "very-secret"}


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LivekitSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert "very-secret" not in raised.value.detail
    return raised.value.detail


def test_livekit_needs_not_be_there() -> None:
    settings = load_settings()
    assert settings.livekit_url is None
    assert settings.livekit_secrets == {}
    assert not settings.lookback_livekit_join


def test_all_keys_may_sign_webhooks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (WHOLE | {"LIVEKIT_KEYS": "old: one,\nolder:two"}).items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.livekit_secrets == {"key": "very-secret", "old": "one", "older": "two"}
    assert "very-secret" not in repr(settings)
    assert "two" not in repr(settings)


@pytest.mark.parametrize("missing", WHOLE)
def test_a_part_of_it_is_no_use(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    parts = {name: value for name, value in WHOLE.items() if name != missing}
    assert refusal(monkeypatch, **parts) == f"{missing} must be set, too: LiveKit needs address, key and secret."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIVEKIT_URL", "livekit.example.org"),
        ("LIVEKIT_URL", "ftp://livekit.example.org"),
        ("LIVEKIT_URL", "wss://"),
        ("LIVEKIT_URL", "wss://user:very-secret@livekit.example.org"),
        ("LIVEKIT_URL", "wss://livekit.example.org?token=very-secret"),
        ("LIVEKIT_KEYS", "key"),
        ("LIVEKIT_KEYS", "key: very-secret, : very-secret"),
        ("LIVEKIT_KEYS", "key:"),
        ("LOOKBACK_RECONCILE_SECONDS", "0"),
    ],
)
def test_what_makes_no_sense_is_said(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert refusal(monkeypatch, **(WHOLE | {name: value})).startswith(f"{name} is wrong: ")


@pytest.mark.parametrize(
    ("url", "websocket", "http"),
    [
        ("ws://lk:7880", "ws://lk:7880", "http://lk:7880"),
        ("wss://lk", "wss://lk", "https://lk"),
        ("http://lk:7880", "ws://lk:7880", "http://lk:7880"),
        ("https://ws.example.org", "wss://ws.example.org", "https://ws.example.org"),
        ("wss://http.example.org/http", "wss://http.example.org/http", "https://http.example.org/http"),
    ],
)
def test_one_address_serves_both_kinds_of_connections(url: str, websocket: str, http: str) -> None:
    credentials = Credentials(url, "key", "secret")
    assert (credentials.websocket_url, credentials.http_url) == (websocket, http)
