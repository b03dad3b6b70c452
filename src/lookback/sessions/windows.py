"""How far back sessions can really be saved from, when that is less than was promised."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lookback.buffer.retention import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lookback.buffer.sweep import Outcome


@dataclass(slots=True)
class Windows:
    """Which sessions can be saved from less far back than was promised, and why; as the last sweeps left them.

    `shortest_us`: how far back the shortest of them reached then, None when none is shortened.
    """

    shortened: dict[str, Reason] = field(default_factory=dict)
    shortest_us: int | None = None

    def note(self, promised_us: Mapping[str, int], outcome: Outcome, now_us: int) -> None:
        """Remember what a sweep did. A window that has grown to what was promised is no longer short."""
        for session_id in [known for known in self.shortened if known not in promised_us]:
            del self.shortened[session_id]
        for session_id, window_us in promised_us.items():
            if now_us - outcome.oldest_us.get(session_id, now_us) >= window_us:
                self.shortened.pop(session_id, None)
        for doomed in outcome.doomed:
            if doomed.reason is not Reason.AGE and doomed.segment.end_us > now_us - promised_us[doomed.session_id]:
                self.shortened[doomed.session_id] = doomed.reason
        reach = (now_us - outcome.oldest_us.get(session_id, now_us) for session_id in self.shortened)
        self.shortest_us = min(reach, default=None)
