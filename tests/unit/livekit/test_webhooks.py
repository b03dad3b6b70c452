from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from tests.support.webhooks import KEY, SECRET, Webhook, recorded, signed

from lookback.errors import LookbackError, MalformedError, UnauthenticatedError
from lookback.livekit.webhooks import LivekitWebhooks, Signatures
from lookback.sessions.rooms import RoomEvent

if TYPE_CHECKING:
    from lookback.sessions.egresses import EgressFacts

NOW_US = 1_795_381_749_000_000
MINUTE_US = 60_000_000
OTHER_KEY, OTHER_SECRET = "second", "s" * 32


@dataclass(slots=True)
class Heard:
    """What is heard of rooms. Implements livekit.webhooks.RoomEvents."""

    events: list[RoomEvent] = field(default_factory=list)

    def heard(self, event: RoomEvent) -> None:
        """See RoomEvents."""
        self.events.append(event)


@dataclass(slots=True)
class HeardOfEgress:
    """What is heard of egresses. Implements livekit.webhooks.EgressEvents."""

    egresses: list[EgressFacts] = field(default_factory=list)

    def heard(self, egress: EgressFacts) -> None:
        """See EgressEvents."""
        self.egresses.append(egress)


class Listener:
    """Takes webhooks at a time that the test says."""

    def __init__(self) -> None:
        self.now_us = NOW_US
        self.rooms, self.egress = Heard(), HeardOfEgress()
        secrets = {KEY: SECRET, OTHER_KEY: OTHER_SECRET}
        self.webhooks = LivekitWebhooks(Signatures(secrets, self.clock), self.rooms, self.egress, self.clock)

    def clock(self) -> int:
        return self.now_us

    def takes(self, webhook: Webhook, *, late_us: int = 0) -> None:
        self.now_us = webhook.at_us + late_us
        self.webhooks.accept(webhook.body, webhook.token)

    def refuses(self, webhook: Webhook, *, late_us: int = 0) -> str:
        with pytest.raises(UnauthenticatedError) as raised:
            self.takes(webhook, late_us=late_us)
        return raised.value.detail


@pytest.fixture
def listener() -> Listener:
    return Listener()


PUBLISHED = {
    "event": "track_published",
    "id": "EV_1",
    "room": {"name": "demo"},
    "participant": {"identity": "alice"},
    "track": {"sid": "TR_1"},
}


# ---- what real servers have sent


def test_every_recorded_webhook_is_taken(listener: Listener) -> None:
    webhooks = recorded()
    assert len(webhooks) >= 30
    for webhook in webhooks:
        listener.takes(webhook)
    kinds = [webhook.event["event"] for webhook in webhooks]
    assert len(listener.egress.egresses) == sum(kind.startswith("egress_") for kind in kinds)


def test_what_happens_in_a_room_is_heard_but_nothing_of_recorders(listener: Listener) -> None:
    for webhook in recorded():
        listener.takes(webhook)
    screen, sound = "TR_VSmkTfj99XTM7n", "TR_Ash3iug2uhqeXT"
    assert listener.rooms.events == [
        RoomEvent("track_published", "fixture-room", "alice", screen),
        RoomEvent("track_published", "fixture-room", "alice", sound),
        RoomEvent("track_unpublished", "fixture-room", "alice", sound),
        RoomEvent("track_unpublished", "fixture-room", "alice", screen),
        RoomEvent("participant_left", "fixture-room", "alice"),
        RoomEvent("room_finished", "fixture-room"),
    ]


def test_a_started_egress_without_a_status_is_starting(listener: Listener) -> None:
    started = recorded("0094_egress_started")
    assert "status" not in started[0].event["egressInfo"]
    listener.takes(started[0])
    assert [(e.egress_id, e.running) for e in listener.egress.egresses] == [("EG_8kVVirZMLsrn", True)]


def test_no_secret_of_a_body_or_token_is_logged(listener: Listener) -> None:
    event = PUBLISHED | {"event": "room_started", "room": {"name": "demo", "turnPassword": "hunter2"}}
    with capture_logs() as logs:
        listener.takes(signed(event, NOW_US))
        listener.refuses(replace(signed(event, NOW_US), token="e30.hunter2.x"))
    assert [entry["event"] for entry in logs] == ["webhook.received"]
    assert "hunter2" not in str(logs)


# ---- who may say something


def test_every_key_may_sign(listener: Listener) -> None:
    listener.takes(signed(PUBLISHED, NOW_US, key=OTHER_KEY, secret=OTHER_SECRET))
    listener.takes(signed(PUBLISHED | {"id": "EV_2"}, NOW_US))
    assert len(listener.rooms.events) == 2


def test_a_bearer_before_the_token_does_no_harm(listener: Listener) -> None:
    webhook = signed(PUBLISHED, NOW_US)
    listener.takes(replace(webhook, token=f"Bearer {webhook.token}"))
    assert len(listener.rooms.events) == 1


@pytest.mark.parametrize(
    ("webhook", "reason"),
    [
        (replace(signed(PUBLISHED, NOW_US), token=""), "does not hold"),
        (replace(signed(PUBLISHED, NOW_US), token="a.b.c"), "does not hold"),
        (replace(signed(PUBLISHED, NOW_US), token="ä.ö.ü"), "does not hold"),
        (signed(PUBLISHED, NOW_US, secret="x" * 32), "does not hold"),
        (signed(PUBLISHED, NOW_US, key=OTHER_KEY), "does not hold"),
        (signed(PUBLISHED, NOW_US, key="unknown"), "not known"),
        (signed(PUBLISHED, NOW_US, iss=None), "not known"),
        (signed(PUBLISHED, NOW_US, sha256=None), "another body"),
        (signed(PUBLISHED, NOW_US, sha256="?"), "another body"),
        (signed(PUBLISHED, NOW_US, sha256=7), "another body"),
        (signed(PUBLISHED, NOW_US, exp=None), "expired"),
        (signed(PUBLISHED, NOW_US, exp=float("nan")), "expired"),
        (signed(PUBLISHED, NOW_US, exp=True), "expired"),
        (signed(PUBLISHED, NOW_US, nbf=float("nan")), "not valid yet"),
        (replace(signed(PUBLISHED, NOW_US), body=b"{}"), "another body"),
    ],
)
def test_what_no_key_has_signed_is_refused(listener: Listener, webhook: Webhook, reason: str) -> None:
    assert reason in listener.refuses(webhook)
    assert listener.rooms.events == []


def test_clocks_may_be_a_minute_apart(listener: Listener) -> None:
    webhook = signed(PUBLISHED, NOW_US)
    assert "expired" in listener.refuses(webhook, late_us=6 * MINUTE_US)
    assert "not valid yet" in listener.refuses(webhook, late_us=-MINUTE_US - 1)
    listener.takes(webhook, late_us=6 * MINUTE_US - 1)
    listener.takes(signed(PUBLISHED | {"id": "EV_2"}, NOW_US), late_us=-MINUTE_US)
    assert len(listener.rooms.events) == 2


# ---- what is said again, or oddly


def test_an_event_that_comes_again_is_heard_once_as_long_as_its_token_holds(listener: Listener) -> None:
    webhook = signed(PUBLISHED, NOW_US)
    for minutes in range(6):
        listener.takes(webhook, late_us=minutes * MINUTE_US)
    assert len(listener.rooms.events) == 1


def test_events_without_an_id_are_all_heard(listener: Listener) -> None:
    nameless = {name: value for name, value in PUBLISHED.items() if name != "id"}
    listener.takes(signed(nameless, NOW_US))
    listener.takes(signed(nameless, NOW_US))
    assert len(listener.rooms.events) == 2


def test_ids_are_forgotten_when_no_token_holds_any_more(listener: Listener) -> None:
    for number in range(50):
        listener.takes(signed(PUBLISHED | {"id": f"EV_{number}"}, NOW_US + number * MINUTE_US))
    assert len(listener.webhooks._seen_us) <= 12


def test_what_a_later_server_says_is_passed_over(listener: Listener) -> None:
    listener.takes(signed(PUBLISHED | {"event": "weather_changed"}, NOW_US))
    assert listener.rooms.events == []
    later: dict[str, Any] = PUBLISHED | {"id": "EV_2", "mood": {"good": True}}
    later["track"] = {"sid": "TR_1", "source": "HOLOGRAM", "shine": 3}
    listener.takes(signed(later, NOW_US))
    assert [event.track_sid for event in listener.rooms.events] == ["TR_1"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"event": 7}', b"\xff", b'{"room": "x"}'])
def test_what_is_no_event_is_malformed(listener: Listener, body: bytes) -> None:
    with pytest.raises(MalformedError):
        listener.takes(signed(body, NOW_US))


_NAMES = st.sampled_from([*PUBLISHED, "egressInfo", "sid", "kind", "status"])
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
)


@given(_ANYTHING)
def test_whatever_is_signed_is_taken_or_malformed(body: Any) -> None:
    listener = Listener()
    try:
        listener.takes(signed(json.dumps(body).encode(), NOW_US))
    except LookbackError as error:
        assert isinstance(error, MalformedError)  # noqa: PT017 - both are right


@given(st.text(), st.binary())
def test_whatever_is_sent_is_refused_in_order(token: str, body: bytes) -> None:
    with pytest.raises(UnauthenticatedError):
        Listener().webhooks.accept(body, token)
