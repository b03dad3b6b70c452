"""A person is erased wholly, whatever happens half-way; and nobody else loses anything."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import pytest
from tests.support.databases import DATABASES, a_database_of_kind
from tests.support.household import ALICE, BOB, MANAGER, Household, a_household
from tests.support.media import START_US

from lookback.access.audit import ERASED, Action, Nobody
from lookback.access.consent import Statement
from lookback.access.principal import Principal
from lookback.buffer.threads import DiskThreads
from lookback.clips.erasure import ClipErasure
from lookback.clips.model import CaptureWish
from lookback.clips.rows import ClipRows
from lookback.clips.store import ClipStore
from lookback.db.consents import SqlConsentRepository
from lookback.db.roles import SqlRoleRepository
from lookback.db.users import SqlUserRepository
from lookback.errors import NoCapacityError, NotFoundError, PermissionDeniedError, StorageUnavailableError
from lookback.operations.erasure import Erasures, SessionErasure
from lookback.recorder.control import StopSession
from lookback.sessions.model import SessionState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

P = ParamSpec("P")
T = TypeVar("T")
STEPS = ["begun", "sessions", "buffers", "clip", "clips", "folder", "rows", "finished"]
REMOVING = ["record removed", "directory removed"]


class Crash(BaseException):
    """The process is gone: nothing after this runs, not even cleaning up."""


@pytest.fixture(params=DATABASES)
async def household(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Household]:
    """Alice records, and has recorded; she and Bob have clips of hers and of his."""
    async with a_household(tmp_path, a_database_of_kind(request.param, request)) as household:
        await household.has_session("alice", "old", SessionState.DRAINING)
        await household.has_session("alice", "now", SessionState.RECORDING, room="office")
        await household.has_session("alice", "gone", SessionState.FAILED, room="attic")
        await household.has_session("bob", "bobs", SessionState.RECORDING)
        await SqlConsentRepository(household.engine).say("alice", Statement("attic", "forbid"), 1)
        await SqlRoleRepository(household.engine).put_member("c1", "alice", ["moderator"])
        yield household


async def her_clips(household: Household) -> list[str]:
    """Two of her own, one of them deleted, and one that Bob has saved of her share."""
    first, second = await household.saves(ALICE, "old"), await household.saves(ALICE, "now")
    await household.studio.clips.library.delete(ALICE, second.clip_id)
    of_her_share = await household.saves(Principal("bob", admin=True), "old")
    assert (of_her_share.user_id, of_her_share.sharer_id) == ("bob", "alice")
    return [first.clip_id, second.clip_id, of_her_share.clip_id]


async def nothing_is_left_of_her(household: Household) -> None:
    """No row, no path and no pin; and Bob has what he had."""
    assert household.paths_of("alice") == []
    assert await household.rows.in_states(list(SessionState), user_id="alice") == []
    assert await household.persons.clips_about("alice") == []
    assert await household.persons.profile("alice") is None
    assert await SqlConsentRepository(household.engine).said("alice") == []
    assert await SqlRoleRepository(household.engine).roles_of("alice") == {}
    assert await household.persons.pending() == []
    assert await household.persons.not_before_us("alice") is not None
    assert all("alice" not in {entry.actor, entry.subject} for entry in await household.trail())
    (kept,) = await household.studio.repository.all_clips()
    assert kept.user_id == "bob"
    assert [pins.name for pins in household.pins()] == [household.studio.layout.pins_dir(kept.clip_id).name]
    assert len(household.studio.content(kept)) == kept.size_bytes
    assert await household.rows.active_of("bob") is not None
    assert await household.studio.clips.recovery.check(repair=False) == []


async def test_everything_of_a_person_goes_and_nothing_of_others(household: Household) -> None:
    await her_clips(household)
    await household.saves(BOB, "bobs")
    await household.erasures().erase(MANAGER, "alice")
    await nothing_is_left_of_her(household)


async def test_the_recorder_lets_go_before_the_files_do(household: Household) -> None:
    await household.saves(BOB, "bobs")
    await household.erasures().erase(ALICE, "alice")
    released = [request.session_id for request in household.recorder.asked if isinstance(request, StopSession)]
    assert set(released) == {"old", "now"}
    await nothing_is_left_of_her(household)


@pytest.mark.parametrize("step", STEPS)
async def test_a_crash_after_any_step_is_made_up_for(household: Household, step: str) -> None:
    await her_clips(household)
    await household.saves(BOB, "bobs")
    with pytest.raises(Crash):
        await household.erasures(stop_after(step)).erase(MANAGER, "alice")
    await household.studio.clips.recovery.check(repair=True)  # what a start does first
    await household.erasures().resume()
    await nothing_is_left_of_her(household)


@pytest.mark.parametrize("step", REMOVING)
async def test_so_is_a_crash_within_a_clip(household: Household, step: str) -> None:
    await her_clips(household)
    await household.saves(BOB, "bobs")
    with pytest.raises(Crash):
        await crashing_erasures(household, step).erase(MANAGER, "alice")
    await household.studio.clips.recovery.check(repair=True)
    await household.erasures().resume()
    await nothing_is_left_of_her(household)


def stop_after(step: str) -> Callable[[str], None]:
    def checkpoint(done: str) -> None:
        if done == step:
            raise Crash

    return checkpoint


def crashing_erasures(household: Household, step: str) -> Erasures:
    clips = household.studio.clips
    store = ClipStore(clips.store.root, household.studio.layout, checkpoint=stop_after(step))
    rows = ClipRows(household.studio.repository, store, household.audit)
    sessions = SessionErasure(household.rows, household.service, household.buffers, household.recorder)
    return Erasures(
        household.persons,
        sessions,
        ClipErasure(rows, store, household.audit),
        household.audit,
        clock=household.studio.clock,
        forget=lambda _user: None,
    )


async def test_directories_that_no_row_knows_go_too(household: Household) -> None:
    await household.saves(BOB, "bobs")
    clip = await household.saves(ALICE, "old")
    await household.studio.repository.remove(clip.clip_id)
    await household.rows.remove("old")
    stray = household.studio.clips.store.directory(clip)
    assert stray.exists()
    await household.erasures().erase(ALICE, "alice")
    assert household.paths_of("alice") == []


async def test_whose_clip_it_was_finds_it_in_the_trail(household: Household) -> None:
    _, _, bobs = await her_clips(household)
    await household.erasures().erase(ALICE, "alice")
    (told,) = [e for e in await household.trail() if e.action is Action.CLIP_DELETED and e.subject == "bob"]
    assert (told.target, told.actor) == (bobs, Nobody.SERVER)
    assert told.facts == {"cause": "Whoever shared it was erased"}


async def test_the_trail_keeps_that_it_happened_under_one_name(household: Household) -> None:
    await her_clips(household)
    before = len(await household.trail())
    await household.erasures().erase(ALICE, "alice")
    trail = await household.trail()
    names = {name for entry in trail for name in (entry.actor, entry.subject) if isinstance(name, str)}
    assert names - {"bob"} == {name for name in names if name.startswith(ERASED)}
    assert len(names - {"bob"}) == 1, "one name for her throughout"
    told = [entry.action for entry in trail[before:]]
    assert told == [
        Action.USER_ERASURE_BEGUN,
        Action.SESSION_STOPPED,
        Action.CLIP_DELETED,
        Action.USER_ERASED,
    ]


async def test_others_are_erased_by_managers_of_the_instance_only(household: Household) -> None:
    of_a_community = Principal("carol", communities={"c1": ("moderator",)})
    for who in (BOB, of_a_community):
        with pytest.raises(PermissionDeniedError, match="Permission denied - MANAGE_REPLAY_LIMITS"):
            await household.erasures().erase(who, "alice")
    assert await household.persons.pending() == []
    assert await household.rows.active_of("alice") is not None


async def test_erasing_again_and_erasing_nobody_are_no_errors(household: Household) -> None:
    await household.saves(BOB, "bobs")
    for user in ("alice", "alice", "never-here"):
        await household.erasures().erase(MANAGER, user)
    await nothing_is_left_of_her(household)


async def test_two_at_once_erase_once(household: Household) -> None:
    await her_clips(household)
    await household.saves(BOB, "bobs")
    erasures = household.erasures()
    await asyncio.gather(*(erasures.erase(MANAGER, "alice") for _ in range(5)))
    await nothing_is_left_of_her(household)


async def test_while_the_recorder_is_away_it_waits(household: Household) -> None:
    await household.saves(BOB, "bobs")
    household.recorder.connected = False
    erasures = household.erasures()
    with pytest.raises(NoCapacityError, match="the erasure goes on when it does"):
        await erasures.erase(ALICE, "alice")
    await erasures.resume()
    assert await household.persons.pending() == ["alice"]
    household.recorder.connected = True
    await erasures.resume()
    await nothing_is_left_of_her(household)


async def test_a_disk_that_is_away_keeps_the_wish(household: Household) -> None:
    clip = await household.saves(ALICE, "old")
    await household.saves(BOB, "bobs")
    user_folder = household.studio.clips.store.directory(clip).parent
    hidden = user_folder.rename(user_folder.with_name("hidden"))
    user_folder.write_text("not a directory")
    with pytest.raises(StorageUnavailableError):
        await household.erasures().erase(ALICE, "alice")
    assert await household.persons.pending() == ["alice"]
    user_folder.unlink()
    hidden.rename(user_folder)
    await household.erasures().resume()
    await nothing_is_left_of_her(household)


async def test_one_that_cannot_be_done_does_not_stop_the_next(household: Household) -> None:
    await household.saves(BOB, "bobs")
    await household.persons.begin("alice", 1, 1)
    await household.persons.begin("carol", 2, 2)
    household.recorder.connected = False
    await household.erasures().resume()
    assert await household.persons.pending() == ["alice"]


async def test_rights_are_read_anew_before_anything_goes_and_afterwards(household: Household) -> None:
    told: list[str] = []
    with pytest.raises(Crash):
        await household.erasures(stop_after("begun"), told.append).erase(ALICE, "alice")
    assert told == ["alice"]
    await household.erasures(forget=told.append).resume()
    assert told == ["alice", "alice"]


@pytest.mark.parametrize("who", ["alice", "bob"])
async def test_a_clip_that_is_made_meanwhile_goes_too(household: Household, who: str) -> None:
    """The whole erasure happens between the clip's files and its row: nobody would look for it afterwards."""
    await household.saves(BOB, "bobs")

    class ErasingThreads(DiskThreads):
        async def run(self, call: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
            done = await super().run(call, *arguments, **named)
            if call.__name__ == "write":
                await household.erasures().erase(MANAGER, "alice")
            return done

    studio = household.studio
    threads = ErasingThreads("capture", 1)
    captures = replace(studio.clips.captures, threads=threads, erased=household.persons.erased_since)
    with pytest.raises(NotFoundError):
        await captures.capture(
            Principal(who, admin=True),
            CaptureWish(session_id="old", start_us=START_US, end_us=START_US + 2_000_000),
        )
    assert household.paths_of("alice") == []
    assert [clip.user_id for clip in await studio.repository.all_clips()] == ["bob"]
    assert len(household.pins()) == 1


async def test_who_comes_back_begins_anew(household: Household) -> None:
    await household.erasures().erase(ALICE, "alice")
    assert await household.consents.forbidden("alice", "demo")
    await SqlUserRepository(household.engine).seen("alice", "Alice", 5)
    assert not await household.consents.forbidden("alice", "demo")
    await household.has_session("alice", "new", SessionState.DRAINING)
    clip = await household.saves(ALICE, "new")
    assert (await household.studio.clips.library.get(ALICE, clip.clip_id)).user_id == "alice"
