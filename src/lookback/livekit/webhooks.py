"""What LiveKit tells us by webhook: checked, and handed on to whoever follows it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Protocol

import jwt
import structlog
from google.protobuf.json_format import Parse, ParseError
from livekit.protocol import models, webhook

from lookback.errors import MalformedError, UnauthenticatedError
from lookback.livekit.egress import egress_facts
from lookback.sessions.rooms import RoomEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jwt.types import Options

    from lookback.sessions.egresses import EgressFacts

log = structlog.get_logger(__name__)

_SECOND_US = 1_000_000
# LiveKit's tokens hold for five minutes; a clock may be a minute off.
_LEEWAY_S = 60
_REMEMBERED_S = 600  # longer than any token holds, leeway included
_MOST_REMEMBERED = 100_000
_ABOUT_ROOMS = frozenset(
    {"track_published", "track_unpublished", "participant_left", "participant_connection_aborted", "room_finished"}
)
_ABOUT_EGRESS = frozenset({"egress_started", "egress_updated", "egress_ended"})


class RoomEvents(Protocol):
    """Who follows what happens in rooms."""

    def heard(self, event: RoomEvent) -> None:
        """Note an event; returns at once."""


class EgressEvents(Protocol):
    """Who follows what becomes of egresses."""

    def heard(self, egress: EgressFacts) -> None:
        """Note what is said of an egress; returns at once. It may come twice, late, or out of order."""


class Signatures:
    """Tells LiveKit's webhooks from anybody else's. `secrets` are by API key; `clock` gives UTC microseconds."""

    def __init__(self, secrets: Mapping[str, str], clock: Callable[[], int]) -> None:
        self._secrets, self._clock = secrets, clock

    def check(self, body: bytes, authorization: str) -> None:
        """Raise UnauthenticatedError unless one of the keys has signed just this body, not long ago."""
        claims = self._claims(authorization.removeprefix("Bearer ").strip())
        now_s = self._clock() / _SECOND_US
        if not _number(claims.get("exp")) > now_s - _LEEWAY_S:
            raise UnauthenticatedError("The webhook's token has expired")
        if not _number(claims.get("nbf", 0)) <= now_s + _LEEWAY_S:
            raise UnauthenticatedError("The webhook's token is not valid yet")
        if not hmac.compare_digest(_digest(claims.get("sha256")), hashlib.sha256(body).digest()):
            raise UnauthenticatedError("The webhook's token belongs to another body")

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
            secret = self._secrets.get(issuer) if isinstance(issuer, str) else None
            if secret is None:
                raise UnauthenticatedError("The webhook is signed by a key that is not known here")
            options: Options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
            return dict(jwt.decode(token, secret, algorithms=["HS256"], options=options))
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise UnauthenticatedError("The webhook's token does not hold") from error


class LivekitWebhooks:
    """Takes webhooks. Whoever hears of them notes it and works afterwards, so that LiveKit is answered at once.

    Bodies are never logged: those about rooms carry the password of the room's TURN server. `accepted_us` and
    `refused_us`: when the last one came that was signed as it should be, and the last one that was not.
    """

    accepted_us: int | None = None
    refused_us: int | None = None

    def __init__(
        self, signatures: Signatures, rooms: RoomEvents, egress: EgressEvents | None, clock: Callable[[], int]
    ) -> None:
        self._signatures, self._rooms, self._egress, self._clock = signatures, rooms, egress, clock
        self._seen_us: OrderedDict[str, int] = OrderedDict()

    def accept(self, body: bytes, authorization: str) -> None:
        """Take a webhook; raises UnauthenticatedError or MalformedError. One that was seen before is taken for done."""
        try:
            self._signatures.check(body, authorization)
        except UnauthenticatedError:
            self.refused_us = self._clock()
            raise
        self.accepted_us = self._clock()
        event = _parsed(body)
        if self._is_new(event.id):
            log.info("webhook.received", kind=event.event, room=event.room.name or event.egress_info.room_name)
            self._tell(event)

    def _tell(self, event: webhook.WebhookEvent) -> None:
        if event.event in _ABOUT_ROOMS and event.participant.kind != models.ParticipantInfo.EGRESS:
            self._rooms.heard(RoomEvent(event.event, event.room.name, event.participant.identity, event.track.sid))
        elif event.event in _ABOUT_EGRESS and self._egress is not None:
            self._egress.heard(egress_facts(event.egress_info))

    def _is_new(self, event_id: str) -> bool:
        now_us = self._clock()
        if not event_id:
            return True  # an old server: everything that follows can be done twice
        while self._seen_us and (
            len(self._seen_us) > _MOST_REMEMBERED
            or now_us - next(iter(self._seen_us.values())) > _REMEMBERED_S * _SECOND_US
        ):
            self._seen_us.popitem(last=False)
        new = event_id not in self._seen_us
        self._seen_us.setdefault(event_id, now_us)
        return new


def _parsed(body: bytes) -> webhook.WebhookEvent:
    """Read the body; what a later LiveKit adds is passed over, and what it leaves out is protobuf's default."""
    try:
        event = Parse(body, webhook.WebhookEvent(), ignore_unknown_fields=True)
    except (ParseError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError("The body is no event of LiveKit") from error
    if not event.event:
        raise MalformedError("The body does not say what has happened")
    return event


def _digest(claim: object) -> bytes:
    try:
        return base64.b64decode(claim, validate=True) if isinstance(claim, str) else b""
    except (binascii.Error, ValueError):
        return b""


def _number(value: object) -> float:
    """A time in seconds; NaN, which is after and before nothing, where there is none."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
