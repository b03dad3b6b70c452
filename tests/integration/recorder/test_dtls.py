"""DTLS associations end to end, in memory."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.p224 import a_p224_certificate
from tests.support.waiting import eventually
from tests.support.wires import End, close, joined, shake_hands

from lookback.recorder.dtls import DtlsFailedError
from lookback.recorder.sdp import Fingerprint

OTHER = Fingerprint("sha-256", ":".join(["AB"] * 32))


async def failures(client: End, server: End) -> list[BaseException | object]:
    assert client.association is not None
    assert server.association is not None
    async with asyncio.timeout(10):
        both = client.association.connect(), server.association.connect()
        return list(await asyncio.gather(*both, return_exceptions=True))


async def test_a_lost_first_hello_is_repeated_early() -> None:
    """A passive FFmpeg swallows it; OpenSSL alone would wait a second."""
    client, server = joined()
    client.lose = 1
    begun = asyncio.get_running_loop().time()
    await shake_hands(client, server)
    assert asyncio.get_running_loop().time() - begun < 0.9
    assert client.sent[0] == client.sent[1]
    await close(client, server)


async def test_hellos_stop_when_the_other_end_has_spoken() -> None:
    client, server = joined()
    await shake_hands(client, server)
    before = len(client.sent)
    await asyncio.wait([asyncio.ensure_future(client.association.ended.wait())], timeout=0.4)  # type: ignore[union-attr]
    assert len(client.sent) == before
    await close(client, server)


async def test_a_closed_end_is_noticed_by_the_other() -> None:
    client, server = joined()
    await shake_hands(client, server)
    await close(client)
    assert server.association is not None
    async with asyncio.timeout(5):
        await server.association.ended.wait()
    await close(server)


async def test_a_certificate_with_another_fingerprint_is_refused() -> None:
    client, server = joined()
    server.expect([OTHER])
    _, failure = await failures(client, server)
    assert isinstance(failure, DtlsFailedError)
    assert "fingerprint" in str(failure)
    await close(client, server)


async def test_all_fingerprints_must_hold() -> None:
    client, server = joined()
    server.expect([client.certificate.fingerprint, OTHER])
    assert isinstance((await failures(client, server))[1], DtlsFailedError)
    await close(client, server)


@pytest.mark.parametrize("publisher", ["client", "server"])
async def test_a_curve_that_cannot_be_used_is_told_to_both_ends(publisher: str) -> None:
    """FFmpeg with GnuTLS makes secp224r1 keys by default."""
    client, server = joined()
    theirs, ours = (client, server) if publisher == "client" else (server, client)
    theirs.certificate = a_p224_certificate()
    theirs.expect([ours.certificate.fingerprint])
    ours.expect([theirs.certificate.fingerprint])
    results = await failures(client, server)
    told = [str(result) for result in results]
    assert all(isinstance(result, DtlsFailedError) for result in results)
    assert any("P-256" in sentence for sentence in told), told
    assert any("the publisher sent alert" in sentence for sentence in told), told
    await close(client, server)


async def test_junk_during_and_after_the_handshake_changes_nothing() -> None:
    client, server = joined()
    assert server.association is not None
    for first in range(20, 64):
        server.association.received(bytes((first,)) + b"\xfe\xfd" + bytes(60))
    theirs, ours = await shake_hands(client, server)
    for first in range(20, 64):
        server.association.received(bytes((first,)) + b"\xfe\xfd" + bytes(60))
    packet = b"\x80\x60\x00\x01" + bytes(8) + b"sound"
    assert ours.unprotect(theirs.protect(packet)) == packet
    assert not server.association.ended.is_set()
    await close(client, server)


async def test_a_flood_of_datagrams_is_cut_off_not_kept() -> None:
    _, server = joined()
    assert server.association is not None
    for _ in range(10_000):
        server.association.received(b"\x16\xfe\xfd" + bytes(1200))
    assert server.association._wire._in.qsize() <= 64
    await close(server)


async def test_closing_in_mid_handshake_leaves_no_task() -> None:
    client, server = joined()
    client.other = None
    assert client.association is not None
    task = asyncio.create_task(client.association.connect())
    await eventually(lambda: client.sent)
    task.cancel()
    await asyncio.wait([task])
    await close(client, client, server)
    assert asyncio.all_tasks() == {asyncio.current_task()}
