from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lookback.api.answers import Problem
from lookback.api.errors import STATUS, problem
from lookback.api.wire import iso, parse_instant
from lookback.api.wishes import CaptureRequest, ClipChangeWish, RenditionWish, StartWish
from lookback.errors import LookbackError, NoCapacityError, SettingsError, UnauthenticatedError

INSTANT_US = 1_795_378_443_250_000


@pytest.mark.parametrize(
    ("written", "instant_us"),
    [
        ("2026-11-22T20:14:03.250Z", INSTANT_US),
        ("2026-11-22T20:14:03.25+00:00", INSTANT_US),
        ("2026-11-22T21:14:03.250+01:00", INSTANT_US),
        ("2026-11-22T14:44:03.250000-05:30", INSTANT_US),
        ("2026-11-22T20:14:03.250001Z", INSTANT_US + 1),
        (1_795_378_443_250, INSTANT_US),
        (1_795_378_443_250.5, INSTANT_US + 500),
        (0, 0),
    ],
)
def test_an_instant_is_read(written: Any, instant_us: int) -> None:
    assert parse_instant(written) == instant_us


@pytest.mark.parametrize(
    "written",
    [
        "", "now", "2026-11-22", "2026-11-22T20:14:03", "20:14:03Z", "1795378443250", "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1969-12-31T23:59:59Z",
        -1, 10**400, float("nan"), float("inf"), float("-inf"), True, None, [], {},
    ],
)  # fmt: skip
def test_what_is_no_instant_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_instant(written)


@given(st.integers(0, 253_402_300_799_999_000))
def test_what_is_written_is_never_later_and_read_again(instant_us: int) -> None:
    read = parse_instant(iso(instant_us))
    assert 0 <= instant_us - read < 1000
    assert iso(read) == iso(instant_us)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (StartWish, {"roomName": "x"}),
        (ClipChangeWish, {"title": "x"}),
        (RenditionWish, {"format": "mp4"}),
        (CaptureRequest, {"roomName": "x", "durationSeconds": 1}),
    ],
)
def test_unknown_members_are_refused(kind: Any, body: dict[str, Any]) -> None:
    kind.model_validate(body)
    for member in ("colour", "room_name", "duration_seconds", "__class__", ""):
        with pytest.raises(ValidationError, match="Extra inputs"):
            kind.model_validate(body | {member: 1})


def test_a_wish_says_what_is_meant_in_microseconds() -> None:
    last = CaptureRequest.model_validate({"roomName": "x", "durationMinutes": 0.5, "postRollSeconds": 1.5})
    assert (last.wish("k").last_us, last.wish("k").post_roll_us, last.wish("k").idempotency_key) == (
        (30_000_000, 1_500_000, "k")
    )
    at = CaptureRequest.model_validate({"sessionId": "s", "durationSeconds": 5, "playhead": 1000, "title": " T "})
    assert (at.wish(None).playhead_us, at.wish(None).last_us, at.wish(None).title) == (1_000_000, 5_000_000, "T")
    span = CaptureRequest.model_validate({"sessionId": "s", "start": 1000, "end": "1970-01-01T00:00:02Z"})
    assert (span.wish(None).start_us, span.wish(None).end_us) == (1_000_000, 2_000_000)


def _kinds(kind: type[LookbackError]) -> list[type[LookbackError]]:
    return [kind, *(child for parent in kind.__subclasses__() for child in _kinds(parent))]


def test_every_error_has_its_status_and_a_code_of_its_own() -> None:
    kinds = [kind for kind in _kinds(LookbackError) if kind.__module__.startswith("lookback")]
    outside_of_requests = {LookbackError, SettingsError}
    assert [kind for kind in kinds if not set(kind.__mro__) & set(STATUS)] == [
        kind for kind in kinds if kind in outside_of_requests
    ]
    codes = [kind.code for kind in STATUS]
    assert len(codes) == len(set(codes))


def test_a_problem_is_one_as_the_document_has_it() -> None:
    answer = problem(NoCapacityError("Not now", retryAfter=1.2, type="mine", status=200))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.media_type == "application/problem+json"
    read = Problem.model_validate_json(bytes(answer.body))
    assert (read.type, read.status, read.detail, read.code) == (
        ("urn:lookback:error:no-capacity", 503, "Not now", "no-capacity")
    )
    assert problem(UnauthenticatedError("Who?")).headers["www-authenticate"] == "Bearer"
