"""Tokens that let somebody into a LiveKit room."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from livekit import api

# LiveKit renews the token of whoever stays; this one must hold for a reconnection after a long night.
_RECORDER_TTL = timedelta(hours=24)
_JOIN_TTL = timedelta(minutes=10)
_SHARED = ["screen_share", "screen_share_audio", "camera", "microphone"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where a LiveKit server is and how we prove who we are. `url`: ws, wss, http or https."""

    url: str
    key: str
    secret: str = field(repr=False)

    @property
    def websocket_url(self) -> str:
        """The address for participants: ws:// or wss://."""
        return self.url.replace("http", "ws", 1) if self.url.startswith("http") else self.url

    @property
    def http_url(self) -> str:
        """The address for requests: http:// or https://."""
        return self.url.replace("ws", "http", 1) if self.url.startswith("ws") else self.url


def recorder_token(credentials: Credentials, room_name: str, identity: str) -> str:
    """Let a recorder in: nobody sees it, everybody sees that the room is recorded.

    Of kind egress the room's `active_recording` is true while it is there, and it counts as nobody (measured).
    """
    grants = api.VideoGrants(
        room_join=True,
        room=room_name,
        hidden=True,
        can_subscribe=True,
        can_publish=False,
        can_publish_data=False,
    )
    token = api.AccessToken(credentials.key, credentials.secret).with_identity(identity).with_name("Lookback")
    return token.with_kind("egress").with_grants(grants).with_ttl(_RECORDER_TTL).to_jwt()


def join_token(credentials: Credentials, room_name: str, identity: str, name: str | None) -> str:
    """Let a person in who watches and shares. It holds for ten minutes: joining takes seconds."""
    grants = api.VideoGrants(room_join=True, room=room_name, can_publish_sources=_SHARED)
    token = api.AccessToken(credentials.key, credentials.secret).with_identity(identity).with_name(name or identity)
    return token.with_grants(grants).with_ttl(_JOIN_TTL).to_jwt()
