"""One visit to a room as one participant: from the join until the connection is over, sockets lost on the way included.

What the server says changes what is known here, synchronously; a task of its own sends what follows from it. So
nothing is sent twice, and what could not be sent is sent after the resume.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from livekit.protocol import models, rtc

from lookback.errors import LivekitUnavailableError, LookbackError, MalformedError, UnsupportedCodecError, ungrouped
from lookback.recorder.answer import SUPPORTED_VIDEO
from lookback.recorder.backoff import Backoff
from lookback.recorder.livekit.leaving import LOST, Next, VisitEndedError, after
from lookback.recorder.livekit.media import MediaLostError, RoomMedia
from lookback.recorder.livekit.negotiation import Negotiation
from lookback.recorder.livekit.offer import read_answer
from lookback.recorder.livekit.share import REFUSED_CODEC, Roster
from lookback.recorder.livekit.signalling import SignallingLostError
from lookback.recorder.livekit.vigil import Vigil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lookback.recorder.livekit.offer import Stream
    from lookback.recorder.livekit.share import Share
    from lookback.recorder.livekit.signalling import Reach, Signalling

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.25
_RESUME_SECONDS = 3.0
_WORD_SECONDS = 0.5

MOVED = "The recorder was moved to another room"
NOT_ALLOWED = "The participant does not allow the recorder to receive the screen share"
MISUNDERSTOOD = "LiveKit's answer cannot be understood"


class Visit:
    """Made from a socket that has just joined. `on_change` is called whenever something that is known has changed.

    `roster` knows who shares what, `streams` the packets of the tracks that we receive, by track id. `clock` gives
    UTC microseconds.
    """

    def __init__(
        self, reach: Reach, signalling: Signalling, *, clock: Callable[[], int], on_change: Callable[[], None]
    ) -> None:
        join = signalling.first.join
        self._reach = reach
        self._signalling = signalling
        self._on_change = on_change
        self._sid = join.participant.sid
        self._negotiation = Negotiation()
        self._agreed: tuple[str, str] | None = None  # the last offer that was answered, and its answer
        self._offered = ""
        self._wanted: frozenset[tuple[str, str]] = frozenset()  # participant and track
        self._subscribed: frozenset[tuple[str, str]] = frozenset()
        self._resumed = False
        self._nudged = asyncio.Event()
        self._nudged.set()
        self.media = RoomMedia(clock, reach.new_agent)
        self._vigil = Vigil(join.ping_interval, join.ping_timeout, time.monotonic)
        self.roster = Roster()
        self.roster.replace(join.other_participants)
        self.streams: Mapping[str, Stream] = {}
        self._handlers: Mapping[str, Callable[[Any], None]] = {
            "update": self._update,
            "media_sections_requirement": self._require,
            "answer": self._answered,
            "subscription_response": self._subscription_failed,
            "subscription_permission_update": self._permission,
            "refresh_token": self._refresh,
            "pong_resp": self._ponged,
            "room_moved": self._moved,
        }

    @property
    def token(self) -> str:
        """The token that the server sent last: it replaces one that expires."""
        return self._reach.token

    def want(self, shares: Iterable[Share]) -> None:
        """Subscribe to these shares and to nothing else."""
        wanted = frozenset((share.participant_sid, sid) for share in shares for sid in share.track_sids)
        if wanted != self._wanted:
            self._wanted = wanted
            self._nudged.set()

    async def run(self) -> None:
        """Take part until the visit is over: raises VisitEndedError. Nothing is left behind, in the room neither."""
        try:
            await self.media.prepare()
            with ungrouped(VisitEndedError, MediaLostError):
                async with asyncio.TaskGroup() as tasks:
                    for work in (self.media.run(self._on_change), self._receive(), self._send(), self._keep_watch()):
                        tasks.create_task(work)
                    await self._listen()
        except MediaLostError as error:
            raise VisitEndedError(str(error)) from None
        finally:
            await self._signalling.leave()

    async def _receive(self) -> None:
        try:
            await self.media.watch()
        except MediaLostError:
            # The server closes media first and says why afterwards; whoever deleted a room must not find us in it.
            await asyncio.sleep(_WORD_SECONDS)
            raise

    # ---- what the server says

    async def _listen(self) -> None:
        while True:
            try:
                async for message in self._signalling.messages():
                    await self._take(message)
            except SignallingLostError:
                log.info("livekit.signalling_lost", url=self._reach.url)
            await self._resume()

    async def _take(self, message: rtc.SignalResponse) -> None:
        kind = message.WhichOneof("message")
        if kind in self._handlers:
            self._handlers[kind](getattr(message, kind))
        elif kind == "trickle":
            await self.media.candidate(json.loads(message.trickle.candidateInit).get("candidate", ""))
        elif kind == "leave":
            await self._sent_away(message.leave)

    def _update(self, update: rtc.ParticipantUpdate) -> None:
        if self._resumed:
            self._resumed = False
            self.roster.replace(update.participants)  # the first one after a resume names everybody
        else:
            self.roster.update(update.participants)
        self._on_change()

    def _require(self, wanted: rtc.MediaSectionsRequirement) -> None:
        self._negotiation.require(wanted.num_audios, wanted.num_videos)
        self._nudged.set()

    def _answered(self, message: rtc.SessionDescription) -> None:
        if not self._negotiation.answered(message.id):
            return
        try:
            answer = read_answer(message.sdp)
        except MalformedError as error:
            raise VisitEndedError(MISUNDERSTOOD) from error
        self._agreed = self._offered, message.sdp
        mids = message.mid_to_track_id
        self.streams = {mids[mid]: stream for mid, stream in answer.streams.items() if mid in mids}
        self.media.answered(answer)
        self._nudged.set()
        self._on_change()

    def _subscription_failed(self, response: rtc.SubscriptionResponse) -> None:
        log.warning("livekit.not_subscribed", track=response.track_sid, error=response.err)
        if response.err == models.SE_CODEC_UNSUPPORTED:
            refusal = UnsupportedCodecError(REFUSED_CODEC, offered=[], supported=list(SUPPORTED_VIDEO))
            self._refuse(response.track_sid, refusal)

    def _permission(self, update: rtc.SubscriptionPermissionUpdate) -> None:
        if update.allowed:
            self.roster.allow(update.track_sid)
            self._on_change()
        else:
            self._refuse(update.track_sid, LivekitUnavailableError(NOT_ALLOWED))

    def _refuse(self, track_sid: str, error: LookbackError) -> None:
        self.roster.refuse(track_sid, error)
        self._on_change()

    def _refresh(self, token: str) -> None:
        self._reach = replace(self._reach, token=token)

    def _ponged(self, _pong: rtc.Pong) -> None:
        self._vigil.ponged()

    def _moved(self, _moved: rtc.RoomMovedResponse) -> None:
        raise VisitEndedError(MOVED, Next.STAY_AWAY)

    async def _sent_away(self, leave: rtc.LeaveRequest) -> None:
        following, sentence = after(leave)
        log.info("livekit.sent_away", reason=models.DisconnectReason.Name(leave.reason), following=following.name)
        if following is not Next.RESUME:
            raise VisitEndedError(sentence, following)
        await self._signalling.close()

    # ---- what we say

    async def _send(self) -> None:
        while True:
            await self._nudged.wait()
            self._nudged.clear()
            try:
                await self._subscribe()
                await self._offer()
            except SignallingLostError:
                continue  # the listener finds out too, and nudges after the resume

    async def _subscribe(self) -> None:
        wanted, before = self._wanted, self._subscribed
        for subscribe, pairs in ((False, before - wanted), (True, wanted - before)):
            if pairs:
                tracks = [models.ParticipantTracks(participant_sid=who, track_sids=[sid]) for who, sid in sorted(pairs)]
                update = rtc.UpdateSubscription(subscribe=subscribe, participant_tracks=tracks)
                await self._signalling.send(subscription=update)
        if new := sorted(sid for _, sid in wanted - before):
            setting = rtc.UpdateTrackSettings(track_sids=new, quality=models.HIGH)
            await self._signalling.send(track_setting=setting)
        self._subscribed = wanted

    async def _offer(self) -> None:
        if not self._negotiation.due():
            return
        self._offered = self.media.offer(self._negotiation.sections)
        self._vigil.offered()
        await self._signalling.send(offer=self._description("offer", self._offered))

    def _description(self, kind: str, sdp: str) -> rtc.SessionDescription:
        return rtc.SessionDescription(type=kind, sdp=sdp, id=self._negotiation.offer_id)

    # ---- when nobody says anything

    async def _keep_watch(self) -> None:
        """Ping, and notice what does not happen: a pong, an answer, packets."""
        vigil = self._vigil
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            vigil.look()
            vigil.heard(self.media.datagrams if self.media.connected else None)
            if vigil.dead or (self._negotiation.waiting and vigil.answer_overdue):
                raise VisitEndedError(LOST)
            if vigil.restart_due:
                log.warning("livekit.ice_restarted", url=self._reach.url)
                await self.media.prepare()
                self._negotiation.renew()
                self._nudged.set()
            if vigil.pong_overdue:
                await self._signalling.close()
            elif vigil.ping_due():
                await self._try_to_send(ping_req=rtc.Ping(timestamp=time.time_ns() // 1_000_000))

    async def _try_to_send(self, **message: Any) -> None:
        try:
            await self._signalling.send(**message)
        except SignallingLostError:
            return  # the listener finds out too

    # ---- another socket for the same participant

    async def _resume(self) -> None:
        """Come back as the same participant, media has gone on meanwhile; raises VisitEndedError when refused."""
        self.media.attended = False
        await self._signalling.close()
        backoff = Backoff(first_s=0.1, most_s=1.0)
        while True:
            try:
                async with asyncio.timeout(_RESUME_SECONDS):
                    signalling = await self._reach.connect(resume=self._sid)
                break
            except (LivekitUnavailableError, TimeoutError) as error:
                log.info("livekit.not_resumed", url=self._reach.url, error=str(error))
            await asyncio.sleep(backoff.after(0))
        self._signalling = signalling
        first = signalling.first
        if first.HasField("leave"):
            await self._sent_away(first.leave)
        elif not first.HasField("reconnect"):
            raise VisitEndedError(LOST)
        await self._resynchronise()

    async def _resynchronise(self) -> None:
        """Tell the server what we know, and say again what may have got lost."""
        self._resumed = self.media.attended = True
        self._vigil.ponged()
        tracks = sorted(sid for _, sid in self._subscribed)
        state = rtc.SyncState(subscription=rtc.UpdateSubscription(subscribe=True, track_sids=tracks))
        if self._agreed is not None:
            offer, answer = self._agreed
            state.offer.CopyFrom(self._description("offer", offer))
            state.answer.CopyFrom(self._description("answer", answer))
        await self._try_to_send(sync_state=state)
        self._negotiation.interrupted()
        self._nudged.set()
        log.info("livekit.resumed", url=self._reach.url)
