"""Whether the clocks of all machines involved agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.operations.doctor.findings import Finding, fine, wrong
from lookback.operations.doctor.remedies import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_RELEASED_US = 1_760_000_000_000_000  # October 2025: nobody had this program before
_AHEAD_US = 20 * 365 * 86_400_000_000
# HTTP dates have whole seconds; LiveKit's tokens and ours bear more, but clips of Egress would begin at wrong moments.
_APART_US = 3_000_000


def judge_clock(now_us: int, others_us: Mapping[str, int | None]) -> Iterator[Finding]:
    """What is said of this machine's clock. `others_us`: how far others are ahead of it, by what they are called."""
    if not _RELEASED_US <= now_us <= _RELEASED_US + _AHEAD_US:
        yield wrong(Problem.CLOCK_WRONG, "This machine's clock is years off")
        return
    apart = {name: ahead for name, ahead in others_us.items() if ahead is not None and abs(ahead) > _APART_US}
    for name, ahead_us in apart.items():
        where = "ahead of" if ahead_us > 0 else "behind"
        yield wrong(Problem.CLOCK_OTHERS, f"The clock of {name} is {abs(ahead_us) / 1e6:.0f} s {where} this machine's")
    if not apart:
        asked = [name for name, ahead in others_us.items() if ahead is not None]
        yield fine("clock", f"The clock agrees with {' and '.join(asked)}" if asked else "The clock is plausible")
