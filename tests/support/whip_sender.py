"""A light WHIP publisher: many streams of pre-encoded video and Opus from one process.

In a test:      sender = WhipSender(encoded_clip()); await sender.connect(exchange); await play([sender], seconds=2)
On the command line:  python -m tests.support.whip_load URL --streams 20 --seconds 15 --size 1920x1080

It is a full ICE agent as far as an ICE-lite peer needs one, answers NACK by retransmission and PLI by jumping to the
next key frame of its loop, sends sender reports, and can put a bad network in front of its media and its RTCP.
It connects to the first candidate, or to the one whose address is `offered_host`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from aioice import stun

from lookback.recorder.dtls import Certificate, DtlsAssociation, SrtpKeys
from lookback.recorder.sdp import Description, parse
from lookback.recorder.stun import authentic_check, is_check, success
from tests.support.impairment import BadLink, Impairment
from tests.support.rtp_stream import Stream, feedback, nacked
from tests.support.sender_sdp import AUDIO, RTX, VIDEO, after_restart, offer, restart_fragment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tests.support.encoded_clip import EncodedClip

    Exchange = Callable[[str], Awaitable[str]]
    """Takes an offer to the server and brings its answer."""

_CHECK_EVERY_S = 2.5


class WhipSender(asyncio.DatagramProtocol):
    """One publisher. `setup` is the DTLS role it offers; `rtx` and `audio_nack` what it offers to repair.

    `counts` has: packets, frames, nacks (packets asked for), resent, plis, reports.
    """

    def __init__(
        self,
        clip: EncodedClip,
        *,
        setup: str = "active",
        audio: bool = True,
        rtx: bool = True,
        audio_nack: bool = False,
        answers_pli: bool = True,
        names_ssrcs: bool = True,
        impairment: Impairment | None = None,
        seed: int | None = None,
    ) -> None:
        randomness = random.Random(secrets.randbits(64) if seed is None else seed)
        self.clip = clip
        self.frames = clip.payloads()
        self.setup, self.audio_nack, self.answers_pli, self.names_ssrcs = setup, audio_nack, answers_pli, names_ssrcs
        self.video = Stream(VIDEO, 90_000, randomness)
        self.audio = Stream(AUDIO, 48_000, randomness) if audio else None
        self.rtx = Stream(RTX, 90_000, randomness) if rtx else None
        self.ufrag, self.pwd = secrets.token_hex(4), secrets.token_hex(16)
        self.counts: Counter[str] = Counter()
        self.remote: tuple[str, int] = ("", 0)
        self.offered_host = ""
        self.answered_from: tuple[str, int] = ("", 0)
        self.peer: Description = Description((), (), ice_lite=False)
        self.certificate = Certificate.generate()
        self._dtls: DtlsAssociation | None = None
        self._keys: SrtpKeys | None = None
        self._checked = asyncio.Event()
        self._checking: asyncio.TimerHandle | None = None
        self._next_frame = 0
        self._started = 0.0
        self._next_report = 0.0
        self._out = BadLink(impairment or Impairment(), self.send)
        self._in = BadLink(impairment or Impairment(), self._rtcp)

    # ---- connection

    async def connect(self, exchange: Exchange, *, bind: str = "127.0.0.1") -> None:
        """Offer, check the first candidate of the answer, shake hands."""
        await self.open(await exchange(offer(self)), bind=bind)
        async with asyncio.timeout(10):
            await self._checked.wait()
            lead = self._lead()
            role = "client" if lead.setup == "passive" else "server"
            self._dtls = DtlsAssociation(self.certificate, cast("Any", role), lead.fingerprints, self.send)
            self._keys = await self._dtls.connect()
        self._started = asyncio.get_running_loop().time()

    async def open(self, answer: str, *, bind: str = "127.0.0.1") -> None:
        """Use an answer: bind a socket and begin to check, no more."""
        self.use_answer(answer)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=(bind, 0))
        self._check()

    @property
    def peer_ended(self) -> asyncio.Event:
        """Set when the recorder has closed the association."""
        assert self._dtls is not None
        return self._dtls.ended

    def use_answer(self, answer: str) -> None:
        """Take credentials and address from an answer."""
        self.peer = parse(answer)
        offered = [candidate.split() for candidate in self._lead().candidates]
        wanted = next(fields for fields in offered if self.offered_host in {"", fields[4]})
        self.remote = (wanted[4], int(wanted[5]))

    async def restart_ice(self, exchange: Exchange) -> None:
        """Send a fragment with new credentials, take the answer's, and check with them."""
        self.ufrag, self.pwd = secrets.token_hex(4), secrets.token_hex(16)
        self.peer = after_restart(self._lead(), await exchange(restart_fragment(self)))
        self._checked.clear()
        self._check()
        async with asyncio.timeout(5):
            await self._checked.wait()

    async def rebind(self) -> None:
        """Go on from another local port without a word, as behind a NAT that has forgotten us."""
        self._transport.close()
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))

    async def close(self) -> None:
        """Say goodbye by DTLS and close the socket."""
        if self._dtls is not None:
            await self._dtls.close()
        self.vanish()

    def vanish(self) -> None:
        """Stop without a word."""
        if self._checking is not None:
            self._checking.cancel()
        self._transport.close()

    # ---- media

    def send_due(self, now: float) -> float:
        """Send what is due at loop time `now`; when the next frame is due."""
        elapsed = now - self._started
        fps = self.clip.shape.fps
        while self.video.sent <= elapsed * fps:
            self._send_video(self.video.sent * 90_000 // fps)
        while self.audio is not None and self.audio.sent <= elapsed * 50:
            self._send_audio(self.audio)
        if elapsed >= self._next_report:
            self._next_report = elapsed + 1.0
            self._send_reports()
        audio_at = self.audio.sent / 50 if self.audio else elapsed + 1
        return self._started + min(self.video.sent / fps, audio_at)

    def send_media(self, packet: bytes) -> None:
        """Encrypt a packet and send it over the bad link."""
        if self._keys is not None:
            self.counts["packets"] += 1
            self._out.carry(self._keys.protect(packet))

    def send(self, datagram: bytes) -> None:
        """Send a datagram as it is."""
        if not self._transport.is_closing():
            self._transport.sendto(datagram, self.remote)

    def check(self, **more: Any) -> bytes:
        """A nominating connectivity check with the current credentials."""
        lead = self._lead()
        attributes = {"USERNAME": f"{lead.ice_ufrag}:{self.ufrag}", "PRIORITY": 1853824767, "ICE-CONTROLLING": 1}
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes | more)
        message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(lead.ice_pwd.encode())
        return bytes(message)

    def mute(self, muted: bool = True) -> None:
        """Hold back the media of both tracks; their clocks and reports go on."""
        for stream in (self.video, self.audio):
            if stream is not None:
                stream.muted = muted

    @property
    def local_port(self) -> int:
        """The UDP port we send from."""
        return int(self._transport.get_extra_info("sockname")[1])

    @property
    def checked(self) -> bool:
        """Whether a check was answered since `forget_checks`."""
        return self._checked.is_set()

    def forget_checks(self) -> None:
        """Begin to wait for an answer anew."""
        self._checked.clear()

    # ---- asyncio.DatagramProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: Any) -> None:
        if is_check(data):  # LiveKit is a full agent and checks us, too
            checked = authentic_check(data, self.pwd.encode())
            if checked is not None:
                self.send(success(checked, (address[0], address[1]), self.pwd.encode()))
        elif data[0] < 4:
            self.answered_from = (address[0], address[1])
            self._checked.set()
        elif data[0] < 64 and self._dtls is not None:
            self._dtls.received(data)
        elif data[0] > 127:
            self._in.carry(data)

    # ---- inside

    def _lead(self) -> Any:
        return next(section for section in self.peer.sections if section.candidates)

    def _check(self) -> None:
        self.send(self.check())
        delay = _CHECK_EVERY_S if self._checked.is_set() else 0.1
        self._checking = asyncio.get_running_loop().call_later(delay, self._check)

    def _send_video(self, offset: int) -> None:
        stream, stream.sent = self.video, self.video.sent + 1
        if stream.muted:
            return
        _, payloads = self.frames[self._next_frame % len(self.frames)]
        self._next_frame += 1
        stream.last_timestamp = timestamp = stream.base + offset & 0xFFFFFFFF
        self.counts["frames"] += 1
        for place, payload in enumerate(payloads):
            self.send_media(stream.packet(payload, timestamp, marker=place == len(payloads) - 1))

    def _send_audio(self, stream: Stream) -> None:
        number, stream.sent = stream.sent, stream.sent + 1
        if not stream.muted:
            stream.last_timestamp = stream.base + number * 960 & 0xFFFFFFFF
            payload = self.clip.audio[number % len(self.clip.audio)]
            self.send_media(stream.packet(payload, stream.last_timestamp, marker=False))

    def _send_reports(self) -> None:
        started_wall = time.time() - asyncio.get_running_loop().time() + self._started
        clocks = [(self.video, (self.video.sent - 1) / self.clip.shape.fps)]
        clocks += [(self.audio, (self.audio.sent - 1) / 50)] if self.audio else []
        for stream, seconds in clocks:
            if self._keys is not None:
                self._out.carry(self._keys.protect_rtcp(stream.report(seconds, started_wall + seconds)))

    def _rtcp(self, packet: bytes) -> None:
        for kind, detail, body in feedback(self._keys.unprotect(packet) or b"" if self._keys else b""):
            match kind, detail:
                case 205, 1:
                    self._nack(*nacked(body))
                case 206, 1:
                    self._picture_lost()
                case 201, _:
                    self.counts["reports"] += 1

    def _nack(self, ssrc: int, sequences: list[int]) -> None:
        self.counts["nacks"] += len(sequences)
        stream = next((s for s in (self.video, self.audio) if s is not None and s.ssrc == ssrc), None)
        for sequence in sequences:
            if stream is not None and (packet := stream.history.get(sequence)):
                self._resend(stream, packet)

    def _resend(self, stream: Stream, packet: bytes) -> None:
        if stream is self.audio and not self.audio_nack:
            return
        self.counts["resent"] += 1
        if stream is self.audio or self.rtx is None:
            self.send_media(packet)
            return
        timestamp = int.from_bytes(packet[4:8], "big")  # RFC 4588 section 4: the original number goes first
        self.send_media(self.rtx.packet(packet[2:4] + packet[12:], timestamp, marker=bool(packet[1] >> 7)))

    def _picture_lost(self) -> None:
        self.counts["plis"] += 1
        while self.answers_pli and not self.frames[self._next_frame % len(self.frames)][0]:
            self._next_frame += 1


async def play(senders: Sequence[WhipSender], *, seconds: float | None = None) -> None:
    """Send the media of all senders in real time, for that long or until cancelled."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds if seconds is not None else float("inf")
    while (now := loop.time()) < end:
        due = min(sender.send_due(now) for sender in senders)
        await asyncio.sleep(max(0.001, min(due, end) - loop.time()))


@contextlib.asynccontextmanager
async def playing(*senders: WhipSender) -> Any:
    """Send in the background while the body runs."""
    task = asyncio.create_task(play(senders))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
