"""What one file of Egress holds, put on the wall clock: pictures in decoding order, sound, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low
from typing import TYPE_CHECKING

from lookback.errors import MalformedError
from lookback.media.aac import AacConfig, adts_frames
from lookback.media.h264 import nal_units, parameter_sets, parse_sps
from lookback.recorder.egress.pipe import Kind, TsSample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lookback.recorder.egress.clock import EgressClock
    from lookback.recorder.egress.playlist import Entry

SHORTEST_SILENCE_US = 500_000
_IDR = 5  # NAL unit type, H.264 table 7-1
_FIRST_INTERVAL_US = 33_333
_LONGEST_HELD_US = 60_000_000
_LONGEST_US = 180_000_000  # from a file's first picture; what is further away is a broken time
_FUTURE_US = 5_000_000
_TORN_US = 1_000_000
_STILL_SHARE = 0.95
_STILL_BITS = 0.75  # per macroblock: measured 0.13 to 0.55 where nothing changes, 8 and more where something does
_MACROBLOCK = 256


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame in decoding order; `slot_us` and `cts_us` as `dts_us` and `cts_us` of PendingSample."""

    slot_us: int
    cts_us: int
    data: bytes
    key: bool
    damaged: bool


@dataclass(frozen=True, slots=True)
class Packet:
    """An AAC frame without its header."""

    at_us: int
    data: bytes


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One file. It covers `[start_us, until_us)`, its sound may reach further.

    `goes_on`: its time follows that of the file before without a step. `whole`: nothing is missing at its end.
    `still`: hardly anything changes in its pictures.
    """

    pictures: tuple[Picture, ...]
    packets: tuple[Packet, ...]
    until_us: int
    config: AacConfig | None
    goes_on: bool
    whole: bool
    still: bool

    @property
    def start_us(self) -> int:
        """When its first picture appears."""
        return self.pictures[0].slot_us


def arranged(samples: Sequence[TsSample], entry: Entry, clock: EgressClock, *, whole: bool, now_us: int) -> MediaFile:
    """Put samples on the clock. Raises MalformedError when no picture can be decoded.

    Of a file that is not whole the last frame is left out: nobody knows how much of it is there.
    """
    video = [sample for sample in samples if sample.kind is Kind.VIDEO]
    kept = video if whole else video[:-1]
    begin = next((at for at, sample in enumerate(kept) if _is_idr(sample)), None)
    if begin is None:
        raise MalformedError("The file has no picture that can be decoded")
    goes_on = clock.begin(kept[begin].pts, _possible(entry, now_us), now_us - entry.duration_us)
    first_us = clock.utc_us(kept[begin].pts)
    pictures = tuple(_pictures([s for s in kept[begin:] if 0 <= clock.utc_us(s.pts) - first_us < _LONGEST_US], clock))
    config, packets = _sound([s for s in samples if abs(clock.utc_us(s.pts) - first_us) < _LONGEST_US], clock)
    if whole and _is_torn(pictures, packets, entry.duration_us):
        pictures, whole = pictures[:-1] or pictures, False
    until_us = _until(pictures, entry.duration_us if whole else 0)
    return MediaFile(pictures, packets, until_us, config, goes_on, whole, _is_still(pictures))


def silences(packets: Sequence[Packet], packet_us: int, start_us: int, until_us: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches of `[start_us, until_us)` for which there is no sound, as far as they are worth a word."""
    edges = [start_us, *(at for p in packets for at in (p.at_us, p.at_us + packet_us)), until_us]
    for ends_us, begins_us in zip(edges[::2], edges[1::2], strict=True):
        begin_us, end_us = max(ends_us, start_us), min(begins_us, until_us)
        if end_us - begin_us >= SHORTEST_SILENCE_US:
            yield begin_us, end_us


def _possible(entry: Entry, now_us: int) -> int | None:
    """A file's date, unless it lies in the future: then the clock of Egress's machine is wrong."""
    start_us = entry.start_us
    return start_us if start_us is not None and start_us + entry.duration_us <= now_us + _FUTURE_US else None


def _is_idr(sample: TsSample) -> bool:
    try:
        return any(nal[0] & 31 == _IDR for nal in nal_units(sample.data))
    except MalformedError:
        return False


def _pictures(video: Sequence[TsSample], clock: EgressClock) -> Iterator[Picture]:
    shown = [clock.utc_us(sample.pts) for sample in video]
    damaged = False
    for slot_us, shown_us, sample in zip(sorted(shown), shown, video, strict=True):
        key = _is_idr(sample)
        damaged = sample.damaged or (damaged and not key)
        yield Picture(slot_us, shown_us - slot_us, sample.data, key and not damaged, damaged)


def _sound(samples: Sequence[TsSample], clock: EgressClock) -> tuple[AacConfig | None, tuple[Packet, ...]]:
    """The AAC frames of one configuration, the first; what cannot be read is let go."""
    config: AacConfig | None = None
    packets: list[Packet] = []
    for sample in samples:
        if sample.kind is not Kind.AUDIO or sample.damaged:
            continue
        at_us = clock.utc_us(sample.pts)
        try:
            for number, frame in enumerate(adts_frames(sample.data)):
                config = config or frame.config
                if frame.config == config:
                    packets.append(Packet(at_us + config.frame_end_us(number), frame.data))
        except MalformedError:
            continue
    packets.sort(key=lambda packet: packet.at_us)
    return config, tuple(packets)


def _is_torn(pictures: Sequence[Picture], packets: Sequence[Packet], duration_us: int) -> bool:
    """Whether pictures and sound both end before the file does. Where only pictures do, they stand still."""
    if not packets:
        return False
    last_us = max(pictures[-1].slot_us, packets[-1].at_us)
    return pictures[0].slot_us + duration_us - last_us > _TORN_US


def _until(pictures: Sequence[Picture], duration_us: int) -> int:
    """Until when the last picture is shown: as long as the playlist says, for another frame at least."""
    slots = [picture.slot_us for picture in pictures]
    interval_us = median_low([after - before for before, after in pairwise(slots)] or [_FIRST_INTERVAL_US])
    ends_us = slots[-1] + max(interval_us, 1_000)
    said_us = slots[0] + duration_us
    return min(said_us, ends_us + _LONGEST_HELD_US) if said_us > slots[-1] + interval_us // 2 else ends_us


def _is_still(pictures: Sequence[Picture]) -> bool:
    changes = [picture for picture in pictures if not picture.key]
    try:
        sps, _ = parameter_sets(pictures[0].data)
        size = parse_sps(sps or b"")
    except MalformedError:
        return False
    most_bytes = size.width * size.height / _MACROBLOCK * _STILL_BITS / 8
    return len(changes) > 0 and sum(len(p.data) <= most_bytes for p in changes) >= _STILL_SHARE * len(changes)
