"""How full the disks are and what is deleted for it, over HTTP and by the command."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import TYPE_CHECKING

import pytest
from tests.support.people import Refused
from tests.support.publishers import sharing

if TYPE_CHECKING:
    import httpx
    from tests.support.installation import Installation
    from tests.support.people import Json, Person


async def test_who_manages_limits_sees_how_full_the_disks_are(server: Installation) -> None:
    async with server.person("root", admin=True) as admin:
        space = (await admin.answer("GET", "admin/space")).json()
    assert space["step"] in {"calm", "no-renditions", "small-captures"}, space
    assert space["meaning"]
    assert {disk["name"] for disk in space["disks"]} == {"buffer", "storage"}
    assert all(0 < disk["floorBytes"] < disk["totalBytes"] for disk in space["disks"])
    assert (space["shortenedSessions"], space["shortestWindowSeconds"], space["pausedSessions"]) == (0, None, 0)
    assert space["lastCleanup"]["reasons"] == []


async def test_a_cleanup_says_what_it_took_and_a_dry_one_what_it_would(server: Installation, saved: Json) -> None:
    assert saved
    async with (
        server.person("root", admin=True) as admin,
        server.person("wide") as wide,
        sharing(wide, "wide") as share,
    ):
        await wide.sees_buffered(share.session, 2.5)
        nothing = (await admin.answer("POST", "admin/cleanup", json={"dryRun": True})).json()
        assert (nothing["dryRun"], nothing["segments"], nothing["items"]) == (True, 0, [])
        assert nothing["sessions"] >= 1
        too_much = (await admin.answer("POST", "admin/cleanup", json={"dryRun": True, "freeBytes": 1 << 40})).json()
        assert too_much["missingBytes"] > 0
        assert {item["reason"] for item in too_much["items"]} <= {"space"}
        real = (await admin.answer("POST", "admin/cleanup", json={})).json()
        assert (real["dryRun"], real["segments"]) == (False, 0)
        assert (await wide.sees(share.session))["bufferedSeconds"] >= 2.5
    assert re.search("Running cleanup.*Cleaned up", server.log, re.DOTALL)


@pytest.mark.parametrize("body", [{"dryRun": 1}, {"freeBytes": -1}, {"freeBytes": 1.5}, {"freebytes": 1}, []])
async def test_what_makes_no_sense_is_refused(server: Installation, body: object) -> None:
    async with server.person("root", admin=True) as admin:
        with pytest.raises(Refused) as refusal:
            await admin.answer("POST", "admin/cleanup", json=body)
    assert refusal.value.status == 400


async def test_a_session_says_how_far_back_one_can_go(alice: Person, saved: Json) -> None:
    assert saved
    session = await alice.session_in("office")
    assert session is not None
    window = session["window"]
    assert (window["promisedSeconds"], window["shortenedBy"]) == (600, None)
    assert window["availableSeconds"] == session["bufferedSeconds"]


async def test_the_metrics_tell_of_the_ladder(stranger: httpx.AsyncClient) -> None:
    text = (await stranger.get("/metrics")).text
    assert re.search(r"^lookback_space_step [0-4]\.0$", text, re.MULTILINE)
    assert re.search(r'^lookback_disk_floor_bytes\{root="buffer"\} \S+$', text, re.MULTILINE)
    assert "\nlookback_sessions_paused 0.0\n" in text


async def test_the_command_asks_the_server_where_one_runs(server: Installation) -> None:
    printed = await _sweep(server, "--dry-run")
    assert re.fullmatch(r"0 segments would go, 0 B\.\n", printed)


async def _sweep(server: Installation, *options: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lookback", "sweep", *options),
        env=server._environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()
