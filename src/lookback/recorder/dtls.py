"""DTLS-SRTP for one peer: aiortc's DTLS transport and libsrtp, and every private name of theirs we use.

Private names, all of them here and proved by tests/integration/recorder/test_private_names.py:
RTCDtlsTransport._set_role, ._write_ssl, ._task, ._rx_srtp, ._tx_srtp; RTCCertificate._create_ssl_context;
pylibsrtp.Session._srtp; pylibsrtp._binding.ffi, .lib; and RTCDtlsTransport calls our _recv, _send, role and state.
"""

# ruff: noqa: SLF001  this is the one module that may

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from OpenSSL import SSL
from pylibsrtp._binding import ffi, lib

from lookback.recorder.alerts import Alert, failure_sentence
from lookback.recorder.sdp import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookback.recorder.answer import Role

MAX_PACKET_BYTES = 2048  # a path carries 1500; what is longer is dropped
_MAX_QUEUED = 64
_MAX_ALERTS = 4
_HELLO_AGAIN_SECONDS = (0.03, 0.1, 0.3)
_RTCP_TYPES = range(192, 224)  # RFC 5761 section 4


class DtlsFailedError(ConnectionError):
    """The handshake failed; the message is a sentence for the publisher's user."""


class Certificate(RTCCertificate):
    """A self-signed P-256 certificate for one association; it notes the alerts of that association's handshake."""

    def __init__(self, key: Any, cert: Any) -> None:
        super().__init__(key, cert)
        self.alerts: list[Alert] = []

    @classmethod
    def generate(cls) -> Certificate:
        """Make a new key and certificate (0.25 ms)."""
        return cls.generateCertificate()

    @property
    def fingerprint(self) -> Fingerprint:
        """The SHA-256 digest that goes into our SDP."""
        found = next(f for f in self.getFingerprints() if f.algorithm == "sha-256")
        return Fingerprint(found.algorithm, found.value)

    def _create_ssl_context(self, srtp_profiles: list[Any]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_info_callback(self._note)
        return context

    def _note(self, _connection: SSL.Connection, where: int, value: int) -> None:
        """Take OpenSSL's news; of an alert `value` is level << 8 | description (SSL_CTX_set_info_callback)."""
        if where & SSL.SSL_CB_ALERT and len(self.alerts) < _MAX_ALERTS:
            self.alerts.append(Alert(number=value & 0xFF, received=bool(where & SSL.SSL_CB_READ)))


class SrtpKeys:
    """Both directions of SRTP and SRTCP of one association (RFC 3711)."""

    __slots__ = ("_length", "_raw", "_rx", "_rx_session", "_tx", "_view")

    def __init__(self, rx: Any, tx: Any) -> None:
        self._rx, self._tx = rx, tx  # they own the C sessions
        self._rx_session = rx._srtp[0]
        self._raw = ffi.new("char[]", MAX_PACKET_BYTES)
        self._view = ffi.buffer(self._raw)
        self._length = ffi.new("int *")

    def unprotect(self, packet: bytes) -> bytes | None:
        """Authenticate and decrypt an RTP or RTCP packet of at least 2 bytes; None when it is not the peer's.

        pylibsrtp's own method allocates per packet and raises per forgery; this decrypts in one buffer.
        """
        size = len(packet)
        if size > MAX_PACKET_BYTES:
            return None
        view, length = self._view, self._length
        view[0:size] = packet
        length[0] = size
        if 192 <= packet[1] <= 223:
            refused = lib.srtp_unprotect_rtcp(self._rx_session, self._raw, length)
        else:
            refused = lib.srtp_unprotect(self._rx_session, self._raw, length)
        return None if refused else view[0 : length[0]]

    def protect(self, packet: bytes) -> bytes:
        """Encrypt an RTP packet."""
        return bytes(self._tx.protect(packet))

    def protect_rtcp(self, packet: bytes) -> bytes:
        """Encrypt a compound RTCP packet."""
        return bytes(self._tx.protect_rtcp(packet))


class DtlsAssociation:
    """One DTLS association over datagrams that the owner moves: `send` takes ours, `received` the peer's."""

    def __init__(
        self,
        certificate: Certificate,
        role: Role,
        fingerprints: Sequence[Fingerprint],
        send: Callable[[bytes], None],
    ) -> None:
        self._certificate = certificate
        self._role = role
        self._peer = RTCDtlsParameters([RTCDtlsFingerprint(f.algorithm, f.value) for f in fingerprints])
        self._wire = _Wire(send, repeat_first=role == "client")
        self._dtls: Any = None
        self.ended = asyncio.Event()

    def received(self, datagram: bytes) -> None:
        """Take a datagram of the peer (first byte 20 to 63); dropped when 64 are waiting."""
        self._wire.received(datagram)

    async def connect(self) -> SrtpKeys:
        """Shake hands; the caller limits the time. Sets `ended` when the peer closes the association later.

        Raises DtlsFailedError; the peer has then been sent the alert that names the reason.
        """
        dtls = self._dtls = RTCDtlsTransport(self._wire, [self._certificate])  # type: ignore[arg-type]
        dtls._set_role(self._role)
        await dtls.start(self._peer)
        if dtls.state != "connected":
            await dtls._write_ssl()  # aiortc leaves the alert in its buffer
            raise DtlsFailedError(failure_sentence(self._certificate.alerts))
        dtls.on("statechange", self._state_changed)
        return SrtpKeys(dtls._rx_srtp, dtls._tx_srtp)

    async def close(self) -> None:
        """Tell the peer (close_notify) and stop; may be called in any state, twice too."""
        dtls, self._dtls = self._dtls, None
        if dtls is not None:
            task = dtls._task
            await dtls.stop()
            if task is not None:
                await asyncio.wait([task])
                _ = task.cancelled() or task.exception()  # seen: aiortc has logged it
        self._wire.close()

    def _state_changed(self) -> None:
        self.ended.set()


class _Wire:
    """What RTCDtlsTransport takes for its ICE transport."""

    role = "controlled"
    state = "completed"

    def __init__(self, send: Callable[[bytes], None], *, repeat_first: bool) -> None:
        self._out = send
        self._repeat_first = repeat_first
        self._timers: list[asyncio.TimerHandle] = []
        self._in: asyncio.Queue[bytes | None] = asyncio.Queue()

    def received(self, datagram: bytes) -> None:
        self._stop_repeating()
        if self._in.qsize() < _MAX_QUEUED:
            self._in.put_nowait(datagram)

    def close(self) -> None:
        self._stop_repeating()
        self._in.put_nowait(None)

    async def _recv(self) -> bytes:
        datagram = await self._in.get()
        if datagram is None:
            self._in.put_nowait(None)
            raise ConnectionError
        return datagram

    async def _send(self, datagram: bytes) -> None:
        self._out(datagram)
        if self._repeat_first:
            # A passive FFmpeg swallows the first ClientHello, and OpenSSL repeats it only after 1 s.
            self._repeat_first = False
            loop = asyncio.get_running_loop()
            self._timers = [loop.call_later(delay, self._out, datagram) for delay in _HELLO_AGAIN_SECONDS]

    def _stop_repeating(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers = []
