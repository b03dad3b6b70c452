"""Post signed JSON to one address, once."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import aiohttp
import structlog

from lookback import __version__

if TYPE_CHECKING:
    from lookback.operations.alerts import Answer

log = structlog.get_logger(__name__)

SIGNATURE = "X-Lookback-Signature"
_PURPOSE = b"lookback-alerts-1"
_PATIENCE_S = 10.0
_LATER = frozenset({408, 425, 429})


def alert_key(secret: str) -> bytes:
    """The key that alerts are signed with: whoever has it cannot learn the server's secret from it."""
    return hmac.new(secret.encode(), _PURPOSE, hashlib.sha256).hexdigest().encode()


def signature(key: bytes, body: bytes) -> str:
    """What stands in the header beside this body."""
    return f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"


class WebhookReceiver:
    """Implements operations.alerts.Receiver. The address may hold a password: it is neither logged nor shown."""

    def __init__(self, url: str, key: bytes, *, patience_s: float = _PATIENCE_S) -> None:
        self._url, self._key, self._patience_s = url, key, patience_s

    async def post(self, body: bytes) -> Answer:
        """See Receiver. Redirects are not followed: the operator named this address, and nobody else may."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"lookback/{__version__}",
            SIGNATURE: signature(self._key, body),
        }
        limit = aiohttp.ClientTimeout(total=self._patience_s)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit) as http,
                http.post(self._url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            log.warning("alerts.not_reached", error=type(error).__name__)  # its words would show the address
            return "away"
        if 200 <= status < 300:
            return "taken"
        log.warning("alerts.refused", status=status)
        return "away" if status in _LATER or status >= 500 else "refused"
