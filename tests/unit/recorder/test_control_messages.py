from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError as ParseError
from tests.support.sessions import a_session

from lookback.errors import GapsError, LookbackError, UnsupportedCodecError
from lookback.recorder.control import (
    AcceptWhip,
    Done,
    Envelope,
    GetStatus,
    Hello,
    HoldSession,
    Refused,
    RestartIce,
    SessionMoved,
    StartSynthetic,
    StopSession,
    Welcome,
    from_line,
    to_line,
)

if TYPE_CHECKING:
    from lookback.recorder.control import Reply, Request


@pytest.mark.parametrize(
    "request_",
    [
        Hello(),
        StartSynthetic(session=a_session(), codec="vp8"),
        AcceptWhip(session=a_session(community_id="c1"), offer="v=0\r\n\n\u2028"),
        RestartIce(session_id="s", fragment="a=ice-ufrag:x\r\n"),
        StopSession(session_id="s", cause="Genug für heute"),
        HoldSession(session_id="s", held=True),
        GetStatus(),
    ],
)
def test_a_request_crosses_in_one_line(request_: Request) -> None:
    line = to_line(Envelope(id=7, request=request_))
    assert line.count(b"\n") == 1
    assert from_line(line) == Envelope(id=7, request=request_)


@pytest.mark.parametrize(
    "reply", [Welcome(pid=1, config_digest="d"), Done(), Refused(code="gaps", detail="Gaps", facts={"gaps": [1]})]
)
def test_a_reply_crosses_in_one_line(reply: Reply) -> None:
    assert from_line(to_line(Envelope(id=1, reply=reply))).reply == reply


def test_an_event_crosses_in_one_line() -> None:
    event = SessionMoved(session_id="s", to="interrupted", cause="Gone", at_us=5)
    assert from_line(to_line(Envelope(event=event))).event == event


def test_an_error_is_the_same_error_on_the_other_side() -> None:
    raised = UnsupportedCodecError("AV1 cannot be recorded yet", offered=["av1"], supported=["h264", "vp8"])
    arrived = Refused.of(raised).error()
    assert type(arrived) is UnsupportedCodecError
    assert (arrived.detail, arrived.facts) == (raised.detail, raised.facts)


def test_an_error_of_a_newer_recorder_is_still_an_error() -> None:
    error = Refused(code="not-invented-yet", detail="Something new").error()
    assert type(error) is LookbackError
    assert error.detail == "Something new"


def test_facts_may_be_any_json() -> None:
    facts = {"gaps": [{"start": "2026-01-01T00:00:00Z"}], "none": None}
    refused = Refused.of(GapsError("The range has gaps", **facts))
    line = to_line(Envelope(id=1, reply=refused))
    assert json.loads(line)["reply"]["code"] == "gaps"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_line_is_a_message_or_refused(line: bytes) -> None:
    try:
        from_line(line)
    except ParseError:
        return
