"""Gather what the doctor judges: from outside for `lookback doctor`, from inside for the server's own answer."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

import av

from lookback.bootstrap.alerts import try_alerts
from lookback.bootstrap.livekit import credentials_of
from lookback.bootstrap.parts import clock_us, recorder_config
from lookback.bootstrap.roots import known_roots
from lookback.bootstrap.running_server import RunningServer
from lookback.bootstrap.share_facts import look_at_share
from lookback.db.engine import connect
from lookback.db.examination import look_at_database
from lookback.errors import LookbackError, SettingsError
from lookback.home import has_begun, server_runs
from lookback.livekit.client import a_livekit_client
from lookback.livekit.examination import look_at_livekit
from lookback.operations.bounded import Bounded
from lookback.operations.doctor.alerts import judge_alerts
from lookback.operations.doctor.clock import judge_clock
from lookback.operations.doctor.configuration import judge_settings
from lookback.operations.doctor.database import judge_database
from lookback.operations.doctor.findings import Finding, Level, wrong
from lookback.operations.doctor.folders import FolderFacts, judge_folder, judge_pair, look_at_folder
from lookback.operations.doctor.livekit import judge_door, judge_egress, judge_livekit
from lookback.operations.doctor.ports import judge_ports, judge_reach, look_at_port
from lookback.operations.doctor.remedies import Problem
from lookback.operations.doctor.running import (
    DECODERS,
    ENCODERS,
    RecorderFacts,
    judge_codecs,
    judge_open_files,
    judge_recorder,
    judge_server,
)
from lookback.operations.doctor.secrets import judge_livekit_secret, judge_secret, look_at_secret
from lookback.operations.doctor.share import judge_share
from lookback.recorder.addresses import to_bind
from lookback.recorder.control import GetStatus, WorkerStatus
from lookback.recorder.control_client import ControlClient
from lookback.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lookback.buffer.marker import RootIdentity
    from lookback.operations.doctor.alerts import Alerting
    from lookback.operations.doctor.database import DatabaseFacts
    from lookback.operations.doctor.livekit import Folder, LivekitFacts
    from lookback.operations.doctor.running import Server

T = TypeVar("T")

_RECORDER_S = 3.0
_SILENT = FolderFacts(fault=errno.ETIMEDOUT)
_SERVER_ONLY = frozenset({"webhooks"})
"""Checks that only the running server can make; a command takes its word for them."""


class Wanted(NamedTuple):
    """One share to look at."""

    room_name: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Processes:
    """What runs, here and where alerts go. `told`: what the running server found that nobody else can."""

    server: Server
    recorder: RecorderFacts
    alerting: Alerting = "off"
    told: Sequence[Finding] = field(default_factory=tuple)


async def examine_from_outside(wanted: Wanted | None = None) -> list[Finding]:
    """Look at the installation that the environment describes; nothing of it is made or changed."""
    known = [name.upper() for name in Settings.model_fields]
    try:
        settings = load_settings()
    except SettingsError as error:
        return list(judge_settings(error.detail, os.environ, known))
    found = list(judge_settings(None, os.environ, known))
    return found + await examine(settings, await _processes(settings), Folders(settings), wanted)


async def examine(
    settings: Settings, processes: Processes, folders: Folders, wanted: Wanted | None = None
) -> list[Finding]:
    """Look at everything beside the settings themselves."""
    database, livekit = await asyncio.gather(look_at_database(settings.database, clock_us), _livekit(settings))
    return [
        *_secrets(settings),
        judge_database(database),
        *await asyncio.to_thread(folders.judge),
        *judge_clock(clock_us(), {"the database": database.clock_us, "LiveKit": livekit.clock_us if livekit else None}),
        judge_server(processes.server),
        *_recorder(processes),
        *await asyncio.to_thread(_ports, settings, processes),
        judge_codecs(*_codecs()),
        judge_open_files(_open_files()),
        judge_alerts(processes.alerting),
        *_about_livekit(settings, livekit),
        *processes.told,
        *await _share(settings, database, wanted),
    ]


# ---- processes


async def _processes(settings: Settings) -> Processes:
    server = "stopped" if not await asyncio.to_thread(server_runs, settings.home) else await _server(settings)
    told = await _told(settings) if server == "answers" else ()
    return Processes(server, await _look_at_recorder(settings), await try_alerts(settings), told)


async def _server(settings: Settings) -> Server:
    if settings.lookback_port == 0:
        return "answers"  # where it listens is not known; that it holds its lock is all there is to see
    try:
        return "answers" if await RunningServer.of(settings).answers() else "silent"
    except SettingsError:
        return "answers"  # nobody can ask without the secret, and what is wrong with that is said already


async def _told(settings: Settings) -> list[Finding]:
    try:
        answer = await RunningServer.of(settings).get("/admin/health")
        items = answer["findings"]
        found = [Finding(i["id"], Level(i["level"]), i["sentence"], i["todo"]) for i in items]
    except (LookbackError, KeyError, TypeError, ValueError):
        return []  # another version's, or somebody else's; what we see ourselves is said all the same
    return [finding for finding in found if finding.check in _SERVER_ONLY]


async def _look_at_recorder(settings: Settings) -> RecorderFacts:
    config = recorder_config(settings)
    try:
        async with asyncio.timeout(_RECORDER_S):
            async with await ControlClient.connect(config.socket_path, lambda _: None) as client:
                welcome = await client.hello()
                status = await client.request(GetStatus())
    except TimeoutError:
        return RecorderFacts("silent")
    except OSError:
        return RecorderFacts("absent")
    except LookbackError:
        return RecorderFacts("other")
    sessions = len(status.sessions) if isinstance(status, WorkerStatus) else 0
    return RecorderFacts("answers", same=welcome.config_digest == config.digest, sessions=sessions)


def _recorder(processes: Processes) -> list[Finding]:
    found = judge_recorder(processes.recorder, processes.server)
    return [] if found is None else [found]


# ---- this machine


def _secrets(settings: Settings) -> list[Finding]:
    configured = settings.lookback_jwt_secret
    found = [judge_secret(look_at_secret(configured.get_secret_value() if configured else None, settings.home))]
    if settings.livekit_api_secret is not None:
        weak = judge_livekit_secret(settings.livekit_api_secret.get_secret_value())
        found += [weak] if weak is not None else []
    return found


class Folders:
    """The folders of an installation. Each is looked at in a thread of its own: a disk that hangs hangs nobody."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._home = Bounded(partial(look_at_folder, settings.home))
        self._buffer = Bounded(lambda: _look_at_root(settings.buffer_path, known_roots(settings).buffer))
        self._clips = Bounded(lambda: _look_at_root(settings.storage_path, known_roots(settings).storage))

    def judge(self) -> list[Finding]:
        """Blocks. Nothing is said of folders in a home that cannot be used: they are what is wrong with it."""
        settings = self._settings
        home = _answered(self._home, _SILENT)
        if home.fault:
            return [wrong(Problem.HOME_UNUSABLE, f"LOOKBACK_HOME cannot be written ({os.strerror(home.fault)})")]
        buffer, buffer_path = _answered(self._buffer, (_SILENT, settings.buffer_path))
        clips, clips_path = _answered(self._clips, (_SILENT, settings.storage_path))
        began, floor = has_begun(settings.home), settings.min_free_bytes
        return [
            *judge_folder("buffer", buffer, began=began, floor_bytes=floor),
            *judge_folder("clips", clips, began=began, floor_bytes=floor),
            *judge_pair(buffer_path, clips_path, buffer, clips),
        ]


def _answered(look: Callable[[], T], otherwise: T) -> T:
    try:
        return look()
    except TimeoutError:
        return otherwise


def _look_at_root(path: Path, root: RootIdentity | None) -> tuple[FolderFacts, Path]:
    """What was seen of a root, and where it is without links. Blocks."""
    return look_at_folder(path, root), path.resolve()


def _ports(settings: Settings, processes: Processes) -> list[Finding]:
    """Blocks for no time worth speaking of."""
    host, port = settings.lookback_host, settings.lookback_port
    api = look_at_port("port", host, port, ours=processes.server != "stopped")
    recorded = processes.recorder.state != "absent"
    media = [
        look_at_port("media-port", address, settings.lookback_rtc_port, ours=recorded)
        for address in to_bind(settings.lookback_rtc_addresses)
    ]
    reach = judge_reach(host, settings.lookback_public_url is not None, settings.advertised)
    return [*judge_ports("port", [api]), *judge_ports("media-port", media), *reach]


def _codecs() -> tuple[set[str], set[str]]:
    return {name for name in DECODERS if _has(name, "r")}, {name for name in ENCODERS if _has(name, "w")}


def _has(name: str, mode: Literal["r", "w"]) -> bool:
    try:
        av.codec.Codec(name, mode)
    except (av.error.FFmpegError, ValueError):
        return False
    return name in av.codecs_available


def _open_files() -> int | None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return None if hard == resource.RLIM_INFINITY else hard


# ---- LiveKit


async def _livekit(settings: Settings) -> LivekitFacts | None:
    credentials = credentials_of(settings)
    if credentials is None:
        return None
    return await look_at_livekit(credentials, clock_us, egress=settings.lookback_egress_path is not None)


def _about_livekit(settings: Settings, facts: LivekitFacts | None) -> list[Finding]:
    public = settings.lookback_public_url is not None
    found = [judge_livekit(facts), *judge_door(open_to_all=settings.lookback_livekit_join, public=public)]
    if settings.lookback_egress_path is not None and (facts is None or facts.fault is None):
        folder = _egress_folder(settings.lookback_egress_path.expanduser().absolute())
        found.append(judge_egress(livekit=facts is not None, folder=folder, asked=facts.egress if facts else None))
    return found


def _egress_folder(path: Path) -> Folder:
    if not path.is_dir():
        return "missing"
    return "forbidden" if look_at_folder(path).fault else "fine"


# ---- one share


async def _share(settings: Settings, database: DatabaseFacts, wanted: Wanted | None) -> list[Finding]:
    if wanted is None:
        return []
    if database.fault is not None or database.revision != database.newest:
        return []  # what is wrong with the database is said already
    credentials = credentials_of(settings)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(a_livekit_client(credentials)) if credentials else None
        engine = connect(settings.database)
        stack.push_async_callback(engine.dispose)
        return judge_share(await look_at_share(settings, engine, client, wanted.room_name, wanted.user_id))
