"""Publish many streams to a WHIP URL from one process: the load of the benchmarks.

    python -m tests.support.whip_load URL --streams 20 --seconds 15 --size 1920x1080 --bitrate 4000000 [--token JWT]

Prints `up N` when all are connected and one JSON line at the end.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx
import uvloop

from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.impairment import Impairment
from tests.support.whip_sender import WhipSender, play

if TYPE_CHECKING:
    from collections.abc import Iterable


class WhipClient:
    """The HTTP side of one publisher: offer, ICE restart, end (RFC 9725)."""

    def __init__(self, http: httpx.AsyncClient, url: str, token: str | None = None) -> None:
        self._http = http
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.location = ""
        self.etag = ""

    async def offer(self, sdp: str) -> str:
        """POST the offer; the answer."""
        reply = await self._send("POST", self._url, sdp, "application/sdp")
        self.location = urljoin(self._url, reply.headers["Location"])
        self.etag = reply.headers.get("ETag", "")
        return reply.text

    async def restart(self, fragment: str) -> str:
        """PATCH an ICE restart; the answering fragment."""
        reply = await self._send("PATCH", self.location, fragment, "application/trickle-ice-sdpfrag")
        self.etag = reply.headers.get("ETag", "")
        return reply.text

    async def end(self) -> None:
        """DELETE the session."""
        (await self._http.delete(self.location, headers=self._headers)).raise_for_status()

    async def _send(self, method: str, url: str, body: str, content_type: str) -> httpx.Response:
        headers = self._headers | {"Content-Type": content_type} | ({"If-Match": "*"} if method == "PATCH" else {})
        reply = await self._http.request(method, url, content=body, headers=headers)
        return reply.raise_for_status()


async def publish(urls: Iterable[str], shape: ClipShape, seconds: float, impairment: Impairment) -> Counter[str]:
    """Connect one stream per URL (`URL` or `URL#token`), play, end; the sum of what the senders counted."""
    senders, clients = [], []
    async with httpx.AsyncClient(timeout=30) as http:
        for url in urls:
            address, _, token = url.partition("#")
            sender, client = WhipSender(encoded_clip(shape), impairment=impairment), WhipClient(http, address, token)
            await sender.connect(client.offer)
            senders.append(sender)
            clients.append(client)
        _say(f"up {len(senders)}")
        await play(senders, seconds=seconds)
        for sender, client in zip(senders, clients, strict=True):
            await client.end()
            await sender.close()
    return sum((sender.counts for sender in senders), Counter())


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="+", help="WHIP endpoint; with #TOKEN for a bearer token; several take turns")
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--codec", choices=["h264", "vp8"], default="h264")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--bitrate", type=int, default=2_000_000)
    parser.add_argument("--loss", type=float, default=0.0, help="share of packets lost each way, 0.02 = 2 %%")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds added each way")
    return parser.parse_args()


def main() -> None:
    """Run the command line."""
    wanted = _arguments()
    width, height = map(int, wanted.size.split("x"))
    shape = ClipShape(wanted.codec, width, height, 30, 6, wanted.bitrate, 60, noise=True)
    urls = [wanted.url[number % len(wanted.url)] for number in range(wanted.streams)]
    impairment = Impairment(loss=wanted.loss, delay_s=wanted.delay)
    counts = uvloop.run(publish(urls, shape, wanted.seconds, impairment))
    _say(json.dumps(dict(counts)))


if __name__ == "__main__":
    main()
