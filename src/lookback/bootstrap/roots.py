"""The two roots of an installation, and what their disks are recognised by: that is kept in LOOKBACK_HOME.

So a disk that is not mounted is noticed when the server starts, too, instead of beginning anew in the place below it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

from pydantic import TypeAdapter, ValidationError

from lookback.buffer.marker import RootIdentity, is_away, recognise
from lookback.buffer.session_file import replace_durably
from lookback.errors import SettingsError
from lookback.home import prepare_folder

if TYPE_CHECKING:
    from pathlib import Path

    from lookback.settings import Settings

ROOTS_FILE = "roots.json"
_NOT_MOUNTED = (
    f"the disk that was there is not mounted. Mount it; if it is gone for good, remove `{ROOTS_FILE}` in LOOKBACK_HOME."
)
_FILE = TypeAdapter(dict[str, RootIdentity])


class Roots(NamedTuple):
    """What the disks are recognised by; None before the first start."""

    buffer: RootIdentity | None = None
    storage: RootIdentity | None = None


def kept_roots(home: Path) -> Roots:
    """Return what was recognised last; nothing where that cannot be read."""
    try:
        kept = _FILE.validate_json((home / ROOTS_FILE).read_bytes())
    except (OSError, ValidationError):
        return Roots()
    return Roots(kept.get("buffer"), kept.get("storage"))


def known_roots(settings: Settings) -> Roots:
    """Return what was recognised last, as far as that was said of the folders that are configured now."""
    kept = kept_roots(settings.home)
    return Roots(_if_of(settings.buffer_path, kept.buffer), _if_of(settings.storage_path, kept.storage))


def prepare_roots(settings: Settings) -> Roots:
    """Make both folders, recognise their disks and keep what they are recognised by; raises SettingsError.

    A root on another disk than before is taken when there is a marker on it, or something is mounted there.
    """
    known = known_roots(settings)
    found = Roots(
        _prepared(settings.buffer_path, "REPLAY_BUFFER_PATH", known.buffer),
        _prepared(settings.storage_path, "REPLAY_STORAGE_PATH", known.storage),
    )
    if found != kept_roots(settings.home):
        said = {name: asdict(identity) for name, identity in found._asdict().items()}
        try:
            replace_durably(settings.home / ROOTS_FILE, json.dumps(said, indent=1).encode())
        except OSError as error:
            raise SettingsError(f"LOOKBACK_HOME is wrong: the folder cannot be written ({error.strerror}).") from error
    return found


def _prepared(folder: Path, variable: str, known: RootIdentity | None) -> RootIdentity:
    try:
        if known is not None and is_away(folder, known):  # asked before anything is made there
            raise SettingsError(f"{variable} is wrong: {_NOT_MOUNTED}")
        prepare_folder(folder, variable)
        return recognise(folder, known)
    except OSError as error:
        raise SettingsError(f"{variable} is wrong: the folder cannot be used ({error.strerror}).") from error


def _if_of(folder: Path, kept: RootIdentity | None) -> RootIdentity | None:
    """The identity, unless it was said of a folder that was configured before this one."""
    if kept is None:
        return None
    below = folder.is_relative_to(kept.mount_point) or folder.resolve().is_relative_to(kept.mount_point)
    return kept if below else None
