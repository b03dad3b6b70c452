"""What a person takes along is everything of theirs, and nothing of others."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.household import ALICE, BOB, MANAGER, Household, a_household

from lookback.access.audit import Action
from lookback.access.consent import Statement
from lookback.access.principal import Principal
from lookback.api.personal_archive import archive
from lookback.db.consents import SqlConsentRepository
from lookback.db.roles import SqlRoleRepository
from lookback.errors import PermissionDeniedError
from lookback.sessions.model import SessionState
from lookback.sessions.story import SessionEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def household(tmp_path: Path) -> AsyncIterator[Household]:
    async with a_household(tmp_path) as household:
        await household.has_session("alice", "s1", SessionState.DRAINING)
        await household.has_session("bob", "s2", SessionState.DRAINING)
        yield household


async def taken_along(household: Household, who: Principal, user_id: str) -> dict[str, bytes]:
    """The files of the archive."""
    pieces = [piece async for piece in archive(await household.personal_data.of(who, user_id))]
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def document(files: dict[str, bytes], name: str) -> Any:
    return json.loads(files[name])


async def test_everything_of_a_person_is_in_it(household: Household) -> None:
    await SqlConsentRepository(household.engine).say("alice", Statement("attic", "forbid"), 1)
    await SqlRoleRepository(household.engine).put_member("c1", "alice", ["moderator"])
    await household.rows.tell("s1", SessionEvent(1, "draining", "The share ended"))
    clip = await household.saves(ALICE, "s1")
    files = await taken_along(household, ALICE, "alice")
    assert document(files, "profile.json") == {
        "userId": "alice",
        "name": "Alice",
        "quotaBytes": None,
        "createdAt": "1970-01-01T00:00:00.000Z",
        "roles": [{"communityId": "c1", "roles": ["moderator"]}],
    }
    assert document(files, "consent.json") == {
        "buffering": "allow",
        "autoStart": False,
        "rooms": [{"roomName": "attic", "buffering": "forbid", "autoStart": None}],
    }
    (session,) = document(files, "sessions.json")
    assert (session["sessionId"], session["state"], session["roomName"]) == ("s1", "draining", "demo")
    (event,) = session["events"]
    assert (event["kind"], event["sentence"], event["at"][-1]) == ("draining", "The share ended", "Z")
    (described,) = document(files, "clips.json")
    assert (described["clipId"], described["title"]) == (clip.clip_id, clip.title)
    assert described["delivered"]["start"].endswith("Z")
    assert files[f"clips/{clip.clip_id}.mp4"] == household.studio.content(clip)
    told = [json.loads(line)["action"] for line in files["audit.jsonl"].splitlines()]
    assert told == [Action.CLIP_CAPTURED, Action.USER_EXPORTED]


async def test_nothing_of_others_is_in_it(household: Household) -> None:
    bobs = await household.saves(BOB, "s2")
    of_her_share = await household.saves(Principal("bob", admin=True), "s1")
    files = await taken_along(household, ALICE, "alice")
    everything = b"".join(files.values()).decode()
    assert bobs.clip_id not in everything
    (shown,) = document(files, "shown-in.json")
    assert shown["clipId"] == of_her_share.clip_id
    assert "title" not in shown
    assert "bob" not in json.dumps(shown)
    assert [name for name in files if name.startswith("clips/")] == []


async def test_keys_that_open_something_stay(household: Household) -> None:
    clip = await household.saves(ALICE, "s1")
    row = await household.studio.repository.update(clip.clip_id, share_key="SECRET-KEY")
    assert row == replace(clip, share_key="SECRET-KEY")
    everything = b"".join((await taken_along(household, ALICE, "alice")).values())
    assert b"SECRET-KEY" not in everything


async def test_a_clip_whose_bytes_are_gone_is_described_all_the_same(household: Household) -> None:
    clip = await household.saves(ALICE, "s1")
    household.studio.clips.store.remove(clip)
    files = await taken_along(household, ALICE, "alice")
    assert [described["clipId"] for described in document(files, "clips.json")] == [clip.clip_id]
    assert [name for name in files if name.startswith("clips/")] == []


async def test_somebody_who_was_never_here_takes_empty_lists(household: Household) -> None:
    files = await taken_along(household, Principal("carol"), "carol")
    assert document(files, "profile.json") == {"userId": "carol", "roles": []}
    assert [document(files, name) for name in ("sessions.json", "clips.json", "shown-in.json")] == [[], [], []]


async def test_only_oneself_and_managers_of_the_instance_get_it(household: Household) -> None:
    with pytest.raises(PermissionDeniedError, match="Permission denied - MANAGE_REPLAY_LIMITS"):
        await household.personal_data.of(BOB, "alice")
    assert document(await taken_along(household, MANAGER, "alice"), "profile.json")["userId"] == "alice"
    told = [(e.action, e.actor, e.subject) for e in await household.trail()]
    assert told == [(Action.USER_EXPORTED, "root", "alice")]


async def test_it_is_written_while_it_is_taken(household: Household) -> None:
    """A clip of any size passes through a piece at a time, and a reader who leaves keeps nothing open."""
    clip = await household.saves(ALICE, "s1")
    pieces = archive(await household.personal_data.of(ALICE, "alice"))
    sizes = [len(await anext(pieces)) for _ in range(3)]
    assert max(sizes) < clip.size_bytes + 100_000
    await pieces.aclose()
