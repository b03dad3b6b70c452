"""Two ends of a DTLS association joined in memory, with a look at what passes between them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lookback.recorder.dtls import Certificate, DtlsAssociation, SrtpKeys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookback.recorder.answer import Role
    from lookback.recorder.sdp import Fingerprint


class End:
    """One end; `lose` more of its datagrams are lost, `sent` has all."""

    def __init__(self, role: Role, certificate: Certificate | None = None) -> None:
        self.role = role
        self.certificate = certificate or Certificate.generate()
        self.sent: list[bytes] = []
        self.lose = 0
        self.association: DtlsAssociation | None = None
        self.other: End | None = None

    def expect(self, fingerprints: Sequence[Fingerprint]) -> DtlsAssociation:
        """Make the association that accepts these certificates."""
        self.association = DtlsAssociation(self.certificate, self.role, fingerprints, self.send)
        return self.association

    def send(self, datagram: bytes) -> None:
        """Carry a datagram to the other end."""
        self.sent.append(datagram)
        if self.lose:
            self.lose -= 1
        elif self.other is not None and self.other.association is not None:
            self.other.association.received(datagram)


def joined() -> tuple[End, End]:
    """A client and a server that know each other's certificate."""
    client, server = End("client"), End("server")
    client.other, server.other = server, client
    client.expect([server.certificate.fingerprint])
    server.expect([client.certificate.fingerprint])
    return client, server


async def shake_hands(client: End, server: End) -> tuple[SrtpKeys, SrtpKeys]:
    """Connect both; the keys of client and server."""
    assert client.association is not None
    assert server.association is not None
    async with asyncio.timeout(10):
        keys = await asyncio.gather(client.association.connect(), server.association.connect())
    return keys[0], keys[1]


async def close(*ends: End) -> None:
    """Close the associations."""
    for end in ends:
        if end.association is not None:
            await end.association.close()
