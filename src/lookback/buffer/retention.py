"""Which segments may go, and why. Pure: what there is, the limits and the time come in, what may go comes out.

Always the oldest first, over all sessions that share a limit: so nobody loses a minute that is younger than what
somebody else still keeps, and windows are shortened evenly.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Rule = Callable[[Sequence["_Piece"]], Iterator["_Piece"]]  # which of these pieces, newest first, are too much
    GroupOf = Callable[["Kept"], str | None]  # sessions of the same group share a limit; None has none


class Reason(StrEnum):
    """Why a segment goes: it is older than is kept, or the oldest where one of the sizes is used up."""

    AGE = "age"
    SESSION = "session"
    USER = "user"
    COMMUNITY = "community"
    INSTANCE = "instance"
    SPACE = "space"  # the disk has less left than shall stay free


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be kept beside what its age allows; None is any number of bytes.

    `least_us`: no window is made shorter than this to free space. `leased_bytes`: so much stays although a limit
    says otherwise because somebody looks at it, over all sessions, counting from the newest.
    """

    session_bytes: int | None = None
    user_bytes: int | None = None
    community_bytes: int | None = None
    instance_bytes: int | None = None
    least_us: int = 30_000_000
    leased_bytes: int = 1 << 30


class Stored(NamedTuple):
    """A segment as retention sees it: `[start_us, end_us)` of its samples.

    `open`: it is written. `leased`: somebody looks at it. `pinned`: a clip refers to its bytes, which are free only
    when the clip has a file of its own.
    """

    number: int
    start_us: int
    end_us: int
    size_bytes: int
    open: bool = False
    leased: bool = False
    pinned: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A session as retention sees it; its segments oldest first. What is older than `keep_us` goes."""

    session_id: str
    user_id: str
    community_id: str | None
    keep_us: int
    segments: Sequence[Stored]


class Doomed(NamedTuple):
    """A segment that may go."""

    session_id: str
    segment: Stored
    reason: Reason


class Plan(NamedTuple):
    """What may go, oldest first; `missing_bytes` of those that were needed cannot be freed."""

    doomed: tuple[Doomed, ...]
    missing_bytes: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    session: Kept
    segment: Stored

    @property
    def order(self) -> tuple[int, str, int]:
        return self.segment.end_us, self.session.session_id, self.segment.number

    @property
    def frees_bytes(self) -> int:
        return 0 if self.segment.pinned else self.segment.size_bytes


def plan(sessions: Iterable[Kept], limits: Limits, now_us: int, need_bytes: int = 0) -> Plan:
    """Return what may go: too old, or the oldest of what is too much, or of what must go to free `need_bytes`.

    The open segment and leased segments never go but do use up what may be kept.
    """
    pieces = sorted(
        (_Piece(session, segment) for session in sessions for segment in session.segments),
        key=lambda piece: piece.order,
        reverse=True,
    )
    leased = set(_leased(pieces, limits.leased_bytes))
    free = [piece for piece in pieces if not piece.segment.open and piece not in leased]
    reasons: dict[_Piece, Reason] = {}
    for reason, over in _rules(limits, now_us):
        too_much = set(over([piece for piece in pieces if piece not in reasons]))
        reasons |= {piece: reason for piece in free if piece in too_much}
    need_bytes -= sum(piece.frees_bytes for piece in reasons)
    for piece in reversed(free):
        if need_bytes <= 0 or piece.segment.end_us > now_us - limits.least_us:
            break
        if piece not in reasons:
            reasons[piece] = Reason.SPACE
            need_bytes -= piece.frees_bytes
    doomed = (Doomed(p.session.session_id, p.segment, reasons[p]) for p in reversed(free) if p in reasons)
    return Plan(tuple(doomed), max(0, need_bytes))


def _rules(limits: Limits, now_us: int) -> Iterator[tuple[Reason, Rule]]:
    """The limits in the order in which they are asked."""
    yield Reason.AGE, lambda pieces: (p for p in pieces if p.segment.end_us <= now_us - p.session.keep_us)
    sizes: tuple[tuple[Reason, int | None, GroupOf], ...] = (
        (Reason.SESSION, limits.session_bytes, lambda session: session.session_id),
        (Reason.USER, limits.user_bytes, lambda session: session.user_id),
        (Reason.COMMUNITY, limits.community_bytes, lambda session: session.community_id),
        (Reason.INSTANCE, limits.instance_bytes, lambda _session: "all"),
    )
    for reason, most_bytes, group in sizes:
        if most_bytes is not None:
            yield reason, _over(most_bytes, group)


def _over(most_bytes: int, group_of: GroupOf) -> Rule:
    def over(pieces: Sequence[_Piece]) -> Iterator[_Piece]:
        """Of pieces, newest first, those that do not fit any more."""
        used: dict[str, int] = defaultdict(int)
        for piece in pieces:
            group = group_of(piece.session)
            if group is not None:
                used[group] += piece.segment.size_bytes
                if used[group] > most_bytes:
                    yield piece

    return over


def _leased(pieces: Iterable[_Piece], most_bytes: int) -> Iterator[_Piece]:
    """The leases that hold."""
    used = 0
    for piece in pieces:
        if piece.segment.leased:
            used += piece.segment.size_bytes
            if used > most_bytes:
                return
            yield piece
