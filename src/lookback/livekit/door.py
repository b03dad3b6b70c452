"""Where HTTP meets LiveKit: webhooks that come in, and people who want to join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.errors import LivekitUnavailableError, NotFoundError
from lookback.sessions.rooms import Invitation

if TYPE_CHECKING:
    from lookback.access.principal import Principal
    from lookback.livekit.webhooks import LivekitWebhooks
    from lookback.sessions.rooms import LivekitServer


@dataclass(frozen=True, slots=True)
class LivekitDoor:
    """Implements api.ports.LivekitDoor. Both parts are None when LiveKit is not configured.

    `open_to_all`: anybody who is signed in may join any room. That is for development, where nobody else hands out
    tokens: in production the application's own backend knows who may join which room.
    """

    webhooks: LivekitWebhooks | None = None
    server: LivekitServer | None = None
    open_to_all: bool = False

    def accept_webhook(self, body: bytes, authorization: str) -> None:
        """See api.ports.LivekitDoor."""
        if self.webhooks is None:
            raise LivekitUnavailableError("LiveKit is not configured here")
        self.webhooks.accept(body, authorization)

    def invite(self, who: Principal, room_name: str) -> Invitation:
        """See api.ports.LivekitDoor."""
        if self.server is None or not self.open_to_all:
            raise NotFoundError("Nobody gets into LiveKit rooms through this server; see LOOKBACK_LIVEKIT_JOIN")
        return Invitation(self.server.url, self.server.join_token(room_name, who.user_id, who.name))
