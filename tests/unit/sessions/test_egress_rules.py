"""What is done about an egress: the failures that were recorded, and everything in between."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.egress_answers import listed, told

from lookback.sessions import egress_rules as rules
from lookback.sessions.egress_rules import Decision, Do, Ending, Situation, decide, ending, wait_us
from lookback.sessions.egresses import RUNNING, EgressFacts, EgressStatus, video_kbps

SECOND = 1_000_000
NOW = 1_795_381_400 * SECOND
EGRESS = EgressFacts("EG_1", "demo", "active", video_sid="TR_1", folder="/out/s1/1")
USUAL = Situation(
    now_us=NOW,
    wanted=True,
    egress=EGRESS,
    track_sid="TR_1",
    segment_us=10 * SECOND,
    begun_us=NOW - 60 * SECOND,
    heard_us=NOW - 5 * SECOND,
)


def at(**more: Any) -> Decision:
    """What is decided when these things are different from an egress that does its work."""
    return decide(replace(USUAL, **more))


def over(status: EgressStatus = "failed", **more: Any) -> EgressFacts:
    return replace(EGRESS, status=status, **more)


# ---- an egress that goes on


@pytest.mark.parametrize("status", sorted(RUNNING))
def test_an_egress_that_writes_is_left_alone(status: EgressStatus) -> None:
    assert at(egress=over(status)).do is Do.WAIT


def test_a_share_that_is_gone_ends_it_although_its_sound_goes_on() -> None:
    (egress,) = listed("f1_after_unpublish")
    assert egress.status == "active", "LiveKit sees nothing wrong with it"
    assert at(egress=egress, track_sid=None, gone_us=NOW - 3 * SECOND) == (Do.STOP, rules.SHARE_ENDED)


def test_the_same_in_a_later_version() -> None:
    (egress,) = listed("v1141_after_unpublish")
    assert at(egress=egress, track_sid=None, gone_us=NOW - 3 * SECOND) == (Do.STOP, rules.SHARE_ENDED)


@pytest.mark.parametrize("gone_us", [None, NOW, NOW - 2 * SECOND])
def test_a_share_may_be_gone_for_a_moment(gone_us: int | None) -> None:
    assert at(track_sid=None, gone_us=gone_us).do is Do.WAIT


def test_a_share_that_is_another_track_now_needs_another_egress() -> None:
    (egress,) = listed("f1_after_republish")
    assert at(egress=egress, track_sid="TR_new") == (Do.STOP, rules.REPUBLISHED)
    assert at(egress=egress, track_sid="TR_new", stopping_us=NOW).do is Do.START


def test_a_killed_service_is_known_by_files_that_do_not_come() -> None:
    (egress,) = listed("f2s_18min_later_two_service_restarts")
    assert egress.status == "active", "LiveKit says so for ever"
    here = {"egress": egress, "track_sid": egress.video_sid}
    assert at(**here, heard_us=NOW - 44 * SECOND).do is Do.WAIT
    assert at(**here, heard_us=NOW - 46 * SECOND) == (Do.STOP, rules.NO_FILES)
    assert at(**here, heard_us=NOW - 46 * SECOND, stopping_us=NOW - SECOND).do is Do.START


def test_the_first_file_may_take_a_minute() -> None:
    assert at(heard_us=None, begun_us=NOW - 59 * SECOND).do is Do.WAIT
    assert at(heard_us=None, begun_us=NOW - 61 * SECOND) == (Do.STOP, rules.NO_FILES)


@pytest.mark.parametrize("segment", [2, 4, 10])
def test_three_files_that_do_not_come_are_enough(segment: int) -> None:
    late = (3 * segment + 16) * SECOND
    assert at(segment_us=segment * SECOND, heard_us=NOW - late, begun_us=NOW - 2 * late).do is Do.STOP


# ---- an egress that shall end


def test_a_session_that_is_over_ends_its_egress() -> None:
    assert at(wanted=False) == (Do.STOP, rules.STOPPED_BY_US)


def test_it_is_told_once() -> None:
    assert at(wanted=False, stopping_us=NOW - 4 * SECOND).do is Do.WAIT


def test_one_that_does_not_end_is_let_go() -> None:
    assert at(wanted=False, stopping_us=NOW - 15 * SECOND).do is Do.LET_GO
    assert at(track_sid=None, stopping_us=NOW - 15 * SECOND) == (Do.LET_GO, rules.NO_FILES)


def test_one_that_has_ended_is_let_go() -> None:
    assert at(wanted=False, egress=over("complete"), stopping_us=NOW - 4 * SECOND).do is Do.LET_GO
    assert at(wanted=False, egress=None).do is Do.LET_GO


# ---- an egress that is over


def test_a_failure_is_tried_again_while_there_is_a_share() -> None:
    (egress,) = listed("f2h_after_handler_kill9")
    assert at(egress=egress, failures=1, ended_us=NOW - SECOND // 2).do is Do.WAIT
    assert at(egress=egress, failures=1, ended_us=NOW - SECOND).do is Do.START
    assert at(egress=egress, failures=1, ended_us=NOW - SECOND, track_sid=None).do is Do.WAIT


def test_a_share_that_ended_is_waited_for() -> None:
    (egress,) = listed("publisher_left_after")
    assert at(egress=egress, track_sid=None).do is Do.WAIT
    assert at(egress=egress, track_sid="TR_2").do is Do.START, "it came back"


def test_what_somebody_else_has_stopped_is_not_begun_again() -> None:
    (egress,) = listed("fxs_6_COMPLETE")
    assert at(egress=egress) == (Do.END, rules.STOPPED_BY_OTHERS)
    assert at(egress=egress, stopping_us=NOW - 5 * SECOND).do is Do.START, "we did, to begin another one"


def test_an_egress_that_livekit_forgets_is_begun_again() -> None:
    assert at(egress=None, begun_us=NOW - 14 * SECOND).do is Do.WAIT
    assert at(egress=None, begun_us=NOW - 16 * SECOND) == (Do.START, rules.FORGOTTEN)


def test_what_could_not_be_started_is_tried_again_later() -> None:
    here = {"egress": None, "begun_us": 0, "failures": 3, "ended_us": NOW - 3 * SECOND}
    assert at(**here).do is Do.WAIT
    assert at(**here | {"now_us": NOW + SECOND}).do is Do.START


def test_waiting_grows_and_stays_bounded() -> None:
    assert [wait_us(n) / SECOND for n in (0, 1, 2, 3, 6, 60)] == [0, 1, 2, 4, 30, 30]


# ---- why it ended


@pytest.mark.parametrize(
    ("egress", "by_us", "end"),
    [
        (listed("fxs_6_COMPLETE")[0], True, Ending(rules.STOPPED_BY_US, by_us=True)),
        (listed("fxs_6_COMPLETE")[0], False, Ending(rules.STOPPED_BY_OTHERS)),
        (listed("publisher_left_after")[0], False, Ending(rules.SHARE_ENDED, share_over=True)),
        (listed("vonly_after_unpublish")[0], False, Ending(rules.SHARE_ENDED, share_over=True)),
        (listed("publisher_left_after")[0], True, Ending(rules.SHARE_ENDED, share_over=True)),
        (listed("fail_unknown_track_list_later")[1], False, Ending(rules.NO_TRACK)),
        (listed("start_with_old_sid_after_republish_later")[0], False, Ending(rules.NO_TRACK)),
        (listed("f2h_after_handler_kill9")[0], False, Ending(rules.CRASHED)),
        (listed("fail_diskfull_after")[0], False, Ending(rules.DISK_FULL)),
        (told("0132"), False, Ending(rules.FAILED)),
        (over("aborted"), False, Ending(rules.NEVER_STARTED)),
        (over("limit-reached"), False, Ending(rules.LIMIT_REACHED)),
    ],
)
def test_ends_are_told_apart(egress: EgressFacts, by_us: bool, end: Ending) -> None:
    assert ending(egress, stopped_by_us=by_us) == end


def test_no_end_names_a_path_or_a_track() -> None:
    ends = [told(name) for name in ("0042", "0048", "0070", "0080", "0100", "0114", "0123", "0127", "0132")]
    for end in ends:
        why = ending(end, stopped_by_us=False).why
        assert "/" not in why
        assert "TR_" not in why


# ---- the whole space


def test_it_never_starts_what_nobody_wants_and_never_stops_what_does_not_run() -> None:
    egresses = [None, *(over(status) for status in ("starting", "active", "ending", "complete", "failed"))]
    instants = (None, NOW, NOW - 20 * SECOND, NOW - 100 * SECOND)
    for egress in egresses:
        for wanted in (True, False):
            for track_sid in (None, "TR_1", "TR_2"):
                for stopping_us in instants:
                    for heard_us in instants:
                        here = {"egress": egress, "wanted": wanted, "track_sid": track_sid, "gone_us": NOW - 9 * SECOND}
                        decision = at(**here, stopping_us=stopping_us, heard_us=heard_us).do
                        assert decision is not Do.START or (wanted and track_sid is not None)
                        assert decision is not Do.STOP or (egress is not None and egress.running and not stopping_us)
                        assert decision is not Do.END or wanted


@pytest.mark.parametrize(
    ("width", "height", "source_bps", "kbps"),
    [
        (1920, 1080, 0, 4510),
        (1280, 720, 0, 2004),
        (640, 360, 0, 501),
        (1920, 1080, 3_000_000, 3000),
        (160, 90, 0, 300),
        (3840, 2160, 90_000_000, 20_000),
    ],
)
def test_the_bit_rate_is_that_of_the_source_in_kilobits(width: int, height: int, source_bps: int, kbps: int) -> None:
    assert video_kbps(width, height, source_bps) == kbps
