"""Encrypted media over some datagram path: DTLS-SRTP in, RTCP out, the same for WHIP and for LiveKit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lookback.recorder.dtls import MAX_PACKET_BYTES, DtlsAssociation

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from lookback.recorder.answer import Role
    from lookback.recorder.dtls import Certificate, SrtpKeys
    from lookback.recorder.sdp import Fingerprint

_MIN_PACKET_BYTES = 12  # RFC 3550 section 5.1; an encrypted RTCP packet is longer
_MAX_EARLY_PACKETS = 64
_MAX_SOURCES = 512  # libsrtp keeps a replay window of each until the association ends


class DatagramPath(Protocol):
    """The way to the peer, found and kept by ICE."""

    def send(self, datagram: bytes) -> None:
        """Send to the peer's verified address; without one, or when the socket is full, the datagram is lost."""


class MediaTransport:
    """One peer's DTLS association and SRTP session over `path`.

    Whoever owns the path pushes what arrives into `received` (or, already sorted, into `media_received` and
    `dtls_received`). `on_packet(packet, now_us)` gets every authentic RTP and RTCP packet decrypted; `on_source` each
    SSRC (4 bytes) when it is first authenticated; beyond `most_sources` new ones are not heard. `clock` gives UTC
    microseconds. `role` is our DTLS role.
    """

    def __init__(
        self,
        path: DatagramPath,
        *,
        certificate: Certificate,
        role: Role,
        fingerprints: Sequence[Fingerprint],
        on_packet: Callable[[bytes, int], None],
        clock: Callable[[], int],
        on_source: Callable[[bytes], None] = lambda _ssrc: None,
        most_sources: int = _MAX_SOURCES,
    ) -> None:
        self._path = path
        self._most_sources = most_sources
        self.role = role
        self._on_packet = on_packet
        self._on_source = on_source
        self._clock = clock
        self._dtls = DtlsAssociation(certificate, role, fingerprints, path.send)
        self._keys: SrtpKeys | None = None
        self._sources: set[bytes] = set()
        self._early: list[tuple[bytes, int]] = []
        self.forged = 0

    @property
    def ended(self) -> asyncio.Event:
        """Set when the peer has closed a connected association."""
        return self._dtls.ended

    async def connect(self) -> None:
        """Shake hands; the caller limits the time. Then hand out the media that overtook the handshake.

        Raises DtlsFailedError with a sentence for the publisher's user.
        """
        self._keys = await self._dtls.connect()
        early, self._early = self._early, []
        for packet, arrival_us in early:
            self._decrypt(self._keys, packet, arrival_us)

    def received(self, datagram: bytes) -> None:
        """Take any datagram of the peer but STUN (RFC 7983 section 7)."""
        first = datagram[0] if datagram else 0
        if 127 < first < 192:
            self.media_received(datagram)
        elif 19 < first < 64:
            self.dtls_received(datagram)

    def dtls_received(self, datagram: bytes) -> None:
        """Take a datagram of the peer that looks like DTLS."""
        self._dtls.received(datagram)

    def media_received(self, packet: bytes) -> bool:
        """Take a packet that looks like SRTP or SRTCP; whether it is the peer's, and no copy of an earlier one."""
        if not _MIN_PACKET_BYTES <= len(packet) <= MAX_PACKET_BYTES:
            return False
        if self._keys is not None:
            return self._decrypt(self._keys, packet, self._clock())
        if len(self._early) < _MAX_EARLY_PACKETS:
            self._early.append((packet, self._clock()))
        return False

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send a compound RTCP packet; nothing happens before the keys are there."""
        if self._keys is not None:
            self._path.send(self._keys.protect_rtcp(packet))

    async def close(self) -> None:
        """Tell the peer and stop; the path must still work."""
        self._keys = None
        self._early.clear()
        await self._dtls.close()

    def _decrypt(self, keys: SrtpKeys, packet: bytes, now_us: int) -> bool:
        source = packet[4:8] if 192 <= packet[1] <= 223 else packet[8:12]
        known = source in self._sources
        if not known and len(self._sources) >= self._most_sources:
            return False
        plain = keys.unprotect(packet)
        if plain is None:
            self.forged += 1
            return False
        if not known:
            self._sources.add(source)
            self._on_source(source)
        self._on_packet(plain, now_us)
        return True
