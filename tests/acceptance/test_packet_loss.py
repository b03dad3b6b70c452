"""A bad network costs no video frame: what is lost is asked for again in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.encoded_clip import ClipShape
from tests.support.impairment import Impairment
from tests.support.people import microseconds
from tests.support.publishers import sharing
from tests.support.recorded import what_was_recorded

if TYPE_CHECKING:
    from tests.support.installation import Installation

SECONDS = 12


@pytest.mark.parametrize("loss", [0.02, 0.1])
async def test_no_video_frame_is_lost(server: Installation, loss: float) -> None:
    network = Impairment(loss=loss, delay_s=0.02)
    shape = ClipShape(bitrate_bps=2_000_000, seconds=SECONDS + 4, gop=60, noise=True)
    async with server.person(f"lossy-{loss}") as person:
        async with sharing(person, f"lossy-{loss}", shape, impairment=network) as share:
            await person.sees_buffered(share.session, SECONDS)
        ended = await person.sees_status(share.session, "draining", "interrupted")
    recorded = what_was_recorded(server.session_dir(share.session))
    assert share.sender.counts["resent"] > 0, "the network was not bad"
    assert ended["gaps"] == []
    assert recorded.numbers == list(range(recorded.numbers[0], recorded.numbers[0] + len(recorded.numbers)))
    assert len(recorded.numbers) >= SECONDS * 30
    assert microseconds(ended["bufferedUntil"]) - microseconds(ended["bufferedFrom"]) >= SECONDS * 1_000_000
