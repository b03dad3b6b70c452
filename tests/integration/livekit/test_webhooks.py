"""A real server tells a real installation what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.installation import Installation
from tests.support.livekit_publisher import livekit_sharing
from tests.support.livekit_server import LivekitServer
from tests.support.livekit_settings import livekit_settings
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_share_begins_by_a_webhook_alone(tmp_path: Path) -> None:
    livekit = LivekitServer(tmp_path / "livekit", room={"departure_timeout": 1})
    installation = Installation(
        tmp_path / "home", livekit_settings(livekit, LOOKBACK_RECONCILE_SECONDS="3600", LOOKBACK_GRACE_SECONDS="2")
    )
    await installation.start()
    livekit._webhooks = [f"{installation.url}/webhooks/livekit"]
    try:
        await livekit.start()
        async with installation.person("root", admin=True) as root, installation.person("alice") as alice:
            await root.answer("PUT", "rooms/talk", json={"communityId": "club"})
            await root.answer("PATCH", "admin/community/club/config", json={"autoStart": "on"})
            async with livekit_sharing(livekit, "talk", "alice") as publisher:
                session = await eventually(lambda: alice.session_in("talk"), within=10, what="a session")
                await alice.sees_status(session, "recording")
                await publisher.leave()
                await alice.sees_status(session, "draining")
        assert "webhook.received" in installation.log
        assert "turn" not in installation.log.lower()
    finally:
        livekit.kill()
        await installation.stop()
