"""An installation that runs."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, Self, cast

from lookback.access.audit import Audit
from lookback.access.consent import Consents
from lookback.access.known_users import KnownUsers
from lookback.access.revocations import Revocations
from lookback.access.signed_urls import MediaLinks
from lookback.api.app import HttpConfig, create_app
from lookback.api.metrics import Metrics
from lookback.api.ports import Services
from lookback.bootstrap.adapters import Accounts, Readiness
from lookback.bootstrap.alerts import alert_desk
from lookback.bootstrap.health import Health
from lookback.bootstrap.library import clip_services, quota_office
from lookback.bootstrap.livekit import (
    LivekitWork,
    SessionSide,
    egress_options,
    egress_shares,
    livekit_client,
    livekit_starter,
    livekit_work,
)
from lookback.bootstrap.measuring import Measured, measure
from lookback.bootstrap.parts import (
    WEB_FOLDER,
    buffer_layout,
    clock_us,
    http_config,
    new_id,
    prepare_folders,
    recorder_config,
    secret_of,
    times_of,
    tokens_of,
)
from lookback.bootstrap.people import people
from lookback.bootstrap.privacy import SessionParts, privacy, rate_limits
from lookback.bootstrap.space import Room, space_desk, sweeper_of
from lookback.bootstrap.storage import disk_threads, storage_watch
from lookback.bootstrap.studio import studio
from lookback.bootstrap.tracing import traces_of
from lookback.buffer.reader import SegmentCache
from lookback.clips.expiry import ClipExpiry
from lookback.db.audit import SqlAuditRepository
from lookback.db.clips import SqlClipRepository
from lookback.db.consents import SqlConsentRepository
from lookback.db.engine import open_database
from lookback.db.erasures import SqlErasureRepository
from lookback.db.sessions import SqlSessionRepository
from lookback.db.users import SqlUserRepository
from lookback.home import only_server
from lookback.livekit.door import LivekitDoor
from lookback.operations.alert_watch import AlertWatch
from lookback.operations.notices import NoticeBoard
from lookback.recorder.supervisor import Supervisor
from lookback.sessions.admission import Admission
from lookback.sessions.buffers import SessionBuffers
from lookback.sessions.keeper import SessionKeeper
from lookback.sessions.moves import Moves
from lookback.sessions.onlookers import Onlookers
from lookback.sessions.rights import SessionRights
from lookback.sessions.roll_call import RollCall
from lookback.sessions.service import SessionService
from lookback.sessions.starting import Starts, SyntheticStarter

if TYPE_CHECKING:
    from types import TracebackType

    from lookback.sessions.model import Source
    from lookback.sessions.ports import SourceStarter
    from lookback.settings import Settings


class App:
    """An installation that runs while the `async with` block does; raises SettingsError when it cannot.

    Leaving the block in good order ends the recorder, too; being killed leaves it recording for the next start.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.metrics = settings, Metrics()
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
        self.traces = traces_of(settings, self._stack)  # before all that may be traced, and so ended after it
        secret_of(settings)  # made, when it must be, before there is a database
        self.engine = await open_database(settings.database)
        self._stack.push_async_callback(self.engine.dispose)
        self.revocations = Revocations(SqlErasureRepository(self.engine), clock_us)
        self.tokens = tokens_of(settings, self.revocations)
        self.livekit = await livekit_client(settings, self._stack)
        self._compose()
        await self.clips.quota.recover()  # before anybody captures: what is held from now on is held by this process
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
            tasks.create_task(self.roll_call.run(), name="roll call")
            tasks.create_task(self.space.watch.run(), name="space")
            tasks.create_task(self.disks.run(), name="disks")
            tasks.create_task(self.alerts.run(), name="alerts")
            tasks.create_task(self.watch.run(), name="watch")
            tasks.create_task(self.clips.background.run(), name="clips")
            tasks.create_task(self.expiry.run(), name="expiry")
            tasks.create_task(self.figures.run(), name="figures")
            tasks.create_task(self.clips.thumbnailer.run(), name="thumbnails")
            if self.livekit_work is not None:
                tasks.create_task(self.livekit_work.run(), name="livekit")
            if self.egress is not None:
                tasks.create_task(self.egress.run(self.sessions.end), name="egress")
            tasks.create_task(self.privacy.run(), name="privacy")

    def _compose(self) -> None:
        settings, layout, cache = self.settings, buffer_layout(self.settings), SegmentCache()
        self.room, rows = Room.of(settings), SqlSessionRepository(self.engine)
        self.audit = Audit(SqlAuditRepository(self.engine), clock_us)
        self.alerts = alert_desk(settings, secret_of(settings))
        self.disks = storage_watch(settings, self.audit, self.alerts)
        self.threads = disk_threads(self.disks)
        self.recorder = Supervisor(recorder_config(settings), now_us=clock_us, disk=self.threads.buffer)
        buffers, moves = SessionBuffers(layout, cache, self.threads.buffer), Moves(rows, clock_us, self.audit)
        self.known = KnownUsers(self.tokens, SqlUserRepository(self.engine), clock_us)
        self.people = people(settings, self.engine, self.known, self.audit, self.livekit)
        communities, consents = self.people.communities, Consents(SqlConsentRepository(self.engine))
        self.admission = Admission(
            rows, communities, consents, self.audit, clock_us, new_id, self.livekit, self.room.disks, self.disks
        )
        starts = Starts(self.admission, communities, self._starters(rows, moves, buffers))
        self._compose_sessions(rows, buffers, moves, starts)
        self.livekit_work = self._livekit_work(
            SessionSide(rows, moves, self.recorder, self.sessions, starts, communities, consents, self.people.grants)
        )
        self.clips = clip_services(
            settings,
            self.engine,
            self.sessions,
            cache,
            communities,
            space=self.room.disks,
            leases=self.room.leases,
            times=self.traces.captures(self.metrics),
            threads=self.threads,
            work=self.traces.work,
        )
        self.expiry = ClipExpiry(SqlClipRepository(self.engine), self.clips.rows, communities, clock_us)
        self.privacy = privacy(
            settings,
            self.engine,
            self.audit,
            sessions=SessionParts(rows, self.sessions, buffers, self.recorder),
            clips=self.clips,
            forget=self._forget_user,
        )
        self.readiness = Readiness(self.engine, self.recorder, self.disks)
        self.figures = measure(self.metrics, self._measured(), settings, self.engine)
        self.http = create_app(self._services(), http_config(settings), self.metrics, self.traces)
        if settings.lookback_studio:
            self._stack.push_async_callback(studio(self.http, settings, self.people.grants, self.audit).dispose)

    def _compose_sessions(
        self, rows: SqlSessionRepository, buffers: SessionBuffers, moves: Moves, starts: Starts
    ) -> None:
        communities = self.people.communities
        self.sessions = SessionService(
            rows,
            self.recorder,
            buffers,
            moves,
            clock=clock_us,
            starts=starts,
            rights=SessionRights(communities, self.livekit),
            onlookers=Onlookers(self.audit, clock_us),
            windows=self.room.windows,
            leases=self.room.leases,
        )
        self.sweeper = sweeper_of(
            self.settings, rows, buffers, moves, communities, room=self.room, work=self.traces.work
        )
        self.space = space_desk(self.room, self.sweeper, rows, self.recorder, audit=self.audit, alerts=self.alerts)
        self.watch = AlertWatch(self.recorder, self._cleaned_us, self.alerts.tell, clock=clock_us)
        self.keeper = SessionKeeper(
            rows,
            self.recorder,
            buffers,
            moves,
            self.sessions,
            clock=clock_us,
            times=times_of(self.settings),
            communities=communities,
            starts=starts,
            sweeper=self.sweeper,
        )
        self.roll_call = RollCall(
            rows, self.recorder, moves, self.sessions, clock=clock_us, segment_us=self.settings.segment_us
        )

    def _cleaned_us(self) -> int | None:
        return self.sweeper.last[0] if self.sweeper.last is not None else None

    def _forget_user(self, user_id: str) -> None:
        """Read everything about somebody's rights anew: they are being erased."""
        self.revocations.forget()
        self.people.grants.forget()
        self.known.forget(user_id)

    def _starters(
        self, rows: SqlSessionRepository, moves: Moves, buffers: SessionBuffers
    ) -> dict[Source, SourceStarter]:
        starters: dict[Source, SourceStarter] = {"synthetic": SyntheticStarter(self.recorder)}
        if self.livekit is not None:
            starters["livekit"] = self.livekit_starter = livekit_starter(self.settings, self.recorder, self.livekit)
        options = egress_options(self.settings)
        self.egress = None
        if self.livekit is not None and options is not None:
            self.egress = egress_shares(options, rows, self.recorder, self.livekit, moves=moves, buffers=buffers)
            starters["egress"] = self.egress
        return starters

    def _livekit_work(self, side: SessionSide) -> LivekitWork | None:
        if self.livekit is None:
            return None
        return livekit_work(self.settings, self.livekit, self.livekit_starter, self.egress, side)

    def _measured(self) -> Measured:
        webhooks = self.livekit_work.door.webhooks if self.livekit_work else None
        return Measured(
            self.recorder, self.keeper, self.sweeper, self.space, self.readiness, self.livekit, webhooks, self.alerts
        )

    def _services(self) -> Services:
        settings, clips = self.settings, self.clips
        door = self.livekit_work.door if self.livekit_work else LivekitDoor()
        base = str(settings.lookback_public_url).rstrip("/") if settings.lookback_public_url else ""
        return Services(
            authenticator=self.people.grants,
            links=MediaLinks(secret_of(settings), clock_us, base),
            sessions=self.sessions,
            captures=clips.captures,
            library=clips.library,
            renditions=clips.renditions,
            playback=clips.playback,
            quotas=quota_office(self.engine, clips, self.audit),
            accounts=Accounts(clips.quota, settings.quota_bytes),
            readiness=self.readiness,
            communities=self.people.community_administration,
            roles=self.people.role_administration,
            rates=rate_limits(settings),
            revocations=self.revocations,
            audit=self.privacy.audit,
            consent=self.privacy.consent,
            erasures=self.privacy.erasures,
            personal_data=self.privacy.personal_data,
            livekit=door,
            health=Health(settings, self.recorder, door.webhooks, self.alerts),
            space=self.space,
            notices=NoticeBoard(self.space.space, self.disks),
        )


def openapi_document() -> dict[str, Any]:
    """What the HTTP API says of itself. No service is needed for that."""
    return create_app(cast("Services", None), HttpConfig(WEB_FOLDER)).openapi()
