"""A session's story, for whoever asks why it was not recorded, has holes, or ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.sessions.model import Session, SessionState
from lookback.sessions.next_steps import next_step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lookback.media.gaps import Gap

ASKED = "Its user asked for it"
ASKED_FOR_THEM = "Somebody who manages the replay buffers here asked for it"
BY_ITSELF = "It began by itself, as its community and its user have agreed"

# The kind of what stands where events are kept no more.
LEFT_OUT = "left-out"

_GAPS = {
    "reconnect": "the publisher was away",
    "loss": "packets stayed lost on the way here",
    "storage": "the disk refused",
    "damaged": "a segment cannot be read",
    "egress": "LiveKit Egress wrote nothing that can be read",
}
_TRACKS = {"video": "No picture", "audio": "No sound", "all": "Nothing"}


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """Something that happened to a session. `kind`: the state it came into, or what its recorder told of it.

    `number` counts a session's events from 1; it is given when the event is kept.
    """

    at_us: int
    kind: str
    sentence: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to a session, in order. `left_out`: so many events from its middle are kept no more.

    `next_step`: what somebody can do about it, where there is something. `gaps_known`: the buffer could be read.
    `clips`: how many were saved of it and are not deleted.
    """

    session: Session
    events: tuple[SessionEvent, ...]
    left_out: int = 0
    next_step: str | None = None
    gaps_known: bool = True
    clips: int = 0


def story(session: Session, kept: Sequence[SessionEvent], gaps: Iterable[Gap] | None, clips: int = 0) -> Story:
    """Tell it from the events that were kept, and from the gaps of what is still buffered: None if it is unreadable."""
    left_out = kept[-1].number - len(kept) if kept else 0
    told = [*_told(session, kept), *map(_of_gap, gaps or ())]
    told.sort(key=lambda event: event.at_us)
    return Story(session, tuple(told), left_out, next_step(_cause(session, kept)), gaps is not None, clips)


def human_time(us: int) -> str:
    """A duration as people say it."""
    seconds = us / 1e6
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def _cause(session: Session, kept: Sequence[SessionEvent]) -> str:
    """Why it is as it is; of one whose window has passed, why it had ended before."""
    if session.state is SessionState.EXPIRED:
        return next((event.sentence for event in reversed(kept) if event.kind != SessionState.EXPIRED), "")
    return session.reason or ""


def _told(session: Session, kept: Sequence[SessionEvent]) -> Iterator[SessionEvent]:
    if not kept or kept[0].kind != SessionState.STARTING:
        # It is older than what is kept of it, or was found on disk.
        yield SessionEvent(session.started_at_us, SessionState.STARTING.value, "It was asked for")
    if not kept:
        yield SessionEvent(session.since_us, session.state.value, session.reason or "It is being recorded")
    number, at_us = 0, session.started_at_us
    waiting_us: int | None = session.started_at_us
    for event in kept:
        if (missing := event.number - number - 1) > 0:
            yield SessionEvent(at_us, LEFT_OUT, f"{missing} events after this are kept no more")
            waiting_us = None  # how long for is not known any more
        number, at_us = event.number, event.at_us
        if event.kind == SessionState.RECORDING and waiting_us is not None:
            took = human_time(max(0, event.at_us - waiting_us))
            yield SessionEvent(event.at_us, event.kind, f"{event.sentence}, after {took}", event.number)
            waiting_us = None
        else:
            yield event
            waiting_us = event.at_us if event.kind == SessionState.INTERRUPTED else waiting_us


def _of_gap(gap: Gap) -> SessionEvent:
    why = _GAPS.get(gap.cause, gap.cause)
    lasted = human_time(gap.end_us - gap.start_us)
    return SessionEvent(gap.start_us, "gap", f"{_TRACKS[gap.track]} for {lasted}: {why}")
