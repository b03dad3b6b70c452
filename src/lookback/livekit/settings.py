"""What an operator sets for LiveKit, under the names that LiveKit itself uses."""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from lookback.livekit.egress_settings import EgressSettings

_SCHEMES = ("ws", "wss", "http", "https")
_NEEDED = ("livekit_url", "livekit_api_key", "livekit_api_secret")


def _server(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ValueError("it must be an address such as wss://livekit.example.org or ws://127.0.0.1:7880")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("it must be the plain address, without user, query or fragment")
    return value.rstrip("/")


def _pairs(value: SecretStr) -> SecretStr:
    _keys_of(value.get_secret_value())
    return value


def _keys_of(text: str) -> dict[str, str]:
    """Read `key: secret` pairs, one a line or separated by commas; raises ValueError, which shows no secret."""
    keys = {}
    for pair in text.replace(",", "\n").splitlines():
        if pair.strip():
            key, separator, secret = pair.partition(":")
            if not separator or not key.strip() or not secret.strip():
                raise ValueError("write it as LiveKit does: `key: secret`, one pair a line or separated by commas")
            keys[key.strip()] = secret.strip()
    return keys


class LivekitSettings(EgressSettings):
    """The part of the settings that is about LiveKit. Without LIVEKIT_URL there is no LiveKit."""

    livekit_url: Annotated[str, AfterValidator(_server)] | None = Field(
        default=None,
        description="Address of the LiveKit server: ws, wss, http or https. Without it only WHIP publishers are kept.",
    )
    livekit_api_key: str | None = Field(default=None, description="API key of the LiveKit server.")
    livekit_api_secret: SecretStr | None = Field(default=None, description="The secret that belongs to the key.")
    livekit_keys: Annotated[SecretStr, AfterValidator(_pairs)] | None = Field(
        default=None,
        description="Further keys that may sign webhooks, as LiveKit writes them: `key: secret`, separated by commas.",
    )
    lookback_reconcile_seconds: float = Field(
        default=30, ge=1, le=3600, description="How often sessions are compared with LiveKit's rooms, in seconds."
    )
    lookback_livekit_join: bool = Field(
        default=False,
        description="Whether signed-in users get tokens for any LiveKit room, for the page that shares a screen there. "
        "For development: your own backend decides who may join which room.",
    )

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        missing = [name.upper() for name in _NEEDED if getattr(self, name) is None]
        if 0 < len(missing) < len(_NEEDED):
            raise ValueError(f"{' and '.join(missing)} must be set, too: LiveKit needs address, key and secret")
        return self

    @property
    def livekit_secrets(self) -> dict[str, str]:
        """Every API key that webhooks may be signed with, and its secret."""
        keys = _keys_of(self.livekit_keys.get_secret_value()) if self.livekit_keys else {}
        if self.livekit_api_key and self.livekit_api_secret:
            keys[self.livekit_api_key] = self.livekit_api_secret.get_secret_value()
        return keys
