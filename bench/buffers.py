"""Fill a session's buffer with real segments, faster than real time: one encoded stretch written again and again."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.content import AUDIO_PACKET_US, SHAPE, content, length_prefixed
from lookback.buffer.layout import BufferLayout
from lookback.buffer.session_file import SessionRecord, write_session
from lookback.buffer.writer import RunWriter
from lookback.media.segment import Fmp4Format
from lookback.media.sound import OPUS

if TYPE_CHECKING:
    from pathlib import Path

_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class FilledSession:
    """A session that has recorded `[start_us, end_us)` and then stopped."""

    record: SessionRecord
    directory: Path
    start_us: int
    end_us: int


def fill_buffer(root: Path, *, user_id: str, minutes: int = 10, room_name: str = "bench") -> FilledSession:
    """Record `minutes` of the test content that end now, in segments of 10 s, through the recorder's own writer.

    Everything is on disk when this returns, so that later measurements of fsync pay for their own bytes only.
    """
    end_us = time.time_ns() // 1000
    start_us = end_us - minutes * 60 * _SECOND_US
    record = SessionRecord(
        session_id=secrets.token_hex(8),
        room_name=room_name,
        user_id=user_id,
        source="whip",
        started_at_us=start_us,
        ended_at_us=end_us,
        cause="the benchmark has recorded enough",
    )
    directory = BufferLayout(root).session_dir(room_name, user_id, record.session_id)
    directory.mkdir(parents=True)
    write_session(directory, record)
    _record(directory, start_us, end_us)
    os.sync()
    return FilledSession(record, directory, start_us, end_us)


def _record(directory: Path, start_us: int, end_us: int) -> None:
    """Write the content in a loop; frames and packets in the order in which they would arrive."""
    clip = content()
    frames = [(key, length_prefixed(data)) for key, data in clip.video]
    writer = RunWriter(directory, format=Fmp4Format(), run_id=secrets.token_bytes(8), audio=OPUS, sync=_close)
    sound_us = packet = 0
    for number in range((end_us - start_us) * SHAPE.fps // _SECOND_US):
        at_us = number * _SECOND_US // SHAPE.fps
        key, data = frames[number % len(frames)]
        writer.video(start_us + at_us, data, key=key)
        while sound_us <= at_us:
            writer.audio(start_us + sound_us, clip.audio[packet % len(clip.audio)])
            sound_us, packet = sound_us + AUDIO_PACKET_US, packet + 1
    writer.close(end_us)


def _close(handles: list[int]) -> None:
    for handle in handles:
        os.close(handle)
