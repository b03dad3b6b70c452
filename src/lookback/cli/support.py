"""`lookback support-bundle`: everything that helps to find out what is wrong, in one file without a secret in it."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import zipfile
from collections import Counter
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import av
import typer
from pydantic import SecretStr
from sqlalchemy import func, select

import lookback
from lookback.access.redaction import without_secrets
from lookback.bootstrap.doctor import examine_from_outside
from lookback.bootstrap.parts import clock_us
from lookback.buffer.layout import BufferLayout
from lookback.cli.doctor import as_document, silence
from lookback.cli.words import sentences
from lookback.clips.store import ClipStore
from lookback.db.engine import connect
from lookback.db.examination import look_at_database
from lookback.db.models import Base, SessionRow
from lookback.errors import SettingsError
from lookback.home import SECRET_FILE
from lookback.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

_HIDDEN = "[hidden]"
_MOST_LOG_BYTES = 5_000_000
_MOST_ROWS = 1000
_SHORTEST_SECRET = 4
# What says how a session went, and nobody's name.
_OF_SESSIONS = (
    "session_id", "source", "state", "reason", "started_at_us", "since_us", "ended_at_us", "drains_at_us",
    "video_codec", "audio_codec", "width", "height",
)  # fmt: skip


def add_support(app: typer.Typer) -> None:
    """Let the application have the command."""
    app.command("support-bundle")(support_bundle)


def support_bundle(
    output: Annotated[Path | None, typer.Option(help="The file to write; it must not be there yet.")] = None,
    log: Annotated[
        list[Path] | None,
        typer.Option(help="A file with the server's log, such as of journalctl; several may be given."),
    ] = None,
) -> None:
    """Write a ZIP file with settings, findings, versions and figures for whoever helps, and no secret.

    Rooms and people are not named in it, but for what a log says.
    """
    silence()
    now = datetime.now(UTC)
    path = output or Path(f"lookback-support-{now:%Y%m%dT%H%M%SZ}.zip")
    with sentences():
        parts = asyncio.run(_parts(log or []))
        _write(path, parts, now)
    typer.echo(f"{path} has {len(parts)} files. Look through it before you send it to anybody.")


def _write(path: Path, parts: Mapping[str, str], now: datetime) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}.") from error
    with os.fdopen(fd, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, date_time=now.timetuple()[:6]), text, zipfile.ZIP_DEFLATED)


async def _parts(logs: Sequence[Path]) -> dict[str, str]:
    """The files by their names. What cannot be found out says so in its place: the rest helps all the same."""
    works: dict[str, Callable[[], Awaitable[str]]] = {"about.json": _about, "doctor.json": _doctor}
    hidden = _secrets(os.environ)
    try:
        settings = load_settings()
    except SettingsError as error:
        wrong = error.detail
        works["settings.json"] = lambda: _said({"wrong": wrong.splitlines()})
    else:
        works |= {
            "settings.json": lambda: _said(dict(_settings(settings))),
            "database.json": lambda: _database(settings),
            "files.json": lambda: asyncio.to_thread(_files, settings),
        }
    for number, path in enumerate(logs):
        works[f"logs/{number}-{path.name}"] = lambda path=path: asyncio.to_thread(_tail, path)  # type: ignore[misc]
    return {name: _clean(await _try(work), hidden) for name, work in works.items()}


async def _try(work: Callable[[], Awaitable[str]]) -> str:
    try:
        return await work()
    except Exception as error:  # noqa: BLE001 - whatever is broken is what the bundle is made for
        return f"This could not be found out: {type(error).__name__}: {error}"


def _clean(text: str, hidden: Sequence[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, _HIDDEN)
    return without_secrets(text)


def _secrets(environment: Mapping[str, str]) -> list[str]:
    """Everything that must not leave the machine, the longest first; also where the settings cannot be read.

    What is a secret by its kind, what is one within an address, and what is in our own file.
    """
    found: list[str] = []
    for name, field in Settings.model_fields.items():
        value = environment.get(name.upper(), "")
        secret = _is_key(name) or SecretStr in _kinds(field.annotation)
        found += [*_secrets_in(value, whole=secret), *([value] if secret else ())]
    home = Path(environment.get("LOOKBACK_HOME") or Settings.model_fields["lookback_home"].default).expanduser()
    with suppress(OSError, ValueError):  # where it cannot be read it is nowhere else either
        found.append((home / SECRET_FILE).read_text().strip())
    long_enough = {secret for secret in found if len(secret) >= _SHORTEST_SECRET}
    written = {json.dumps(secret)[1:-1] for secret in long_enough}  # as it is in a document
    return sorted(long_enough | written, key=len, reverse=True)


def _kinds(annotation: object) -> tuple[object, ...]:
    """The members of `X | None`, and what is annotated."""
    return tuple(kind for member in (get_args(annotation) or (annotation,)) for kind in (member, *get_args(member)))


def _secrets_in(value: str, *, whole: bool) -> Iterator[str]:
    """The passwords in an address; of one that is a `whole` secret also its path."""
    try:
        parts = urlsplit(value)
        query = parse_qsl(parts.query)
    except ValueError:
        return
    if not parts.netloc:
        return
    for password in (parts.password or "", *(inner for name, inner in query if "pass" in name)):
        yield from (password, unquote(password), quote(password, safe=""))
    if whole:
        yield from (parts.path, parts.query)


def _is_key(name: str) -> bool:
    return name.endswith("_key")


def _settings(settings: Settings) -> Iterator[tuple[str, Any]]:
    for name, value in settings:
        secret = isinstance(value, SecretStr) or _is_key(name)
        yield name.upper(), _HIDDEN if secret and value is not None else value


async def _said(document: Any) -> str:
    return json.dumps(document, indent=2, default=str, ensure_ascii=False)


async def _about() -> str:
    return await _said(
        {
            "version": lookback.__version__,
            "python": platform.python_version(),
            "machine": platform.platform(),
            "processors": os.cpu_count(),
            "ffmpeg": {name: ".".join(map(str, version)) for name, version in av.library_versions.items()},
            "libraries": dict(sorted((one.name, one.version) for one in distributions())),
        }
    )


async def _doctor() -> str:
    return as_document(await examine_from_outside(None))


async def _database(settings: Settings) -> str:
    facts = await look_at_database(settings.database, clock_us)
    if facts.fault is not None or not facts.made:  # to connect would make a file that is not there
        return await _said({"facts": repr(facts)})
    counts = {}
    async with _connection(settings) as connection:
        for table in Base.metadata.sorted_tables:
            counts[table.name] = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
        columns = [getattr(SessionRow, name) for name in _OF_SESSIONS]
        newest = select(*columns).order_by(SessionRow.started_at_us.desc()).limit(_MOST_ROWS)
        sessions = [dict(row) for row in (await connection.execute(newest)).mappings()]
    return await _said({"facts": repr(facts), "rows": counts, "sessions": sessions})


@asynccontextmanager
async def _connection(settings: Settings) -> AsyncIterator[AsyncConnection]:
    engine = connect(settings.database)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def _files(settings: Settings) -> str:
    """How much there is, by session and by clip: the folders above them have the names of rooms and people."""
    layout = BufferLayout(settings.buffer_path)
    store = ClipStore(settings.storage_path, layout)
    return json.dumps(
        {"sessions": _listed(layout.root, layout.sessions), "clips": _listed(store.root, store.directories)}
    )


def _listed(root: Path, directories: Callable[[], Iterable[Path]]) -> dict[str, Any]:
    if not root.is_dir():
        return {"wrong": "the folder is not there"}
    try:
        return {path.name: _sizes(path) for path in directories()}
    except OSError as error:
        return {"wrong": str(error.strerror)}


def _sizes(directory: Path) -> dict[str, Any]:
    kinds, size_bytes = Counter[str](), 0
    for path in directory.iterdir():
        kinds[path.suffix] += 1
        size_bytes += path.stat().st_size
    return {"files": dict(kinds), "bytes": size_bytes}


def _tail(path: Path) -> str:
    """The last lines of a log."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _MOST_LOG_BYTES))
        text = file.read().decode(errors="replace")
    return text if size <= _MOST_LOG_BYTES else text.partition("\n")[2]
