"""What must hold of a home whatever happened to it, once it was checked and repaired: the invariants of the design."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

from lookback.bootstrap.checking import Wish, check
from lookback.bootstrap.parts import buffer_layout
from lookback.buffer.layout import BufferLayout, parse_segment_name
from lookback.buffer.reader import list_segments, read_segments
from lookback.buffer.session_file import read_session
from lookback.clips.store import ClipStore
from lookback.db.clips import SqlClipRepository
from lookback.db.engine import connect
from lookback.media.index import first_broken_commit
from lookback.recorder.session_directory import locked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from lookback.bootstrap.checking import Report
    from lookback.settings import Settings


async def repaired(settings: Settings, told: Path) -> tuple[list[str], list[str]]:
    """Check and repair as the command does, and empty the buffer.

    Return the kinds of what was mended, and in sentences what does not hold then.
    """
    done = await check(settings, Wish(repair=True, deep=True))
    again = await check(settings, Wish(deep=True))
    wrong = [*_left("repair", done), *_left("a second check", again)]
    layout, facts = buffer_layout(settings), _facts(told)
    for directory in layout.session_dirs():
        wrong += _wrong_with(layout, directory, facts["recorded"].get(directory.name, ""))
    for directory in layout.session_dirs():
        for path in directory.glob("segment-*"):
            path.unlink()  # clips must not need the buffer
    wrong += [sentence async for sentence in _clips(settings, facts["saved"])]
    return [finding.kind for finding in done.mended], wrong


def _left(when: str, report: Report) -> list[str]:
    return [f"{when} leaves {finding.sentence}" for finding in report.left]


def _wrong_with(layout: BufferLayout, directory: Path, newest: str) -> Iterator[str]:
    """Invariants 1, 2, 4, 5 and 6 for one session; `newest`: the number of the newest segment, if it was recorded."""
    lock = locked(directory)  # nobody writes it; raises where somebody does
    record = read_session(directory)
    if layout.session_dir(record.room_name, record.user_id, record.session_id) != directory:
        yield f"{directory} is not where its ids say"
    segments = read_segments(directory)
    numbers = [segment.number for segment in segments]
    listed = [number for number, _ in list_segments(directory)]
    if numbers != listed:
        yield f"{directory.name}: of segments {listed} only {numbers} can be read"
    if numbers and numbers != list(range(numbers[0], numbers[-1] + 1)):
        yield f"{directory.name}: there is a hole in {numbers}"
    if newest and numbers and numbers[-1] != int(newest):
        yield f"{directory.name}: of {newest} segments the newest is gone, and {numbers} are left"
    for segment in segments:
        media = segment.media_path.read_bytes()
        if (len(media), segment.index_path.stat().st_size) != (segment.index.media_bytes, segment.index.good_bytes):
            yield f"{segment.media_path.name} of {directory.name} does not end at a commit"
        if first_broken_commit(segment.index, media) is not None:
            yield f"{segment.media_path.name} of {directory.name} has bytes that were not written"
    strangers = [p.name for p in directory.iterdir() if p.name != "session.json" and not _is_known(p.name)]
    if strangers:
        yield f"{directory.name} has {strangers}"
    os.close(lock)


def _is_known(name: str) -> bool:
    return parse_segment_name(name.removesuffix(".damaged")) is not None


def _facts(told: Path) -> dict[str, dict[str, str]]:
    """What people were told, by what it is about; of clips only those that nobody has deleted since."""
    facts: dict[str, dict[str, str]] = {"saved": {}, "recorded": {}, "deleting": {}}
    for line in told.read_text().splitlines():
        what, name, fact = json.loads(line)
        facts[what].setdefault(name, fact)
    facts["saved"] = {name: fact for name, fact in facts["saved"].items() if name not in facts["deleting"]}
    return facts


async def _clips(settings: Settings, promised: dict[str, str]) -> AsyncIterator[str]:
    """Invariants 3 and 6, and the promise of a capture."""
    engine = connect(settings.database)
    try:
        rows = {clip.clip_id: clip for clip in await SqlClipRepository(engine).all_clips()}
    finally:
        await engine.dispose()
    store = ClipStore(settings.storage_path, buffer_layout(settings))
    for clip_id in promised.keys() - rows.keys():
        yield f"clip {clip_id} was saved and has no row"
    for clip_id, clip in rows.items():
        if clip.deleted_at_us is not None:
            continue
        with store.open(clip) as opened:
            content = opened.read_at(0, opened.size)
        if len(content) != clip.size_bytes:
            yield f"clip {clip_id} has {len(content)} of {clip.size_bytes} bytes"
        if hashlib.sha256(content).hexdigest() != promised.get(clip_id, hashlib.sha256(content).hexdigest()):
            yield f"clip {clip_id} plays other bytes than when it was saved"
        if store.read(store.directory(clip)).clip != clip:
            yield f"clip {clip_id}: a lost row would not come back as it is"
