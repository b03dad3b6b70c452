"""What to do about the egress of a session: facts in, one decision out.

LiveKit's word is a hint. It says that an egress is active for ever when its service was killed, and when the shared
screen is gone while its sound is not; it says nothing at all of an egress of another track than the one that is shared
now. So what counts is what is shared, and whether files come.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lookback.sessions.egresses import EgressFacts

STOPPED_BY_US = "Stopped"
STOPPED_BY_OTHERS = "Somebody else has stopped LiveKit Egress"
SHARE_ENDED = "The share ended"
REPUBLISHED = "The screen is shared anew"
NO_FILES = "LiveKit Egress writes nothing any more: its service was probably killed"
FORGOTTEN = "LiveKit does not know its Egress any more"
DISK_FULL = "The disk that LiveKit Egress writes to is full"
NO_TRACK = "LiveKit Egress did not find the shared screen"
CRASHED = "LiveKit Egress crashed"
LIMIT_REACHED = "LiveKit Egress reached its longest session"
NEVER_STARTED = "LiveKit Egress did not start"
FAILED = "LiveKit Egress failed"

SHARE_GONE_US = 3_000_000
"""A share that is gone for so long is not being moved to another track."""

UNKNOWN_US = 15_000_000
"""So long after it was started LiveKit must know an egress."""

STOPPING_US = 15_000_000
"""Measured: 4.2 to 6.7 s."""

STARTING_US = 60_000_000
"""The first file of 10 s comes after 10.7 s, on a starved machine after 34.8 s."""

_SLACK_US = 15_000_000
_MISSED_FILES = 3
_LONGEST_WAIT_US = 30_000_000
_NOT_FOUND = 404


class Do(StrEnum):
    """What to do."""

    WAIT = "wait"
    START = "start"  # another egress, of the track that is shared now
    STOP = "stop"  # tell it to end
    LET_GO = "let-go"  # nothing more can be expected of it
    END = "end"  # the session: somebody does not want it to be recorded


class Decision(NamedTuple):
    """What to do, and why, in a sentence for the session's user."""

    do: Do
    why: str = ""


class Ending(NamedTuple):
    """Why an egress ended. `share_over`: nothing is left to be recorded; `by_us`: we told it to."""

    why: str
    by_us: bool = False
    share_over: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """One session and its egress at `now_us`. Instants are UTC microseconds.

    `wanted`: the session is active. `egress`: the newest one, None when LiveKit does not know it. `track_sid`: the
    screen that is shared now, None without; `gone_us`: since when there is none. `begun_us`: when the egress was asked
    for, 0 when none was; `heard_us`: when its newest file came, None before the first. `stopping_us`: when it was told
    to end. `failures`: how many failed in a row; `ended_us`: when the last one did.
    """

    now_us: int
    wanted: bool
    egress: EgressFacts | None
    track_sid: str | None
    segment_us: int
    begun_us: int = 0
    heard_us: int | None = None
    gone_us: int | None = None
    stopping_us: int | None = None
    failures: int = 0
    ended_us: int = 0


def decide(at: Situation) -> Decision:
    """Say what has to happen next; called again and again, so one step at a time is enough."""
    if at.egress is None or not at.egress.running:
        return _without_egress(at)
    if at.stopping_us is not None:
        return _while_stopping(at, at.stopping_us)
    if not at.wanted:
        return Decision(Do.STOP, STOPPED_BY_US)
    if at.track_sid is None:
        gone_us = at.now_us - at.gone_us if at.gone_us is not None else 0
        return Decision(Do.STOP, SHARE_ENDED) if gone_us >= SHARE_GONE_US else Decision(Do.WAIT)
    if at.egress.video_sid and at.egress.video_sid != at.track_sid:
        return Decision(Do.STOP, REPUBLISHED)
    return Decision(Do.STOP, NO_FILES) if _writes_nothing(at) else Decision(Do.WAIT)


def ending(egress: EgressFacts, *, stopped_by_us: bool) -> Ending:
    """Tell the ends of an egress apart."""
    if egress.status == "complete":
        if "Source closed" in egress.end_reason:
            return Ending(SHARE_ENDED, share_over=True)
        return Ending(STOPPED_BY_US, by_us=True) if stopped_by_us else Ending(STOPPED_BY_OTHERS)
    return Ending(_failure(egress), by_us=stopped_by_us)


def wait_us(failures: int) -> int:
    """How long to wait after so many failures in a row: not at all after none, then a second, doubled each time."""
    return min(500_000 << min(failures, 10), _LONGEST_WAIT_US) if failures else 0


def _without_egress(at: Situation) -> Decision:
    if not at.wanted:
        return Decision(Do.LET_GO, STOPPED_BY_US)
    if at.egress is None and at.begun_us and at.now_us - at.begun_us < UNKNOWN_US and not at.ended_us:
        return Decision(Do.WAIT)  # LiveKit has only just been asked for it
    if at.egress is not None and at.egress.status == "complete" and at.stopping_us is None:
        end = ending(at.egress, stopped_by_us=False)
        if not end.share_over:
            return Decision(Do.END, end.why)
    if at.track_sid is None:
        return Decision(Do.WAIT)
    if at.now_us < at.ended_us + wait_us(at.failures):
        return Decision(Do.WAIT)
    return Decision(Do.START, FORGOTTEN if at.egress is None and at.begun_us else "")


def _while_stopping(at: Situation, stopping_us: int) -> Decision:
    if at.now_us - stopping_us < STOPPING_US and at.track_sid is None:
        return Decision(Do.WAIT)
    if at.wanted and at.track_sid is not None:
        return Decision(Do.START)  # its last file comes meanwhile, and is taken before those of the next one
    return Decision(Do.LET_GO, NO_FILES) if at.now_us - stopping_us >= STOPPING_US else Decision(Do.WAIT)


def _writes_nothing(at: Situation) -> bool:
    if at.heard_us is None:
        return at.now_us - at.begun_us > STARTING_US
    return at.now_us - at.heard_us > _MISSED_FILES * at.segment_us + _SLACK_US


def _failure(egress: EgressFacts) -> str:
    if egress.status == "limit-reached":
        return LIMIT_REACHED
    if egress.status == "aborted":
        return NEVER_STARTED
    if "no space left" in egress.error:
        return DISK_FULL
    if egress.error_code == _NOT_FOUND:
        return NO_TRACK
    return CRASHED if egress.error == "internal error" else FAILED
