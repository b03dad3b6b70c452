"""Where alerts go, put together from the settings."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from lookback.bootstrap.parts import clock_us, new_id, secret_of
from lookback.errors import SettingsError
from lookback.home import SECRET_FILE
from lookback.operations.alerts import AlertDesk
from lookback.webhooks.receiver import WebhookReceiver, alert_key

if TYPE_CHECKING:
    from lookback.operations.doctor.alerts import Alerting
    from lookback.settings import Settings


async def try_alerts(settings: Settings) -> Alerting:
    """Post a test as the server would; nothing is made, so without a secret nothing is posted."""
    if settings.lookback_alert_webhook is None:
        return "off"
    try:
        known = settings.lookback_jwt_secret is not None or (settings.home / SECRET_FILE).exists()
        desk = alert_desk(settings, secret_of(settings)) if known else None
    except (SettingsError, OSError):
        return "untried"  # what is wrong with the secret or the home is said already
    return (await desk.try_it() if desk is not None else None) or "untried"


def alert_desk(settings: Settings, secret: str) -> AlertDesk:
    """What posts alerts, signed by a key of this secret; `run()` until the end."""
    address = settings.lookback_alert_webhook
    receiver = WebhookReceiver(address.get_secret_value(), alert_key(secret)) if address is not None else None
    # Whoever is alerted by several installations wants to know which one it is.
    name = str(settings.lookback_public_url) if settings.lookback_public_url else socket.gethostname()
    return AlertDesk(receiver, installation=name, clock=clock_us, new_id=new_id)
