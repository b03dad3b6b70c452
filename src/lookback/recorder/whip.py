"""One WHIP publisher from its offer to its end: ICE-lite session, encrypted transport and media receiver."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import structlog

from lookback.errors import NotFoundError
from lookback.media.receiver import Receiver
from lookback.recorder import sdp
from lookback.recorder.answer import Identity, agree, write_answer
from lookback.recorder.dtls import Certificate, DtlsFailedError
from lookback.recorder.sdpfrag import parse_fragment, write_fragment
from lookback.recorder.transport import MediaTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.media.samples import Codec, EncodedFrame, Track
    from lookback.recorder.endpoint import Endpoint

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 15.0
SILENT = "silent"
ENDED_BY_PUBLISHER = "ended by the publisher"
_NEVER_REACHED = (
    "failed: the publisher's connectivity checks never arrived; "
    "check that the UDP port is open and the advertised address is right"
)
_BROKEN = "failed: the recorder could not handle the media"
_HANDSHAKE_UNFINISHED = "failed: the DTLS handshake did not finish in time"


def _ignore(*_: object) -> None:
    """Stand in for a callback nobody gave."""


class WhipPublisher:
    """Answers an offer and receives what it announces.

    Constructing it reads the offer (raises MalformedError, ValidationError, UnsupportedCodecError) and takes a place
    at the endpoint; then `answer` is what to send back, and `run()` must be started. The owner calls `tick` about
    every 20 ms. `on_connected` is called when media can flow; the other callbacks are Receiver's. No callback comes
    after `run()` has ended. `clock` gives UTC microseconds.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        offer: str,
        *,
        clock: Callable[[], int],
        on_frame: Callable[[EncodedFrame], None],
        on_connected: Callable[[], None] = _ignore,
        on_sender_report: Callable[[Track, int, int, int], None] = _ignore,
        on_restart: Callable[[Track], None] = _ignore,
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        description = sdp.parse(offer)
        self._agreement = agreement = agree(description)
        self._remote_ufrag = agreement.remote_ufrag
        self._endpoint = endpoint
        self._on_connected = on_connected
        self._connect_seconds = connect_seconds
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._running = False
        self._certificate = Certificate.generate()
        self._ice = endpoint.session()
        self._transport = self._new_transport(clock)
        self.receiver = Receiver(
            agreement.payloads,
            agreement.rtx,
            on_frame=on_frame,
            send_rtcp=self._transport.send_rtcp,
            our_ssrc=secrets.randbits(32),
            nack_audio=agreement.audio is not None and agreement.audio.answers_nack,
            on_sender_report=on_sender_report,
            on_restart=on_restart,
        )
        for track in agreement.tracks:
            if track.ssrc is not None:
                self.receiver.declare(track.codec.track, track.ssrc, track.rtx_ssrc)
        self.connected = False
        self.answer = write_answer(description, agreement, self._identity(), secrets.randbits(62))
        self.etag = _new_etag()

    @property
    def video_codec(self) -> Codec:
        """The codec agreed on for video."""
        return self._agreement.video.codec

    @property
    def audio_codec(self) -> Codec | None:
        """The codec agreed on for audio, None without audio."""
        audio = self._agreement.audio
        return None if audio is None else audio.codec

    async def run(self) -> str:
        """Receive until the end and return its cause: `silent`, `ended by the publisher`, `failed: <sentence>`.

        Or what `close` was given. Nothing is held any more when it returns or is cancelled.
        """
        self._running = True
        try:
            async with asyncio.TaskGroup() as tasks:
                connecting = tasks.create_task(self._connect())
                cause = await self._over
                connecting.cancel()
        finally:
            await self._transport.close()
            self._ice.close()
            self.connected = False
        return cause

    def close(self, cause: str = "stopped") -> None:
        """Make `run()` end with `cause`; the first cause stays. One that never ran gives its place back here."""
        if not self._over.done():
            self._over.set_result(cause)
        if not self._running:
            self._ice.close()

    def tick(self, now_us: int) -> None:
        """Run the receiver's timers."""
        self.receiver.tick(now_us)

    def restart_ice(self, fragment: str) -> str | None:
        """Answer a PATCH: the fragment with our new credentials (and a new `etag`), None when nothing is to be said.

        That is for trickled candidates, which an ICE-lite agent does not need. Media goes on with the old credentials
        until the publisher uses the new ones. Raises MalformedError, and NotFoundError when the publisher has ended.
        """
        if self._over.done():
            raise NotFoundError("The publisher has ended")
        request = parse_fragment(fragment)
        if request.ufrag in {"", self._remote_ufrag}:
            return None
        self._remote_ufrag = request.ufrag
        self._ice.restart()
        self.etag = _new_etag()
        return write_fragment(request, self._identity())

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(self._connect_seconds):
                await self._ice.reached.wait()
                await self._transport.connect()
        except TimeoutError:
            self.close(_HANDSHAKE_UNFINISHED if self._ice.reached.is_set() else _NEVER_REACHED)
            return
        except DtlsFailedError as error:
            self.close(f"failed: {error}")
            return
        self.connected = True
        self._on_connected()
        await self._transport.ended.wait()
        self.close(ENDED_BY_PUBLISHER)

    def _packet(self, packet: bytes, now_us: int) -> None:
        try:
            self.receiver.packet(packet, now_us)
        except Exception:  # it would close the port, and with it every other publisher
            if not self._over.done():
                log.exception("whip.packet_failed")
            self.close(_BROKEN)

    def _silent(self) -> None:
        self.close(SILENT)

    def _new_transport(self, clock: Callable[[], int]) -> MediaTransport:
        transport = MediaTransport(
            self._ice,
            certificate=self._certificate,
            role=self._agreement.role,
            fingerprints=self._agreement.fingerprints,
            on_packet=self._packet,
            on_source=self._ice.own_source,
            clock=clock,
        )
        self._ice.sink, self._ice.on_silent = transport, self._silent
        return transport

    def _identity(self) -> Identity:
        ice = self._ice
        return Identity(ice.ufrag, ice.pwd, self._certificate.fingerprint, self._endpoint.candidates)


def _new_etag() -> str:
    """A strong entity tag with its quotes (RFC 9110 section 8.8.3)."""
    return f'"{secrets.token_hex(8)}"'
