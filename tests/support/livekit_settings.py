"""How an installation is told of a test's LiveKit server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.livekit_server import LivekitServer


def livekit_settings(server: LivekitServer, **more: str) -> dict[str, str]:
    """Environment variables of an installation beside this server."""
    credentials = {"LIVEKIT_URL": server.url, "LIVEKIT_API_KEY": server.key, "LIVEKIT_API_SECRET": server.secret}
    return credentials | {"REPLAY_SEGMENT_DURATION_SECONDS": "2"} | more
