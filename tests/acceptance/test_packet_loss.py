"""A bad network costs no video frame: what is lost is asked for again in time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.support.encoded_clip import ClipShape
from tests.support.impairment import Impairment
from tests.support.publishers import sharing
from tests.support.recorded import what_was_recorded

if TYPE_CHECKING:
    from tests.support.installation import Installation

SECONDS = 12
FRAME_US = 1_000_000 / 30


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
    # By their times: the numbers jump, because the publisher answers a key frame request with the next one of its loop.
    assert max(after - before for before, after in pairwise(recorded.times_us)) < 1.5 * FRAME_US
    assert len(recorded.times_us) >= SECONDS * 30
