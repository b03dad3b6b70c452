"""`kill -9` at random instants: at most one fragment is lost, nothing that was committed, and what is left is clean."""

from __future__ import annotations

import os
import random
import signal
from typing import TYPE_CHECKING

import pytest
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.media import decoded
from tests.support.sessions import a_session
from tests.support.supervised import now_us, supervised
from tests.support.waiting import eventually
from tests.support.whip_sender import playing

from lookback.buffer.layout import BufferLayout
from lookback.buffer.reader import read_segments, summary
from lookback.buffer.repair import find_damage
from lookback.recorder.session_directory import repair_buffer

if TYPE_CHECKING:
    from pathlib import Path

MOST_LOST_US = 600_000
KILLS = int(os.environ.get("LOOKBACK_TEST_KILLS", "4"))
SESSIONS = (a_session("h264"), a_session("vp8", room_name="other"))


@pytest.mark.parametrize("seed", range(KILLS))
async def test_a_killed_recorder_loses_at_most_a_fragment(tmp_path: Path, seed: int) -> None:
    async with supervised(tmp_path, segment_seconds=1.0) as api:
        senders = [await api.publisher(s, encoded_clip(ClipShape(codec=s.session_id))) for s in SESSIONS]  # type: ignore[arg-type]
        async with playing(*senders):
            for session in SESSIONS:
                await api.sees(session, "recording")
            kill_at_us = now_us() + random.Random(seed).randrange(1_000_000, 3_000_000)
            pid = (await api.status()).pid
            await eventually(lambda: now_us() >= kill_at_us)
            # Everything sent until this instant was delivered: the senders count as the journal of the media.
            os.kill(pid, signal.SIGKILL)
            killed_us = now_us()
        for sender in senders:
            sender.vanish()
        for session in SESSIONS:
            await api.sees(session, "recording", "interrupted")
    repair_buffer(BufferLayout(api.config.buffer_path))
    for session in SESSIONS:
        directory = api.directory(session)
        until_us = summary(directory).until_us
        assert until_us is not None
        lost_us = killed_us - until_us
        print(f"lost {session.session_id} {lost_us // 1000} ms")  # noqa: T201 - the figure of the run
        assert lost_us <= MOST_LOST_US
        assert find_damage(directory) == []
        assert summary(directory).gaps == ()
        numbers = [number for s in read_segments(directory) for _, number in decoded(s.media_path)]
        assert numbers == [n % 120 for n in range(numbers[0], numbers[0] + len(numbers))]


async def test_a_killed_api_loses_nothing(tmp_path: Path) -> None:
    session = SESSIONS[0]
    async with supervised(tmp_path, leave_running=True) as api:
        sender = await api.publisher(session)
        async with playing(sender):
            await api.sees(session, "recording")
            await api.crash()
            async with supervised(tmp_path) as next_api:
                await next_api.sees(session, "recording")
                adopted_us = now_us()
                directory = next_api.directory(session)
                await eventually(lambda: (summary(directory).until_us or 0) > adopted_us)
                (stats,) = (await next_api.status()).sessions
                assert stats.packets_lost == 0
                assert summary(directory).gaps == ()
                await sender.close()
                await next_api.sees(session, "recording", "interrupted")
    numbers = [number for s in read_segments(directory) for _, number in decoded(s.media_path)]
    assert numbers == [n % 120 for n in range(numbers[0], numbers[0] + len(numbers))]
