"""Every closed segment gets a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.media import START_US
from tests.support.saved import barcode_of_picture

from lookback.buffer.reader import read_segments
from lookback.buffer.session_file import SessionRecord, write_session

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.clip_studio import Studio

CODECS = ["h264", "vp8"]


def session_file(studio: Studio, *, ended: bool) -> None:
    record = SessionRecord("s1", "demo", "alice", "whip", START_US, ended_at_us=START_US + 1 if ended else None)
    write_session(studio.session.directory, record)


def thumbnails(studio: Studio) -> list[Path]:
    return sorted(studio.session.directory.glob("*.webp"))


@pytest.mark.parametrize("codec", CODECS)
async def test_closed_segments_get_their_first_picture(studio: Studio, codec: str) -> None:
    session_file(studio, ended=True)
    studio.record(encoded_clip(ClipShape(codec=codec, width=640, height=360)), frames=150)  # type: ignore[arg-type]
    assert await studio.clips.thumbnailer.catch_up() == 3
    assert [p.name for p in thumbnails(studio)] == [f"segment-00000{n}.webp" for n in (1, 2, 3)]
    for path, number in zip(thumbnails(studio), (0, 60, 0), strict=True):
        picture = Image.open(path)
        assert (picture.format, picture.size) == ("WEBP", (320, 180))
        assert barcode_of_picture(picture) == number
    assert await studio.clips.thumbnailer.catch_up() == 0


async def test_the_segment_that_is_being_written_waits(studio: Studio) -> None:
    session_file(studio, ended=False)
    studio.record(frames=100, close=False)
    assert await studio.clips.thumbnailer.catch_up() == 1


async def test_a_segment_that_cannot_be_decoded_is_tried_once(studio: Studio) -> None:
    session_file(studio, ended=True)
    studio.record()
    first = read_segments(studio.session.directory)[0]
    size = first.media_path.stat().st_size
    first.media_path.write_bytes(bytes(size))
    assert await studio.clips.thumbnailer.catch_up() == 1
    assert await studio.clips.thumbnailer.catch_up() == 0
    assert [p.name for p in thumbnails(studio)] == ["segment-000002.webp"]


async def test_an_evicted_segment_leaves_no_picture(studio: Studio) -> None:
    session_file(studio, ended=True)
    studio.record()
    segments = read_segments(studio.session.directory)
    segments[0].index_path.unlink()
    assert await studio.clips.thumbnailer.catch_up() == 1
    assert not segments[0].thumbnail_path.exists()


async def test_a_disk_that_takes_nothing_for_a_while_costs_no_thumbnail(studio: Studio) -> None:
    session_file(studio, ended=True)
    studio.record()
    in_the_way = studio.session.directory / "thumbnail.new"
    in_the_way.mkdir()
    with pytest.raises(IsADirectoryError):
        await studio.clips.thumbnailer.catch_up()
    in_the_way.rmdir()
    assert await studio.clips.thumbnailer.catch_up() == 2
