"""A share in a real room, recorded by Egress, over the API: all that is not real is who writes the files."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.egress_files import FILES, clip_shots, shots
from tests.support.egress_service import EgressService, an_egress_service
from tests.support.installation import an_installation
from tests.support.livekit_publisher import LivekitPublisher, livekit_sharing
from tests.support.livekit_settings import livekit_settings
from tests.support.waiting import eventually

from lookback.sessions import egress_rules as rules

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.livekit_server import LivekitServer
    from tests.support.people import Person

SECOND = 1_000_000


@dataclass(slots=True)
class Place:
    service: EgressService
    publisher: LivekitPublisher
    alice: Person
    session: dict[str, Any]


@asynccontextmanager
async def recorded(livekit: LivekitServer, folder: Path, room: str) -> AsyncIterator[Place]:
    """Alice shares, and asked for her last minutes to be kept by Egress."""
    async with an_egress_service(livekit) as service:
        settings = livekit_settings(
            livekit,
            LIVEKIT_URL=service.url,
            LOOKBACK_EGRESS_PATH=str(folder / "egress"),
            LOOKBACK_EGRESS_DELAY_SECONDS="0",
            LOOKBACK_RECONCILE_SECONDS="1",
        )
        async with (
            an_installation(folder / "home", **settings) as installation,
            installation.person("alice") as alice,
            livekit_sharing(livekit, room, "alice") as publisher,
        ):
            answer = await alice.answer("POST", "start", json={"roomName": room, "recorder": "egress"})
            session = answer.json()
            await alice.sees_buffered(session, 19, within=40)
            yield Place(service, publisher, alice, session)


async def test_an_exact_range_of_a_share_that_egress_records(livekit: LivekitServer, tmp_path: Path) -> None:
    async with recorded(livekit, tmp_path, "egress-exact") as place:
        service, alice = place.service, place.alice
        session = await alice.sees_status(place.session, "recording")
        assert (session["source"], session["video"]["codec"], session["audio"]["codec"]) == ("egress", "h264", "aac")
        start_us, end_us = service.begins_us + 7_654_000, service.begins_us + 12_345_000
        clip = await alice.captures(session, start=start_us // 1000, end=end_us // 1000)
        shown = clip_shots(await alice.downloads(clip))
        seen = [shot for shot in shots(FILES, service.begins_us) if shot.at < end_us]
        first = max(at for at, shot in enumerate(seen) if shot.at <= start_us)
        assert [shot.look for shot in shown] == [shot.look for shot in seen[first:]]
        assert (clip["audio"]["codec"], clip["gaps"]) == ("aac", [])
        await alice.stops(session)
        await eventually(lambda: service.stopped == ["EG_1"], what="the end of the egress")
        assert not list((tmp_path / "egress").rglob("*.ts")), "what is safely in the buffer goes"


async def test_a_share_that_ends_ends_its_egress(livekit: LivekitServer, tmp_path: Path) -> None:
    async with recorded(livekit, tmp_path, "egress-ends") as place:
        await place.publisher.unpublish()
        await eventually(lambda: place.service.stopped == ["EG_1"], what="the end of the egress")
        session = await place.alice.sees_status(place.session, "interrupted")
        assert session["bufferedSeconds"] >= 19


async def test_an_egress_that_crashes_is_said_and_replaced(livekit: LivekitServer, tmp_path: Path) -> None:
    async with recorded(livekit, tmp_path, "egress-crash") as place:
        place.service.fail("EG_1", "internal error", 500)
        await eventually(lambda: "EG_2" in place.service.egresses, what="another egress")
        session = await place.alice.sees_status(place.session, "recording", "interrupted")
        assert session["sessionId"] == place.session["sessionId"]
        assert session["reason"] in {None, rules.CRASHED}
