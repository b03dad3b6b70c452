"""The last move of every session, for an API that was not there when it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lookback.recorder.control import Event

_OVER = frozenset({"stopped", "failed"})
_BESIDE = frozenset({"storage-failing", "storage-recovered", "degraded", "restored"})
_MOST_OVER = 256


class LastMoves:
    """Moves of state, oldest first. Faults come and go beside them and are not kept here."""

    def __init__(self) -> None:
        self._moves: dict[str, Event] = {}

    def __iter__(self) -> Iterator[Event]:
        return iter(tuple(self._moves.values()))

    def add(self, move: Event) -> None:
        """Remember; of sessions that are over, the oldest are forgotten beyond a few hundred."""
        if move.to in _BESIDE:
            return
        self._moves.pop(move.session_id, None)
        self._moves[move.session_id] = move
        over = [session_id for session_id, kept in self._moves.items() if kept.to in _OVER]
        for session_id in over[:-_MOST_OVER]:
            del self._moves[session_id]
