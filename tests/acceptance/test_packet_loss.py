"""A bad network costs no video frame: what is lost is asked for again in time."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.support.encoded_clip import ClipShape
from tests.support.impairment import Impairment
from tests.support.people import microseconds
from tests.support.publishers import sharing
from tests.support.recorded import what_was_recorded

if TYPE_CHECKING:
    from tests.support.installation import Installation

SECONDS = 12
FRAME_US = 1_000_000 / 30


async def test_no_video_frame_is_lost(server: Installation) -> None:
    networks = [Impairment(loss=loss, delay_s=0.02) for loss in (0.02, 0.1)]
    await asyncio.gather(*(_nothing_is_lost(server, network) for network in networks))


async def _nothing_is_lost(server: Installation, network: Impairment) -> None:
    """What is still missing when the publisher leaves can no longer be asked for: looked at is what came before."""
    shape = ClipShape(bitrate_bps=2_000_000, seconds=SECONDS + 4, gop=60, noise=True)
    async with (
        server.person(f"lossy-{network.loss}") as person,
        sharing(person, f"lossy-{network.loss}", shape, impairment=network) as share,
    ):
        seen = await person.sees_buffered(share.session, SECONDS)
    until_us = microseconds(seen["bufferedUntil"])
    times_us = [at for at in what_was_recorded(server.session_dir(share.session)).times_us if at < until_us]
    assert share.sender.counts["resent"] > 0, "the network was not bad"
    assert seen["gaps"] == []
    # By their times: the numbers jump, because the publisher answers a key frame request with the next one of its loop.
    assert max(after - before for before, after in pairwise(times_us)) < 1.5 * FRAME_US
    assert len(times_us) >= SECONDS * 30 - 1
