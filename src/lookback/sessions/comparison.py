"""Compare LiveKit's rooms with our sessions, and say what must be done so that they agree.

Webhooks get lost, workers are killed, networks part: this is what brings both sides together again. Three rules keep it
from doing harm:

1. A share is given up only after it has been missing for the whole grace window, each time that was looked at, and no
   packet of it has come meanwhile. A look that failed counts for nothing, so a long share is never ended by a fault.
2. Rooms are read before sessions: a session that begins in between is known when its recorder is judged.
3. Whatever follows is safe to do twice and by two processes at once: sessions move by compare-and-set, a user has one
   active session by the database's own index, and removing a participant who is gone is no error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lookback.sessions.model import Session, SessionState
from lookback.sessions.rooms import user_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from lookback.sessions.rooms import ParticipantFacts, RoomFacts

IN_ROOMS = frozenset({"livekit", "egress"})
"""The sources whose publisher is a participant of a LiveKit room."""


@dataclass(frozen=True, slots=True)
class Known:
    """What we know about the same rooms at `now_us`.

    `sessions`: the active ones in them, from LiveKit. `stopped`: those that a person has ended a moment ago.
    `busy`: users who have an active session anywhere. `declined`: ids of tracks whose buffer a person has ended, or
    that could not be recorded. `heard_us`: when the last packet of a session came. `missing_us`: since when a session's
    share has been missing, as `compare` returned it the last time.
    """

    now_us: int
    sessions: Sequence[Session] = ()
    stopped: Sequence[Session] = ()
    busy: Collection[str] = ()
    declined: Collection[str] = ()
    heard_us: Mapping[str, int] = field(default_factory=dict)
    missing_us: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    """The session's share has been gone since then."""

    session: Session
    ended_at_us: int


@dataclass(frozen=True, slots=True)
class Follow:
    """The session's share is another track now."""

    session: Session
    track_sid: str


@dataclass(frozen=True, slots=True)
class Remove:
    """A recorder of ours that records nothing."""

    room_name: str
    identity: str


@dataclass(frozen=True, slots=True)
class Consider:
    """A share that nobody keeps: perhaps it is to be kept by itself."""

    room_name: str
    participant: ParticipantFacts


Action = End | Follow | Remove | Consider


@dataclass(frozen=True, slots=True)
class Compared:
    """What to do, in this order, and `missing_us` for the next time."""

    actions: tuple[Action, ...]
    missing_us: Mapping[str, int]


def compare(rooms: Sequence[RoomFacts], known: Known, *, recorder: str, grace_us: int) -> Compared:
    """Compare rooms with all that is known about them. `recorder`: identity of our recorders in rooms."""
    by_name = {room.name: room for room in rooms}
    missing = dict(_missing(by_name, known))
    ends = [
        End(session, missing[session.session_id])
        for session in known.sessions
        if known.now_us - missing.get(session.session_id, known.now_us) >= grace_us
    ]
    follows = list(_follows(by_name, known))
    # Who has just stopped a buffer does not want the next one: also when the share had become another track unseen.
    declined = {*known.declined, *(follow.track_sid for follow in follows if follow.session in known.stopped)}
    actions: tuple[Action, ...] = (*ends, *follows, *_orphans(rooms, known, recorder), *_unkept(rooms, known, declined))
    return Compared(actions, missing)


def _missing(rooms: Mapping[str, RoomFacts], known: Known) -> Iterator[tuple[str, int]]:
    """Sessions that record, as we believe, what LiveKit does not have. Interrupted ones have a clock of their own."""
    for session in known.sessions:
        if session.state is SessionState.RECORDING and _screen_sid(rooms, session) is None:
            since_us = known.missing_us.get(session.session_id, known.now_us)
            yield session.session_id, max(since_us, known.heard_us.get(session.session_id, since_us))


def _follows(rooms: Mapping[str, RoomFacts], known: Known) -> Iterator[Follow]:
    for session in (*known.sessions, *known.stopped):
        track_sid = _screen_sid(rooms, session)
        if track_sid is not None and track_sid != session.track_sid:
            yield Follow(session, track_sid)


def _orphans(rooms: Sequence[RoomFacts], known: Known, recorder: str) -> Iterator[Remove]:
    kept = {session.room_name for session in known.sessions}
    for room in rooms:
        if room.name not in kept and room.participant(recorder) is not None:
            yield Remove(room.name, recorder)


def _unkept(rooms: Sequence[RoomFacts], known: Known, declined: Collection[str]) -> Iterator[Consider]:
    for room in rooms:
        for participant in room.sharers():
            screen = participant.screen
            if screen is None or screen.encrypted or screen.sid in declined or participant.hidden:
                continue
            if user_of(participant) not in known.busy:
                yield Consider(room.name, participant)


def _screen_sid(rooms: Mapping[str, RoomFacts], session: Session) -> str | None:
    room = rooms.get(session.room_name)
    participant = room.participant(session.participant_identity or session.user_id) if room is not None else None
    return participant.screen.sid if participant is not None and participant.screen is not None else None
