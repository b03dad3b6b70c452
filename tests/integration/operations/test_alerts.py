"""Alerts reach a real HTTP server: signed, once, in order, again when nobody took them, and in nobody's way."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from tests.support.alert_receiver import AlertReceiver, an_alert_receiver
from tests.support.waiting import eventually

from lookback.bootstrap.alerts import alert_desk
from lookback.errors import SettingsError
from lookback.operations.alerts import (
    MOST_WAITING,
    Alert,
    AlertDesk,
    Severity,
    cleanup_alert,
    recorder_alert,
    storage_alert,
)
from lookback.operations.storage_probe import probe_root
from lookback.operations.storage_watch import StorageWatch
from lookback.settings import load_settings
from lookback.webhooks.receiver import SIGNATURE, WebhookReceiver, alert_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

SECRET = "a-secret-that-is-long-enough-for-hs256"
NOW_US = 1_795_637_643_250_000
GONE = Alert("storage.gone", Severity.CRITICAL, "The buffer directory's disk is not mounted", {"problems": ["x"]})
BACK = Alert("storage.back", Severity.INFO, "The buffer and clip directories work again")


@pytest.fixture
async def receiver() -> AsyncIterator[AlertReceiver]:
    async with an_alert_receiver() as receiver:
        yield receiver


@asynccontextmanager
async def a_desk(url: str, waits_s: Sequence[float] = (0.0, 0.0), patience_s: float = 10.0) -> AsyncIterator[AlertDesk]:
    numbers = itertools.count(1)
    desk = AlertDesk(
        WebhookReceiver(url, alert_key(SECRET), patience_s=patience_s),
        installation="here",
        clock=lambda: NOW_US,
        new_id=lambda: str(next(numbers)),
        waits_s=waits_s,
    )
    running = asyncio.create_task(desk.run())
    try:
        yield desk
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_what_is_posted_and_how_it_is_signed(receiver: AlertReceiver) -> None:
    async with a_desk(receiver.url) as desk:
        desk.tell(GONE)
        await eventually(lambda: desk.sent == 1, what="the alert")
    body, headers = receiver.got[0]
    assert receiver.said == [
        {
            "id": "1",
            "type": "storage.gone",
            "severity": "critical",
            "sentence": "The buffer directory's disk is not mounted",
            "at": "2026-11-25T20:14:03.250Z",
            "installation": "here",
            "facts": {"problems": ["x"]},
        }
    ]
    # As docs/reference/events.md tells receivers to do it.
    key = hmac.new(SECRET.encode(), b"lookback-alerts-1", hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    assert headers["Content-Type"] == "application/json"
    assert SECRET not in f"{body!r}{headers}"


async def test_a_state_is_told_once_until_it_changes(receiver: AlertReceiver) -> None:
    async with a_desk(receiver.url) as desk:
        for alert in (GONE, GONE, recorder_alert(failing=True, starts=4), GONE, BACK, GONE):
            desk.tell(alert)
        desk.tell(recorder_alert(failing=True, starts=5))
        await eventually(lambda: desk.sent == 4, what="four alerts")
    assert receiver.types == ["storage.gone", "recorder.failing", "storage.back", "storage.gone"]


async def test_it_is_tried_again_with_the_same_bytes_while_nobody_takes_it(receiver: AlertReceiver) -> None:
    receiver.answers = [503, 429]
    async with a_desk(receiver.url) as desk:
        desk.tell(GONE)
        desk.tell(BACK)
        await eventually(lambda: desk.sent == 2, what="both alerts")
        assert desk.failed == 0
    assert receiver.types == ["storage.gone"] * 3 + ["storage.back"]
    assert len({body for body, _ in receiver.got[:3]}) == 1


@pytest.mark.parametrize("status", [302, 307, 401, 410])
async def test_what_is_refused_or_sent_elsewhere_is_given_up_at_once(receiver: AlertReceiver, status: int) -> None:
    receiver.answers = [status]
    async with a_desk(receiver.url) as desk:
        desk.tell(GONE)
        desk.tell(BACK)
        await eventually(lambda: desk.sent == 1, what="the second alert")
        assert (desk.failed, receiver.types, receiver.followed) == (1, ["storage.gone", "storage.back"], 0)


async def test_attempts_come_to_an_end_and_the_address_is_not_logged() -> None:
    nowhere = "http://127.0.0.1:1/hooks/secret-token"
    with capture_logs() as logged:
        async with a_desk(nowhere) as desk:
            desk.tell(GONE)
            await eventually(lambda: desk.failed == 1, what="the end of the attempts")
    assert [line["event"] for line in logged] == ["alerts.not_reached"] * 3 + ["alert.not_sent"]
    assert "secret-token" not in str(logged)
    assert desk.latest == "away"


async def test_a_receiver_that_hangs_holds_nobody_up_and_what_waits_is_bounded(receiver: AlertReceiver) -> None:
    receiver.hold.clear()
    async with a_desk(receiver.url) as desk:
        desk.tell(GONE)
        for number in range(MOST_WAITING + 10):
            await asyncio.sleep(0)
            desk.tell(Alert("space.calm", Severity.INFO, str(number)))
        assert desk.failed in {9, 10}, "the oldest make room"  # the first may be on its way already
        receiver.hold.set()
        await eventually(lambda: desk.sent + desk.failed == MOST_WAITING + 11, what="those that were kept")
    assert receiver.said[-1]["sentence"] == str(MOST_WAITING + 9)


async def test_a_receiver_that_never_answers_is_left(receiver: AlertReceiver) -> None:
    receiver.hold.clear()
    async with a_desk(receiver.url, waits_s=(), patience_s=0.05) as desk:
        desk.tell(cleanup_alert(overdue=True, last_us=None))
        await eventually(lambda: desk.failed == 1, what="giving up")


async def test_a_disk_that_goes_and_comes_back_is_told(receiver: AlertReceiver, tmp_path: Path) -> None:
    root, now_us = tmp_path / "root", itertools.count(1_000_000, 10_000_000)
    root.mkdir()
    settings = load_settings(lookback_alert_webhook=receiver.url, lookback_home=tmp_path)
    desk = alert_desk(settings, SECRET)
    running = asyncio.create_task(desk.run())
    watch = StorageWatch(
        {"buffer": lambda: probe_root("buffer", root, None)},
        {},
        clock=lambda: next(now_us),
        alert=lambda level, problems: desk.tell(storage_alert(level, problems)),
    )
    await watch.probe()
    shutil.rmtree(root)
    await watch.probe()
    await watch.probe()
    root.mkdir()
    await watch.probe()
    await eventually(lambda: desk.sent == 2, what="both alerts")
    running.cancel()
    assert receiver.types == ["storage.gone", "storage.back"]
    assert receiver.said[0]["facts"] == {"problems": ["buffer.failing"]}
    assert str(tmp_path) not in str(receiver.said)


@pytest.mark.parametrize(
    "address",
    ["example.org/hook", "ftp://example.org/", "file:///etc/passwd", "http://", "http://h:99999/", "http://h/#x"],
)
def test_an_address_that_cannot_be_posted_to_stops_the_start_and_is_not_shown(address: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(lookback_alert_webhook=address)
    assert refused.value.detail == (
        "LOOKBACK_ALERT_WEBHOOK is wrong: it must be an address such as https://example.org/hooks/lookback."
    )


async def test_without_an_address_nothing_is_kept(tmp_path: Path) -> None:
    desk = alert_desk(load_settings(lookback_home=tmp_path), SECRET)
    desk.tell(GONE)
    assert await desk.try_it() is None
    assert (desk.sent, desk.failed) == (0, 0)
