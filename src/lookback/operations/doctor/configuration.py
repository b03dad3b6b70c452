"""What is said of the settings before anything else is looked at."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from lookback.operations.doctor.findings import Finding, fine, wrong
from lookback.operations.doctor.remedies import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_OURS = ("LOOKBACK_", "REPLAY_", "LIVEKIT_", "DEFAULT_USER_REPLAY_", "DATABASE_")
_ALIKE = 0.9  # of the letters; further names of other programs begin alike


def judge_settings(mistakes: str | None, names: Iterable[str], known: Collection[str]) -> Iterator[Finding]:
    """What is said of the settings. `mistakes`: a sentence on each line; `names`: variables of the environment."""
    for sentence in (mistakes or "").splitlines():
        yield wrong(Problem.SETTINGS_WRONG, sentence.rstrip("."))
    misspelt = [(name, near) for name in sorted(names) if (near := _meant(name, known))]
    for name, near in misspelt:
        yield wrong(Problem.SETTINGS_UNKNOWN, f"{name} is no setting; {near} is")
    if not mistakes and not misspelt:
        yield fine("settings", "The settings can be read")


def _meant(name: str, known: Collection[str]) -> str | None:
    if name in known or not name.startswith(_OURS):
        return None
    return next(iter(get_close_matches(name, known, n=1, cutoff=_ALIKE)), None)
