"""When to ask a publisher for a key frame (RFC 4585 section 6.3.1), and when better not."""

from __future__ import annotations

from dataclasses import dataclass

_CADENCE_US = 2_000_000
_UNANSWERED_US = 250_000  # the first round of NACKs and its repetition have come to nothing
_FIRST_WAIT_US = 200_000  # a new stream opens with a key frame: let it arrive before asking for another
_SHORTEST_WAIT_US = 500_000  # servers forward no more than that
_LONGEST_WAIT_US = 2_000_000  # a static screen answers after up to 1 s; some publishers never do
_SILENT_US = 10_000_000  # muted or gone: nobody is there to answer
_PAUSED_US = 5_000_000


@dataclass(frozen=True, slots=True)
class StreamState:
    """What the rules look at. `missing_us`: age of the oldest missing packet; `silent_us`: of the newest packet."""

    lost: bool
    missing_us: int | None
    silent_us: int
    changed: bool  # frames came since the last key frame


class KeyFrameRequests:
    """The rules of one video stream. Times are steady microseconds.

    A lost reference asks at once and again until a key frame comes, at growing distances. Otherwise a key frame is
    asked for when the last one is 2 s old, nothing is missing and pictures still come. An SFU answers no NACK from a
    request until the key frame has passed (measured with LiveKit), so from there one is asked for only when nothing
    can be repaired any more.
    """

    __slots__ = ("_asked_us", "_key_us", "_not_before_us", "_sfu", "_wait_us", "_wished")

    def __init__(self, *, sfu: bool) -> None:
        self._sfu = sfu
        self._wished = False
        self._key_us: int | None = None
        self._asked_us: int | None = None
        self._not_before_us = 0
        self._wait_us = _SHORTEST_WAIT_US

    def wish(self) -> None:
        """Ask for a key frame as soon as the rules allow one."""
        self._wished = True

    def stream_started(self, steady_us: int) -> None:
        """Note the first packet of a stream."""
        self._not_before_us = steady_us + _FIRST_WAIT_US

    def key_frame_came(self, steady_us: int) -> None:
        """Note a whole key frame."""
        self._key_us = steady_us
        self._wished = False
        self._wait_us = _SHORTEST_WAIT_US

    def due(self, state: StreamState, steady_us: int) -> bool:
        """Tell whether to ask now; true counts as asked."""
        if not (self._urgent(state, steady_us) or self._stale(state, steady_us)) or not self._allowed(steady_us):
            return False
        self._asked_us = steady_us
        self._not_before_us = steady_us + self._wait_us
        self._wait_us = min(2 * self._wait_us, _LONGEST_WAIT_US)
        return True

    def _allowed(self, steady_us: int) -> bool:
        return steady_us >= self._not_before_us

    def _urgent(self, state: StreamState, steady_us: int) -> bool:
        if state.silent_us > _SILENT_US:
            return False
        if state.lost or state.missing_us is None:
            return state.lost or self._wished
        # Once per hole: the key frame that answers waits behind it and only shows when the hole is given up.
        asked = self._asked_us is not None and self._asked_us >= steady_us - state.missing_us
        return not self._sfu and state.missing_us >= _UNANSWERED_US and not asked

    def _stale(self, state: StreamState, steady_us: int) -> bool:
        if self._key_us is None or state.missing_us is not None:
            return False
        if not state.changed or state.silent_us > _PAUSED_US:
            return False
        asked_us = self._key_us if self._asked_us is None else max(self._asked_us, self._key_us)
        return steady_us - asked_us >= _CADENCE_US
