"""When following an egress is over, and what there is to say of a file: facts in, decisions out."""

from __future__ import annotations

import re
from dataclasses import dataclass

ENDED = "LiveKit Egress has ended"
LEFT_OPEN = "LiveKit Egress ended without finishing its playlist"
SILENT = "LiveKit Egress has written nothing for {seconds:.0f} s"
NO_SOUND = "LiveKit Egress delivers no sound: its machine is short of CPU, or the sharer's sound is lost"
STARVED = "LiveKit Egress is short of CPU: its picture stands still and its sound is missing"
UNREADABLE = "A file of LiveKit Egress is gone or cannot be read"

FLUSH_US = 15_000_000
"""What an egress that was told to stop may take to write its last file: measured 4.2 to 6.7 s."""

MISSING_FILE_US = 2_000_000
"""A file that the playlist names may be seen a little later than the playlist, on a network file system."""

_FIRST_FILE_US = 60_000_000  # joining the room takes it a few seconds, and up to 30 s when it cannot find the track
_SLACK_US = 15_000_000  # starved, a file came 13.4 s late
_MISSED_FILES = 3
_NO_SOUND_SHARE = 0.5
_NUMBER = re.compile(r"(.*?)(\d+)(\.[A-Za-z0-9]+)")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far following an egress has come. Instants are UTC microseconds.

    `heard_us`: when the newest file came, or following began. `finishing_us`: since when the egress is being stopped,
    None while it is not. `ended`: its playlist says so, and all its files were taken.
    """

    heard_us: int
    any_file: bool = False
    finishing_us: int | None = None
    ended: bool = False


def over(progress: Progress, segment_us: int, now_us: int) -> str | None:
    """Why following has to end now, or None: LiveKit says of an egress whose service was killed that it is active."""
    if progress.ended:
        return ENDED
    if progress.finishing_us is not None and now_us - max(progress.finishing_us, progress.heard_us) > FLUSH_US:
        return LEFT_OPEN
    patience_us = _MISSED_FILES * segment_us + _SLACK_US if progress.any_file else _FIRST_FILE_US
    silent_us = now_us - progress.heard_us
    return SILENT.format(seconds=silent_us / 1e6) if silent_us > patience_us else None


def trouble(*, audio: bool, still: bool, silent_us: int, length_us: int) -> str | None:
    """What is wrong with a file that can be read; None when nothing is.

    A picture that stands still is none: most screens do. Together with sound that is missing it is what Egress writes
    when its machine is overloaded.
    """
    if not audio or silent_us < _NO_SOUND_SHARE * length_us:
        return None
    return STARVED if still else NO_SOUND


def following_name(name: str) -> str | None:
    """The name of the file after this one; None when it is not numbered."""
    match = _NUMBER.fullmatch(name)
    return f"{match[1]}{int(match[2]) + 1:0{len(match[2])}d}{match[3]}" if match else None
