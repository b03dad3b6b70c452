"""Every parser of received bytes survives its corpus (tests/data/fuzz) and changes to it.

A file is one input. Where a parser takes several payloads, each stands behind its length in two bytes, big endian.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.publisher import Listener, Publisher

from lookback.errors import MalformedError
from lookback.media import gaps, h264, index, opus, rtcp, rtp, vp8
from lookback.media.samples import Codec

if TYPE_CHECKING:
    from collections.abc import Callable

CORPUS = Path(__file__).resolve().parents[2] / "data" / "fuzz"
CHANGES = 150


def payloads(data: bytes) -> list[bytes]:
    found = []
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        found.append(data[at + 2 : end])
        at = end
    return found


def receive(data: bytes) -> None:
    listener = Listener(video=Publisher(), audio=Publisher(Codec.OPUS, ssrc=2000))
    listener.hear(*payloads(data))
    listener.wait(1_100_000)


def summarise(data: bytes) -> None:
    parsed = index.parse_index(data, 1 << 20)
    if len(parsed.samples):
        gaps.extent(parsed)


PARSERS: dict[str, Callable[[bytes], object]] = {
    "h264": lambda data: h264.depacketise(payloads(data)),
    "h264_frame": h264.parameter_sets,
    "index": summarise,
    "opus": opus.packet_duration_us,
    "receiver": receive,
    "rtcp": lambda data: list(rtcp.read_compound(data)),
    "rtp": rtp.RtpPacket.parse,
    "rtx": lambda data: rtp.unwrap_retransmission(data, 96, 1000),
    "sps": h264.parse_sps,
    "vp8": lambda data: vp8.depacketise(payloads(data)),
    "vp8_key": vp8.frame_size,
}
INPUTS = [path for name in PARSERS for path in sorted((CORPUS / name).glob("*.bin"))]


def changed(data: bytes, dice: random.Random) -> bytes:
    """Flip, cut, repeat or insert somewhere."""
    at = dice.randrange(len(data)) if data else 0
    some = bytes(dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256))) for _ in range(dice.randrange(1, 4)))
    return dice.choice(
        (
            data[:at] + some + data[at + len(some) :],
            data[:at],
            data[:at] + data[at // 2 :],
            data[:at] + some + data[at:],
        )
    )


def parses_or_is_malformed(parse: Callable[[bytes], object], data: bytes) -> bool:
    try:
        parse(data)
    except MalformedError:
        return False
    return True


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_input_and_what_becomes_of_it_parse_or_are_malformed(path: Path) -> None:
    parse = PARSERS[path.parent.name]
    dice = random.Random(path.name)
    data = path.read_bytes()
    parses_or_is_malformed(parse, data)
    for _ in range(CHANGES if parse is not receive else CHANGES // 5):
        parses_or_is_malformed(parse, changed(data, dice))


@pytest.mark.parametrize("name", PARSERS)
def test_a_corpus_has_inputs_that_parse(name: str) -> None:
    inputs = [path for path in INPUTS if path.parent.name == name]
    assert len(inputs) >= 3
    assert any(parses_or_is_malformed(PARSERS[name], path.read_bytes()) for path in inputs)
