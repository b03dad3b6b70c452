"""A session's story, for whoever asks why it was not recorded, has holes, or ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.sessions.model import Session, SessionState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lookback.media.gaps import Gap

ASKED = "Its user asked for it"
ASKED_FOR_THEM = "Somebody who manages the replay buffers here asked for it"
BY_ITSELF = "It began by itself, as its community and its user have agreed"

_GAPS = {
    "reconnect": "the publisher was away",
    "loss": "packets stayed lost on the way here",
    "storage": "the disk refused",
    "damaged": "a segment cannot be read",
    "egress": "LiveKit Egress wrote nothing that can be read",
}
_TRACKS = {"video": "No picture", "audio": "No sound", "all": "Nothing"}
# By how a cause begins: what to do about it.
_NEXT_STEPS = (
    ("No picture came", "Let the publisher send key frames (FFmpeg: -g 60), and see that its UDP packets arrive here."),
    ("The publisher stopped sending", "Look at the publisher's network: packets stopped coming without a word."),
    ("LiveKit's media port cannot be reached", "Let this machine send UDP to the address that LiveKit advertises."),
    ("The LiveKit server", "See that LiveKit runs and that LIVEKIT_URL is its address; `lookback doctor` asks it."),
    ("LiveKit refuses", "Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to those of the server."),
    ("LiveKit Egress did not find", "Share the screen before the buffer is started."),
    ("LiveKit Egress is short of CPU", "Give LiveKit Egress more CPU, or record with the recorder direct."),
    ("LiveKit Egress", "Look at the log of LiveKit Egress, or record with the recorder direct."),
    ("The disk that LiveKit Egress", "Free space on the disk that LiveKit Egress writes to."),
    ("Nobody is sharing", "Share a screen first."),
    ("The screen share is end-to-end encrypted", "Share without end-to-end encryption: nobody else can record it."),
    ("The share is end-to-end encrypted", "Share without end-to-end encryption: nobody else can record it."),
    ("LiveKit cannot send the screen share in a codec", "Publish with the video codec H.264 or VP8."),
    ("Replay buffers are switched off", "Switch them on in the community's settings."),
    ("Its user has forbidden", "Nothing: they can allow it again on their own page."),
    ("The recorder has lost the session", "Look at the log for recorder.exited before this."),
    ("The recorder stopped unexpectedly", "Look at the log for recorder.exited; it has the reason."),
    ("Not enough disk space", "Free space, or keep less: `lookback sweep --dry-run` says what could go."),
)


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
    """What happened to a session, in order. `left_out`: so many of its first events are kept no more.

    `next_step`: what somebody can do about it, where there is something.
    """

    session: Session
    events: tuple[SessionEvent, ...]
    left_out: int = 0
    next_step: str | None = None


def story(session: Session, kept: Sequence[SessionEvent], gaps: Iterable[Gap]) -> Story:
    """Tell it from the events that were kept, and from the gaps of what is still buffered."""
    left_out = kept[0].number - 1 if kept else 0
    told = [*_told(session, kept), *map(_of_gap, gaps)]
    told.sort(key=lambda event: event.at_us)
    return Story(session, tuple(told), left_out, next_step(session.reason or ""))


def next_step(cause: str) -> str | None:
    """Say what to do about a cause, or None."""
    return next((step for beginning, step in _NEXT_STEPS if cause.startswith(beginning)), None)


def human_time(us: int) -> str:
    """A duration as people say it."""
    seconds = us / 1e6
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def _told(session: Session, kept: Sequence[SessionEvent]) -> Iterator[SessionEvent]:
    if not kept or kept[0].kind != SessionState.STARTING:
        # It is older than what is kept of it, or was found on disk.
        yield SessionEvent(session.started_at_us, SessionState.STARTING.value, "It was asked for")
    if not kept:
        yield SessionEvent(session.since_us, session.state.value, session.reason or "It is being recorded")
    waiting_us: int | None = session.started_at_us
    for event in kept:
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
