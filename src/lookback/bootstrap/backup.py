"""Backup and restore of an installation: its database, its clips, and the secret it signs with.

1. A backup is complete when it has its name: until then its folder is called `.partial`.
2. The database is taken first, and then the clips that it knows: what is saved meanwhile is in the next backup, and a
   clip that goes meanwhile goes from the copy of the database, too. So rows and files agree.
3. Clips are brought back before the database: a restore that was cut off has not begun as far as rows say.

Buffers are not part of it: they last for minutes. Nor are clips that were deleted and can still be restored.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, update

import lookback
from lookback.bootstrap.parts import prepare_folders
from lookback.buffer.durable import sync_directory
from lookback.buffer.layout import BufferLayout
from lookback.clips.carrying import Carrier
from lookback.clips.model import Storage
from lookback.clips.store import ClipStore, sha256_of
from lookback.db.clips import SqlClipRepository
from lookback.db.engine import connect
from lookback.db.models import ReservationRow, SessionRow
from lookback.db.portable import bring_up, load_database, open_saved, save_database, settle
from lookback.db.quota import SqlQuotaLedger
from lookback.errors import NotFoundError, SettingsError
from lookback.home import SECRET_FILE, has_begun, only_server
from lookback.sessions.model import SessionState
from lookback.sessions.service import SHOWN

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.clips.model import Clip
    from lookback.settings import Settings

FORMAT = 1
NOT_TAKEN = "Its buffer is not part of the backup"
MANIFEST, DATABASE, CLIPS, SECRET = "backup.json", "lookback.db", "clips", "secret"


@dataclass(frozen=True, slots=True)
class Carried:
    """What a backup holds, or a restore brought back. `left_out`: clips that were deleted, or went meanwhile."""

    clips: int
    size_bytes: int
    left_out: int = 0


async def back_up(settings: Settings, to: Path, now_us: int) -> Carried:
    """Write a backup into a new folder, also while the server runs.

    Raises SettingsError when there is nothing to back up or the folder is there; DiskFullError or
    StorageUnavailableError where the disk refuses, and then an incomplete folder stays.
    """
    partial = _begin(settings, to)
    await _save_database(settings, partial / DATABASE)
    engine = open_saved(partial / DATABASE)
    try:
        carried = await _take_clips(settings, engine, partial, now_us)
    finally:
        await engine.dispose()
    settle(partial / DATABASE)
    _take_secret(settings.home / SECRET_FILE, partial / SECRET)
    said = {"format": FORMAT, "version": lookback.__version__, "takenAtUs": now_us, **asdict(carried)}
    (partial / MANIFEST).write_text(json.dumps(said, indent=1) + "\n")
    await asyncio.to_thread(_finish, partial, to)
    return carried


async def bring_back(settings: Settings, source: Path) -> Carried:
    """Bring a backup into an installation with nothing in it; raises SettingsError when it is not, or no backup.

    The database may be another one than it was taken from. The secret is taken where there is none yet.
    """
    _require_backup(source)
    prepare_folders(settings)
    with only_server(settings.home):
        store = ClipStore(settings.storage_path, BufferLayout(settings.buffer_path))
        if any(store.directories()):
            raise SettingsError("REPLAY_STORAGE_PATH is wrong: there are clips in the folder, and none is replaced.")
        copy = settings.home / "restoring.db"
        shutil.copyfile(source / DATABASE, copy)
        try:
            await bring_up(copy)
            carried = await _give_clips(copy, Carrier(_store(source), store))
            _take_secret(source / SECRET, settings.home / SECRET_FILE)
            await load_database(copy, settings.database)
        finally:
            for beside in settings.home.glob(f"{copy.name}*"):
                beside.unlink()
    return carried


def _begin(settings: Settings, to: Path) -> Path:
    """Make the folder that becomes the backup."""
    if to.exists():
        raise SettingsError(f"{to} is there already: give every backup a folder of its own.")
    if not has_begun(settings.home):
        raise SettingsError("LOOKBACK_HOME is wrong: no server has ever run there, so there is nothing to back up.")
    partial = to.with_name(f"{to.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)  # what an earlier try has left
    (partial / CLIPS).mkdir(mode=0o700, parents=True)
    partial.chmod(0o700)
    return partial


async def _save_database(settings: Settings, file: Path) -> None:
    engine = connect(settings.database)
    try:
        await save_database(engine, file)
    finally:
        await engine.dispose()


async def _take_clips(settings: Settings, engine: AsyncEngine, backup: Path, now_us: int) -> Carried:
    """Bring the files of all clips in the copy of the database; what has none goes from it."""
    repository, ledger = SqlClipRepository(engine), SqlQuotaLedger(engine)
    target = _store(backup)
    carrier = Carrier(ClipStore(settings.storage_path, BufferLayout(settings.buffer_path)), target)
    clips = size_bytes = left_out = 0
    for clip in await repository.all_clips():
        try:
            taken = clip.deleted_at_us is None
            if taken:
                await asyncio.to_thread(carrier.carry, clip)
        except NotFoundError:
            taken = False
        if not taken:
            await repository.remove(clip.clip_id)
            left_out += 1
            continue
        await _settle(clip, repository, target)
        clips, size_bytes = clips + 1, size_bytes + clip.size_bytes
    await _end_what_is_not_taken(engine, now_us)
    for user_id in await ledger.miscounted():
        await ledger.recount(user_id)
    return Carried(clips, size_bytes, left_out)


async def _end_what_is_not_taken(engine: AsyncEngine, now_us: int) -> None:
    """Sessions are over without their buffers, and nobody makes the clips any more that bytes are held for."""
    over = update(SessionRow).where(SessionRow.state.in_(SHOWN))
    async with engine.begin() as connection:
        await connection.execute(delete(ReservationRow))
        await connection.execute(over.values(state=SessionState.EXPIRED, reason=NOT_TAKEN, since_us=now_us))


async def _settle(clip: Clip, repository: SqlClipRepository, store: ClipStore) -> None:
    """Let row and record say that the clip is a physical file, which it became on the way."""
    if clip.storage is Storage.VIRTUAL:
        digest = await asyncio.to_thread(sha256_of, store.video(clip))
        clip = await repository.update(clip.clip_id, storage=Storage.FILE, sha256=digest) or clip
    await asyncio.to_thread(store.save, clip)


async def _give_clips(file: Path, carrier: Carrier) -> Carried:
    engine = open_saved(file)
    try:
        clips = [clip for clip in await SqlClipRepository(engine).all_clips() if clip.deleted_at_us is None]
    finally:
        await engine.dispose()
    for clip in clips:
        try:
            await asyncio.to_thread(carrier.carry, clip)
        except NotFoundError as error:
            raise SettingsError(f"The backup is damaged: the files of clip {clip.clip_id} are not in it.") from error
    await asyncio.to_thread(carrier.sync)
    return Carried(len(clips), sum(clip.size_bytes for clip in clips))


def _store(backup: Path) -> ClipStore:
    return ClipStore(backup / CLIPS, BufferLayout(backup / "buffer"))  # nothing in a backup is virtual


def _require_backup(source: Path) -> None:
    try:
        said = json.loads((source / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{source} is no complete backup: there is no {MANIFEST} in it that can be read."
        ) from error
    if said.get("format") != FORMAT:
        raise SettingsError(f"{source} was made by a newer version of the program ({said.get('version')}).")


def _take_secret(source: Path, target: Path) -> None:
    """Copy the secret, if there is one and none in its place; whoever has it can sign anything."""
    if source.exists() and not target.exists():
        target.touch(mode=0o600)
        target.write_bytes(source.read_bytes())


def _finish(partial: Path, to: Path) -> None:
    Carrier(_store(partial), _store(partial)).sync()
    partial.rename(to)
    sync_directory(to.parent)
