"""Ask a LiveKit server about its Egress."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import aiohttp
import structlog
from google.protobuf.message import DecodeError
from livekit import api

from lookback.errors import LivekitUnavailableError, NoCapacityError, NotFoundError
from lookback.livekit.client import FAILED, REFUSED, SILENT, STRANGE
from lookback.sessions.egress_places import LIVE_PLAYLIST, PLAYLIST, PREFIX
from lookback.sessions.egresses import EgressFacts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lookback.sessions.egresses import EgressStatus, EgressWish

log = structlog.get_logger(__name__)

NOBODY = "No LiveKit Egress answers: none is running, or every one is at the limit of its CPU"
NO_REDIS = "This LiveKit server has no Egress: it needs Redis for that"
NO_ROOM = "The room has ended"
NOT_STOPPED = "LiveKit Egress does not answer: its service was probably killed"

# LiveKit itself looks for a service for up to 24 s, and waits 5 s for one to stop (measured).
_START_S, _STOP_S, _LIST_S = 30.0, 10.0, 5.0
_FPS = 30
_REFUSALS = frozenset({401, 403})
_OVER_ALREADY = frozenset({api.ServerErrorCode.NOT_FOUND, api.ServerErrorCode.FAILED_PRECONDITION})
_STATUS: dict[int, EgressStatus] = {
    api.EgressStatus.EGRESS_STARTING: "starting",
    api.EgressStatus.EGRESS_ACTIVE: "active",
    api.EgressStatus.EGRESS_ENDING: "ending",
    api.EgressStatus.EGRESS_COMPLETE: "complete",
    api.EgressStatus.EGRESS_FAILED: "failed",
    api.EgressStatus.EGRESS_ABORTED: "aborted",
    api.EgressStatus.EGRESS_LIMIT_REACHED: "limit-reached",
}


class EgressClient:
    """Implements sessions.egresses.EgressServer."""

    def __init__(self, client: api.LiveKitAPI) -> None:
        self._api = client

    async def start(self, wish: EgressWish) -> EgressFacts:
        """See EgressServer."""
        async with _understood(_START_S):
            return egress_facts(await self._api.egress.start_track_composite_egress(request_of(wish)))

    async def stop(self, egress_id: str) -> None:
        """See EgressServer."""
        async with _understood(_STOP_S):
            try:
                await self._api.egress.stop_egress(api.StopEgressRequest(egress_id=egress_id))
            except api.ServerError as error:
                if error.code not in _OVER_ALREADY:
                    raise

    async def known(self, room_name: str) -> list[EgressFacts]:
        """See EgressServer."""
        return await self._listed(api.ListEgressRequest(room_name=room_name))

    async def running(self) -> list[EgressFacts]:
        """See EgressServer."""
        return await self._listed(api.ListEgressRequest(active=True))

    async def _listed(self, wanted: api.ListEgressRequest) -> list[EgressFacts]:
        async with _understood(_LIST_S):
            return [egress_facts(info) for info in (await self._api.egress.list_egress(wanted)).items]


def request_of(wish: EgressWish) -> api.TrackCompositeEgressRequest:
    """The request for a wish: H.264 with a key frame per file, and AAC, in segments beside two playlists."""
    return api.TrackCompositeEgressRequest(
        room_name=wish.room_name,
        video_track_id=wish.video_sid,
        audio_track_id=wish.audio_sid or "",
        advanced=api.EncodingOptions(
            width=wish.width,
            height=wish.height,
            framerate=_FPS,
            video_codec=api.VideoCodec.H264_MAIN,
            video_bitrate=wish.video_kbps,
            audio_codec=api.AudioCodec.AAC,
            audio_bitrate=wish.audio_kbps,
        ),
        segment_outputs=[
            api.SegmentedFileOutput(
                filename_prefix=f"{wish.folder}/{PREFIX}",
                playlist_name=PLAYLIST,
                live_playlist_name=LIVE_PLAYLIST,
                segment_duration=wish.segment_seconds,
                disable_manifest=True,
            )
        ],
    )


def egress_facts(info: api.EgressInfo) -> EgressFacts:
    """What is known of an egress. What a server leaves out is the default, as protobuf has it: a status is starting."""
    composite = info.track_composite
    return EgressFacts(
        egress_id=info.egress_id,
        room_name=info.room_name or composite.room_name,
        status=_STATUS.get(info.status, "active"),
        video_sid=composite.video_track_id,
        folder=_folder(info),
        audio=bool(composite.audio_track_id),
        error=info.error,
        error_code=info.error_code,
        end_reason=info.details,
    )


def _folder(info: api.EgressInfo) -> str:
    """Where it writes: what was asked for, or where its results say that they are."""
    outputs = info.track_composite.segment_outputs
    name = outputs[0].filename_prefix if outputs else next((r.playlist_name for r in info.segment_results), "")
    return str(PurePosixPath(name).parent) if "/" in name else ""


@asynccontextmanager
async def _understood(patience_s: float) -> AsyncIterator[None]:
    """Give up in time, and turn whatever a request may raise into a sentence; no address or key in it."""
    try:
        async with asyncio.timeout(patience_s):
            yield
    except api.ServerError as error:
        log.warning("egress.refused", status=error.status, code=error.code, message=error.message)
        raise _error(error) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        log.warning("livekit.silent", error=str(error) or type(error).__name__)
        raise LivekitUnavailableError(SILENT) from error
    except DecodeError as error:
        raise LivekitUnavailableError(STRANGE) from error


def _error(error: api.ServerError) -> LivekitUnavailableError | NoCapacityError | NotFoundError:
    if error.status in _REFUSALS:
        return LivekitUnavailableError(REFUSED)
    if "redis required" in error.message:
        return LivekitUnavailableError(NO_REDIS)
    if error.code == api.ServerErrorCode.UNAVAILABLE:
        return NoCapacityError(NOBODY, retryAfter=10)
    if error.code == api.ServerErrorCode.NOT_FOUND:
        return NotFoundError(NO_ROOM)
    return LivekitUnavailableError(NOT_STOPPED if error.code == api.ServerErrorCode.DEADLINE_EXCEEDED else FAILED)
