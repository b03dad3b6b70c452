"""Webhooks: those that a real LiveKit server has sent, byte by byte, and new ones with its signature."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

KEY, SECRET = "devkey", "0123456789abcdef0123456789abcdef"  # of the server that sent the recorded ones
_FOLDER = Path(__file__).resolve().parents[1] / "data" / "livekit" / "webhooks"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A request's body and what is in its Authorization header. `at_us`: when it was sent."""

    name: str
    body: bytes
    token: str
    content_type: str
    at_us: int

    @property
    def event(self) -> dict[str, Any]:
        """The body as JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found


def recorded(name: str = "") -> list[Webhook]:
    """Those whose file's name contains `name`, in the order in which they came."""
    return [_read(path) for path in sorted(path for path in _FOLDER.glob("*.headers") if name in path.name)]


def signed(
    event: dict[str, Any] | bytes, at_us: int, *, key: str = KEY, secret: str = SECRET, **claims: Any
) -> Webhook:
    """A webhook as a server with this key would send it at that time; `claims` replace those of its token."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    now = at_us // 1_000_000
    said = {"iss": key, "nbf": now, "iat": now, "exp": now + 300, "sha256": digest} | claims
    token = jwt.encode({name: value for name, value in said.items() if value is not None}, secret, "HS256")
    return Webhook("made", body, token, "application/webhook+json", at_us)


def _read(headers: Path) -> Webhook:
    fields = dict(line.split(": ", 1) for line in headers.read_text().splitlines()[1:] if ": " in line)
    body = headers.with_name(headers.name.replace(".headers", ".body.json")).read_bytes()
    claims = jwt.decode(fields["Authorization"], options={"verify_signature": False})
    return Webhook(headers.name, body, fields["Authorization"], fields["Content-Type"], int(claims["iat"]) * 1_000_000)
