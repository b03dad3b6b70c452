"""Put the program together: the one place that knows every concrete class."""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from sqlalchemy import text

from lookback.access.known_users import KnownUsers
from lookback.access.signed_urls import MediaLinks
from lookback.access.tokens import JwksKeys, TokenPolicy, Tokens
from lookback.api.app import HttpConfig, create_app
from lookback.api.metrics import Metrics, RecorderMetrics
from lookback.api.ports import Account, Check, Services
from lookback.buffer.layout import BufferLayout
from lookback.buffer.reader import SegmentCache
from lookback.clips.assembly import ClipServices, assemble
from lookback.db.clips import SqlClipRepository
from lookback.db.engine import open_database
from lookback.db.sessions import SqlSessionRepository
from lookback.db.users import SqlUserRepository
from lookback.home import kept_secret, only_server, prepare_folder
from lookback.operations.readiness import look
from lookback.recorder.config import RecorderConfig, control_socket_path
from lookback.recorder.supervisor import Supervisor
from lookback.sessions.buffers import SessionBuffers
from lookback.sessions.keeper import SessionKeeper, Times
from lookback.sessions.model import SessionState
from lookback.sessions.moves import Moves
from lookback.sessions.service import SHOWN, SessionService

if TYPE_CHECKING:
    from types import TracebackType

    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.access.principal import Principal
    from lookback.clips.ports import SessionLookup
    from lookback.clips.quota import UserQuota
    from lookback.settings import Settings

WEB_FOLDER = Path(__file__).resolve().parents[2] / "web" / "dist"


def clock_us() -> int:
    """Now, in UTC microseconds."""
    return time.time_ns() // 1000


def new_id() -> str:
    """An id that sorts by time and cannot be guessed."""
    return f"{time.time_ns() // 1_000_000:011x}-{uuid.uuid4().hex[:20]}"


async def wait_until(instant_us: int) -> None:
    """Return when the clock has reached the instant."""
    while (left_us := instant_us - clock_us()) > 0:  # noqa: ASYNC110 - there is no event but the time itself
        await asyncio.sleep(left_us / 1e6)


def secret_of(settings: Settings) -> str:
    """The signing secret of an installation; made when there is none yet."""
    configured = settings.lookback_jwt_secret
    return configured.get_secret_value() if configured else kept_secret(settings.home)


def tokens_of(settings: Settings) -> Tokens:
    """What checks and mints tokens for an installation."""
    keys = JwksKeys(str(settings.lookback_jwks_url)) if settings.lookback_jwks_url else None
    return Tokens(TokenPolicy(secret_of(settings), keys, settings.lookback_jwt_audience), clock_us)


def http_config(settings: Settings) -> HttpConfig:
    """What the HTTP side of an installation is told."""
    return HttpConfig(WEB_FOLDER, settings.lookback_cors_origins, settings.lookback_ice_servers)


def clip_services(
    settings: Settings, engine: AsyncEngine, sessions: SessionLookup, cache: SegmentCache
) -> ClipServices:
    """Everything about clips of an installation."""
    return assemble(
        settings.storage_path,
        BufferLayout(settings.buffer_path),
        SqlClipRepository(engine),
        sessions,
        clock=clock_us,
        wait=wait_until,
        new_id=new_id,
        cache=cache,
        quota_bytes=settings.quota_bytes,
    )


def recorder_config(settings: Settings) -> RecorderConfig:
    """What the recorder of an installation is started with."""
    return RecorderConfig(
        buffer_path=settings.buffer_path,
        socket_path=control_socket_path(settings.home, Path(tempfile.gettempdir())),
        rtc_port=settings.lookback_rtc_port,
        bind_addresses=settings.lookback_rtc_addresses,
        advertise_addresses=settings.lookback_rtc_advertise,
        segment_seconds=settings.replay_segment_duration_seconds,
        log_level=settings.lookback_log_level,
        log_format="console" if settings.lookback_log_format == "console" else "json",
    )


def times_of(settings: Settings) -> Times:
    """How long what may last in an installation."""
    return Times(
        window_us=settings.window_us,
        keep_us=settings.keep_us,
        starting_us=round(settings.lookback_start_timeout_seconds * 1e6),
        grace_us=round(settings.lookback_grace_seconds * 1e6),
    )


def prepare_folders(settings: Settings) -> None:
    """Make the folders of an installation; raises SettingsError."""
    prepare_folder(settings.home, "LOOKBACK_HOME")
    prepare_folder(settings.buffer_path, "REPLAY_BUFFER_PATH")
    prepare_folder(settings.storage_path, "REPLAY_STORAGE_PATH")


@dataclass(frozen=True, slots=True)
class Accounts:
    """What is known about users."""

    quota: UserQuota
    quota_bytes: int

    async def account(self, who: Principal) -> Account:
        """See api.ports.Accounts."""
        return Account(self.quota_bytes, await self.quota.used_bytes(who.user_id))


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the server can do its work."""

    engine: AsyncEngine
    settings: Settings
    recorder: Supervisor

    async def checks(self) -> list[Check]:
        """See api.ports.Readiness."""
        settings = self.settings
        found = await look(self._ask, settings.buffer_path, settings.storage_path, self.recorder)
        return [Check(finding.name, finding.reason) for finding in found]

    async def _ask(self) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


class App:
    """An installation that runs while the `async with` block does; raises SettingsError when it cannot.

    Leaving the block in good order ends the recorder, too; being killed leaves it recording for the next start.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._enter()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _enter(self) -> None:
        settings = self.settings
        prepare_folders(settings)
        self._stack.enter_context(only_server(settings.home))
        self.tokens = tokens_of(settings)
        self.engine = await open_database(settings.database)
        self._stack.push_async_callback(self.engine.dispose)
        self._compose()
        self._stack.push_async_callback(self.recorder.shut_down)
        self._run = asyncio.create_task(self._run_all(), name="lookback")
        self._stack.push_async_callback(self._stop)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def ended(self) -> None:
        """Return only by raising what ended the background work."""
        await asyncio.shield(self._run)

    async def _stop(self) -> None:
        self._run.cancel()
        with suppress(asyncio.CancelledError):
            await self._run

    async def _run_all(self) -> None:
        await self.clips.recovery.check(repair=True)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.recorder.run(), name="recorder")
            tasks.create_task(self.keeper.run(), name="sessions")
            tasks.create_task(self.clips.background.run(), name="clips")
            tasks.create_task(self.clips.thumbnailer.run(), name="thumbnails")

    def _compose(self) -> None:
        settings, layout, cache = self.settings, BufferLayout(self.settings.buffer_path), SegmentCache()
        self.recorder = Supervisor(recorder_config(settings), now_us=clock_us)
        rows = SqlSessionRepository(self.engine)
        buffers, moves = SessionBuffers(layout, cache), Moves(rows, clock_us)
        self.sessions = SessionService(
            rows, self.recorder, buffers, moves, clock=clock_us, new_id=new_id, window_us=settings.window_us
        )
        self.keeper = SessionKeeper(
            rows, self.recorder, buffers, moves, self.sessions, clock=clock_us, times=times_of(settings)
        )
        self.clips = clip_services(settings, self.engine, self.sessions, cache)
        self.http = create_app(self._services(), http_config(settings), self._metrics())

    def _metrics(self) -> Metrics:
        metrics, keeper, recorder = Metrics(), self.keeper, self.recorder
        told = (state for state in SessionState if state in SHOWN)
        counts = {state.value: partial(lambda of: keeper.counts[of], state) for state in told}
        metrics.watch(lambda: recorder.connected, counts)
        metrics.registry.register(RecorderMetrics(lambda: recorder.status))
        return metrics

    def _services(self) -> Services:
        settings, clips = self.settings, self.clips
        base = str(settings.lookback_public_url).rstrip("/") if settings.lookback_public_url else ""
        return Services(
            authenticator=KnownUsers(self.tokens, SqlUserRepository(self.engine), clock_us),
            links=MediaLinks(secret_of(settings), clock_us, base),
            sessions=self.sessions,
            captures=clips.captures,
            library=clips.library,
            renditions=clips.renditions,
            playback=clips.playback,
            accounts=Accounts(clips.quota, settings.quota_bytes),
            readiness=Readiness(self.engine, settings, self.recorder),
        )


def openapi_document() -> dict[str, Any]:
    """What the HTTP API says of itself. No service is needed for that."""
    return create_app(cast("Services", None), HttpConfig(WEB_FOLDER)).openapi()
