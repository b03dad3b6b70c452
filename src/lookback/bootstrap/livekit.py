"""What has to do with LiveKit, put together from the settings."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.bootstrap.parts import clock_us
from lookback.livekit.client import a_livekit_client
from lookback.livekit.door import LivekitDoor
from lookback.livekit.egress import EgressClient
from lookback.livekit.tokens import Credentials
from lookback.livekit.webhooks import LivekitWebhooks, Signatures
from lookback.sessions.announcements import Announcements
from lookback.sessions.auto_start import AutoStart
from lookback.sessions.egress_orders import EgressOrders
from lookback.sessions.egress_places import EgressOptions
from lookback.sessions.egress_shares import EgressShares
from lookback.sessions.livekit_shares import LivekitStarter
from lookback.sessions.room_watch import RoomWatch, WatchTimes

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from lookback.access.ports import Communities, Grants
    from lookback.livekit.client import LivekitClient
    from lookback.livekit.webhooks import EgressEvents
    from lookback.sessions.auto_start import Preferences
    from lookback.sessions.buffers import SessionBuffers
    from lookback.sessions.model import Session
    from lookback.sessions.moves import Moves
    from lookback.sessions.ports import Recorder, SessionRepository
    from lookback.sessions.service import SessionService
    from lookback.sessions.starting import Starts
    from lookback.settings import Settings


def credentials_of(settings: Settings) -> Credentials | None:
    """Where the LiveKit server is; None when it is not configured."""
    url, key, secret = settings.livekit_url, settings.livekit_api_key, settings.livekit_api_secret
    return Credentials(url, key, secret.get_secret_value()) if url and key and secret else None


async def livekit_client(settings: Settings, stack: AsyncExitStack) -> LivekitClient | None:
    """A client until the stack is left; None when LiveKit is not configured."""
    credentials = credentials_of(settings)
    return await stack.enter_async_context(a_livekit_client(credentials)) if credentials else None


def recorder_identity(settings: Settings) -> str:
    """What the recorder of this installation is called in rooms: the same after every start, unlike any other's."""
    place = f"{socket.gethostname()}:{settings.home}"
    return f"lookback-{hashlib.sha256(place.encode()).hexdigest()[:16]}"


def livekit_starter(settings: Settings, recorder: Recorder, server: LivekitClient) -> LivekitStarter:
    """What records shares of rooms directly."""
    return LivekitStarter(recorder, server, recorder_identity(settings), clock_us)


def egress_options(settings: Settings) -> EgressOptions | None:
    """How shares are recorded by LiveKit Egress; None when it is not used."""
    path = settings.lookback_egress_path
    if path is None:
        return None
    seen = path.expanduser().absolute()
    return EgressOptions(
        seen=seen,
        written=settings.lookback_egress_output_path or str(seen),
        spare=settings.lookback_egress_temp_path,
        segment_seconds=settings.lookback_egress_segment_seconds,
        audio_kbps=settings.lookback_egress_audio_kbps,
        delay_seconds=settings.lookback_egress_delay_seconds,
        keep_files=settings.lookback_egress_keep_files,
    )


def egress_shares(
    options: EgressOptions,
    rows: SessionRepository,
    recorder: Recorder,
    server: LivekitClient,
    *,
    moves: Moves,
    buffers: SessionBuffers,
) -> EgressShares:
    """What records shares of rooms by LiveKit Egress."""
    egress = EgressClient(server.api)
    orders = EgressOrders(rows, recorder, moves, egress, options, clock=clock_us)

    async def buffered_until(session: Session) -> int | None:
        return (await buffers.buffered(session)).until_us

    return EgressShares(
        rows, recorder, server, egress, orders, options=options, clock=clock_us, buffered_until=buffered_until
    )


@dataclass(frozen=True, slots=True)
class LivekitWork:
    """What goes on by itself because of LiveKit, and where HTTP meets it."""

    starter: LivekitStarter
    watch: RoomWatch
    announcements: Announcements
    door: LivekitDoor

    async def run(self) -> None:
        """Until cancelled: follow the rooms, record what was lost anew, and tell people."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.starter.run())
            tasks.create_task(self.watch.run())
            tasks.create_task(self.announcements.run())


@dataclass(frozen=True, slots=True)
class SessionSide:
    """What of sessions and people LiveKit's side needs."""

    rows: SessionRepository
    moves: Moves
    recorder: Recorder
    service: SessionService
    starts: Starts
    communities: Communities
    preferences: Preferences
    grants: Grants


def livekit_work(
    settings: Settings, client: LivekitClient, starter: LivekitStarter, egress: EgressEvents | None, side: SessionSide
) -> LivekitWork:
    """Everything that follows LiveKit's rooms."""
    announcements = Announcements(client)
    side.moves.watch(announcements.moved)
    watch = RoomWatch(
        client,
        side.rows,
        side.recorder,
        side.service,
        AutoStart(side.starts, side.communities, side.preferences, side.grants, clock_us),
        recorder_identity=recorder_identity(settings),
        clock=clock_us,
        times=WatchTimes(round(settings.lookback_grace_seconds * 1e6), settings.lookback_reconcile_seconds),
    )
    side.moves.watch(watch.moved)
    webhooks = LivekitWebhooks(Signatures(settings.livekit_secrets, clock_us), watch, egress, clock_us)
    return LivekitWork(starter, watch, announcements, LivekitDoor(webhooks, client, settings.lookback_livekit_join))
