"""Every reason to be sent away has an answer."""

from __future__ import annotations

import pytest
from livekit.protocol import models, rtc

from lookback.recorder.livekit.leaving import LOST, Next, after

ACTION = rtc.LeaveRequest


@pytest.mark.parametrize(
    "reason",
    [models.DUPLICATE_IDENTITY, models.PARTICIPANT_REMOVED, models.ROOM_DELETED, models.ROOM_CLOSED],
)
@pytest.mark.parametrize("action", [ACTION.DISCONNECT, ACTION.RECONNECT, ACTION.RESUME])
def test_whoever_wants_us_gone_is_obeyed(reason: models.DisconnectReason, action: rtc.LeaveRequest.Action) -> None:
    following, sentence = after(rtc.LeaveRequest(reason=reason, action=action))
    assert following is Next.STAY_AWAY
    assert sentence != LOST


@pytest.mark.parametrize(
    "reason",
    [
        models.SERVER_SHUTDOWN,
        models.STATE_MISMATCH,
        models.JOIN_FAILURE,
        models.MIGRATION,
        models.SIGNAL_CLOSE,
        models.CONNECTION_TIMEOUT,
        models.MEDIA_FAILURE,
    ],
)
def test_what_is_nobodys_will_is_repaired(reason: models.DisconnectReason) -> None:
    assert after(rtc.LeaveRequest(reason=reason, action=ACTION.DISCONNECT))[0] is Next.REJOIN


def test_the_server_says_how_to_come_back() -> None:
    assert after(rtc.LeaveRequest(action=ACTION.RESUME))[0] is Next.RESUME
    assert after(rtc.LeaveRequest(action=ACTION.RECONNECT)) == (Next.REJOIN, LOST)
    assert after(rtc.LeaveRequest(can_reconnect=True))[0] is Next.REJOIN  # before there were actions


@pytest.mark.parametrize("reason", models.DisconnectReason.values())
@pytest.mark.parametrize("action", rtc.LeaveRequest.Action.values())
def test_nothing_that_a_server_may_say_is_without_an_answer(
    reason: models.DisconnectReason, action: rtc.LeaveRequest.Action
) -> None:
    following, sentence = after(rtc.LeaveRequest(reason=reason, action=action))
    assert isinstance(following, Next)
    assert sentence[0].isupper()
