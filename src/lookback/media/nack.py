"""Which missing packets to ask for again, and when (RFC 4585 section 6.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lookback.media.reorder import Missing

_AFTER_US = 10_000  # most reordering has sorted itself out by then
_EVERY_US = 105_000  # LiveKit answers once per 100 ms and packet (measured)
# As often as fits before a packet is given up. With three tries, one lost packet in 150 stayed lost over a network that
# loses 10 % each way, or one or two a minute (measured); LiveKit answers three and ignores the others.
_TRIES = 9
_MOST_AT_ONCE = 250  # entries of 4 bytes: stays within one datagram; the rest follows with the next tick


def due(missing: Mapping[int, Missing], steady_us: int) -> list[int]:
    """Return the numbers to ask for now, in growing order, and note that they were asked for."""
    numbers: list[int] = []
    for number, packet in missing.items():
        if packet.tries >= _TRIES or steady_us - packet.since_us < _AFTER_US:
            continue
        if packet.tries and steady_us - packet.asked_us < _EVERY_US:
            continue
        packet.asked_us = steady_us
        packet.tries += 1
        numbers.append(number)
        if len(numbers) == _MOST_AT_ONCE:
            break
    return numbers
