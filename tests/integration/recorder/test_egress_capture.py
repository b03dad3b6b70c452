"""From the files of LiveKit Egress to a clip, through a real recorder: what a user of Egress mode gets."""

from __future__ import annotations

import base64
import os
import shutil
import signal
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.chromium import chromium
from tests.support.clip_studio import Studio, a_studio
from tests.support.egress_files import KILLED, KILLED_TMP, clip_shots, dated, shots
from tests.support.egress_writer import moved, steps, writing
from tests.support.sessions import a_session
from tests.support.supervised import Supervised, now_us, supervised
from tests.support.waiting import eventually

from lookback.buffer.reader import read_segments, summary
from lookback.buffer.session_file import read_session
from lookback.errors import GapsError
from lookback.recorder.control import FollowEgress, StopSession
from lookback.recorder.egress import rules

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECOND = 1_000_000
NAMES = ["seg_00000.ts", "seg_00001.ts"]
FILES = [KILLED / name for name in NAMES]
MOVED_US = (now_us() - 60_000_000 - dated(KILLED, NAMES[0])) // 1000 * 1000  # as if it were happening now
BEGINS_US = dated(KILLED, NAMES[0]) + MOVED_US
SESSION = a_session("egress-1", source="egress")
with_chromium = pytest.mark.skipif(
    not Path(os.environ.get("LOOKBACK_CHROMIUM", "")).is_file(), reason="LOOKBACK_CHROMIUM names no browser"
)

_APPEND = (Path(__file__).parents[2] / "support" / "media_source.js").read_text()
_NUMBER = (Path(__file__).parents[2] / "support" / "egress_number.js").read_text()
_LOOK = """async ([data, times, numberOf]) => {
  const video = document.createElement("video");
  video.muted = true;
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
  const happens = (name) => new Promise((resolve) => {
    video.addEventListener(name, resolve, { once: true });
    video.addEventListener("error", resolve, { once: true });
  });
  await happens("canplaythrough");
  const number = eval(numberOf);
  const numbers = [];
  for (const time of video.error ? [] : times) {
    const drawn = new Promise((resolve) => {
      video.requestVideoFrameCallback(resolve);
      setTimeout(resolve, 1000);
    });
    if (time > 0) {
      const sought = happens("seeked");
      video.currentTime = time;
      await sought;
    }
    await drawn;
    numbers.push(number(video));
  }
  return { duration: video.duration, numbers, error: video.error && video.error.message };
}"""


@asynccontextmanager
async def following(tmp_path: Path, *, ended: bool = True, **more: Any) -> AsyncIterator[Supervised]:
    """A recorder that follows an egress which writes."""
    async with (
        supervised(tmp_path) as api,
        writing(steps(KILLED, NAMES, tmp_path / "out", ended=ended, by_us=MOVED_US)),
    ):
        await eventually(lambda: api.supervisor.connected, what="the recorder")
        await api.supervisor.request(FollowEgress(session=SESSION, directory=str(tmp_path / "out"), **more))
        yield api


def studio_of(api: Supervised, tmp_path: Path) -> Studio:
    """Clips from what the recorder has written."""
    studio = a_studio(api.config.buffer_path, tmp_path / "clips")
    studio.sessions.sessions[-1] = replace(studio.session, directory=api.directory(SESSION))
    studio.clock.now_us = BEGINS_US + 25 * SECOND
    return studio


def until_us(api: Supervised) -> int:
    return summary(api.directory(SESSION)).until_us or 0


async def test_a_capture_of_an_exact_range_is_what_egress_wrote(tmp_path: Path) -> None:
    async with following(tmp_path) as api:
        moved = await api.sees(SESSION, "recording", "interrupted")
        assert (moved.cause, api.moves[0].audio_codec, api.moves[0].video_codec) == (rules.ENDED, "aac", "h264")
        studio = studio_of(api, tmp_path)
        start_us, end_us = BEGINS_US + 7_654_321, BEGINS_US + 12_345_678
        clip = await studio.capture(start_us=start_us, end_us=end_us)
        assert (clip.delivered.start_us, clip.delivered.end_us) == (start_us, end_us)
        assert (clip.audio_codec, clip.video_codec) == ("aac", "h264")
        seen = [shot for shot in shots(FILES, BEGINS_US) if shot.at < end_us]
        first = max(at for at, shot in enumerate(seen) if shot.at <= start_us)
        shown = clip_shots(studio.content(clip))
        assert [shot.look for shot in shown] == [shot.look for shot in seen[first:]]
        wanted = [max(0, shot.at - start_us) / SECOND for shot in seen[first:]]
        assert [shot.at for shot in shown] == pytest.approx(wanted, abs=0.000_02)


async def test_what_has_arrived_can_be_saved_while_more_is_on_its_way(tmp_path: Path) -> None:
    async with following(tmp_path, ended=False) as api:
        await eventually(lambda: until_us(api) >= BEGINS_US + 10 * SECOND, what="the first file in the buffer")
        studio = studio_of(api, tmp_path)
        studio.still_recording()
        clip = await studio.capture(start_us=BEGINS_US + 9 * SECOND, end_us=BEGINS_US + 10 * SECOND)
        assert clip.delivered.duration_us == SECOND
        assert len(clip_shots(studio.content(clip))) == 30


async def test_a_stop_waits_for_the_last_file(tmp_path: Path) -> None:
    async with following(tmp_path) as api:
        await api.sees(SESSION, "recording")
        await api.supervisor.request(StopSession(session_id=SESSION.session_id, cause="Stopped by its user"))
        await api.sees(SESSION, "recording", "interrupted", "stopped")
        assert until_us(api) == pytest.approx(BEGINS_US + 20 * SECOND, abs=25_000)
        record = read_session(api.directory(SESSION))
        assert (record.source, record.cause) == ("egress", "Stopped by its user")


async def test_a_killed_recorder_goes_on_with_the_files_it_had_not_taken(tmp_path: Path) -> None:
    async with following(tmp_path, ended=False) as api:
        await eventually(lambda: until_us(api) >= BEGINS_US + 20 * SECOND, what="both files in the buffer")
        first = await api.status()
        os.kill(first.pid, signal.SIGKILL)
        await eventually(lambda: "interrupted" in api.moves_of(SESSION), what="the recorder's end")
        await eventually(lambda: api.supervisor.connected, what="the next recorder")
        lines = (tmp_path / "out" / "index.m3u8").read_text()
        (tmp_path / "out" / "seg_00002.ts").write_bytes((KILLED_TMP / "seg_00002.ts").read_bytes())
        (tmp_path / "out" / "index.m3u8").write_text(f"{lines}#EXTINF:9.733,\nseg_00002.ts\n#EXT-X-ENDLIST\n")
        await api.supervisor.request(FollowEgress(session=SESSION, directory=str(tmp_path / "out")))
        await eventually(lambda: until_us(api) >= BEGINS_US + 29 * SECOND, what="the third file in the buffer")
        assert summary(api.directory(SESSION)).gaps == ()


async def test_a_second_request_for_the_same_folder_changes_nothing(tmp_path: Path) -> None:
    async with following(tmp_path) as api:
        await api.supervisor.request(FollowEgress(session=SESSION, directory=str(tmp_path / "out")))
        await api.sees(SESSION, "recording", "interrupted")
        assert until_us(api) == pytest.approx(BEGINS_US + 20 * SECOND, abs=25_000)


async def test_a_range_with_a_lost_file_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    shutil.copy(FILES[0], folder)
    shutil.copy(KILLED_TMP / "seg_00002.ts", folder)
    head = moved((KILLED / "index.m3u8").read_text(), MOVED_US)
    (folder / "index.m3u8").write_text(f"{head}#EXTINF:9.733,\nseg_00002.ts\n#EXT-X-ENDLIST\n")
    async with supervised(tmp_path) as api:
        await eventually(lambda: api.supervisor.connected, what="the recorder")
        await api.supervisor.request(FollowEgress(session=SESSION, directory=str(folder)))
        await api.sees(SESSION, "recording", "degraded", "restored", "interrupted")
        studio = studio_of(api, tmp_path)
        studio.clock.now_us = BEGINS_US + 40 * SECOND
        with pytest.raises(GapsError) as refusal:
            await studio.capture(start_us=BEGINS_US + 5 * SECOND, end_us=BEGINS_US + 25 * SECOND)
        assert [gap["cause"] for gap in refusal.value.facts["gaps"]] == ["egress"]


@with_chromium
async def test_chromium_shows_the_right_pictures(tmp_path: Path) -> None:
    async with following(tmp_path) as api:
        await api.sees(SESSION, "recording", "interrupted")
        studio = studio_of(api, tmp_path)
        start_us = BEGINS_US + 7_654_321
        clip = studio.content(await studio.capture(start_us=start_us, end_us=start_us + 4 * SECOND))
    truth = [(shot.at, shot.number) for shot in shots(FILES, BEGINS_US)]
    times = [0.0, 0.51, 1.234, 2.4, 3.98]
    wanted = [[number for at, number in truth if at <= start_us + round(time * SECOND)][-1] for time in times]
    async with chromium() as browser:
        seen = await (await browser.new_page()).evaluate(_LOOK, [base64.b64encode(clip).decode(), times, _NUMBER])
    assert seen["error"] is None
    assert seen["duration"] == pytest.approx(4.0, abs=0.001)
    assert seen["numbers"] == wanted


@with_chromium
async def test_chromium_previews_the_buffer(tmp_path: Path) -> None:
    async with following(tmp_path) as api:
        await api.sees(SESSION, "recording", "interrupted")
        segment = read_segments(api.directory(SESSION))[0]
    pieces = [[0, segment.index.header.init_size]]
    pieces += [[int(c["offset"]), int(c["offset"] + c["size"])] for c in segment.index.commits if c["size"]]
    media = segment.media_path.read_bytes()
    mime = f'video/mp4; codecs="avc3.{media[(at := media.index(b"avcC") + 5) : at + 3].hex()},mp4a.40.2"'
    truth = [(shot.at, shot.number) for shot in shots(FILES[:1], BEGINS_US)]
    wanted = truth[7::50]
    times = [(at - BEGINS_US) / SECOND + 0.015 for at, _ in wanted]
    async with chromium() as browser:
        asked = [base64.b64encode(media).decode(), pieces, mime, BEGINS_US / SECOND, times, _NUMBER]
        seen = await (await browser.new_page()).evaluate(_APPEND, asked)
    assert seen["seen"] == [number for _, number in wanted]
    ((begin, end),) = seen["buffered"]
    assert (begin, end) == (pytest.approx(0, abs=0.07), pytest.approx(10, abs=0.05))
