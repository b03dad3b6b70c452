"""A publisher made of packets, and a receiver that it talks to in simulated time."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from lookback.media import rtcp
from lookback.media.receiver import Receiver
from lookback.media.rtp import RtpPacket
from lookback.media.samples import Codec, EncodedFrame, Track
from lookback.media.vp8 import Descriptor

if TYPE_CHECKING:
    from collections.abc import Iterable

P = TypeVar("P")

START_US = 1_790_000_000_000_000
SPS = bytes.fromhex("6742c01eda0280bfe584000003000400000300f23c58ba80")
PPS = bytes.fromhex("68ce3c80")
OPUS = b"\xfc" + b"sound"
PAYLOADS = {96: Codec.H264, 98: Codec.VP8, 111: Codec.OPUS}
RTX = {97: 96, 99: 98}
PAYLOAD_TYPES = {codec: payload_type for payload_type, codec in PAYLOADS.items()}


class Publisher:
    """One media stream and its retransmissions. Its frames carry numbers from 0 on, so that tests can name them."""

    def __init__(
        self, codec: Codec = Codec.H264, *, ssrc: int = 1000, sequence: int = 65_000, timestamp: int = 2**32 - 9000
    ) -> None:
        self.codec = codec
        self.ssrc = ssrc
        self.rtx_ssrc = ssrc + 1
        self.sequence = sequence
        self.timestamp = timestamp
        self.count = 0

    def picture(
        self, *, key: bool = False, packets: int = 3, after_us: int = 33_333, marker: bool = True
    ) -> list[bytes]:
        """Packetise the next frame, `after_us` of media time after the one before."""
        make = _h264_payloads if self.codec is Codec.H264 else _vp8_payloads
        payloads = make(self.count, key, packets)
        self.count += 1
        self.timestamp += after_us * self.codec.clock_rate // 1_000_000
        return [self.pack(payload, marker=marker and n == len(payloads) - 1) for n, payload in enumerate(payloads)]

    def sound(self, *, after_us: int = 20_000, payload: bytes = OPUS) -> bytes:
        """Build the next audio packet."""
        self.timestamp += after_us * 48_000 // 1_000_000
        self.count += 1
        return self.pack(payload + bytes((self.count - 1 & 0xFF,)))

    def pack(self, payload: bytes, *, marker: bool = False, padding: int = 0, payload_type: int | None = None) -> bytes:
        """Build the next packet in sequence."""
        kind = PAYLOAD_TYPES[self.codec] if payload_type is None else payload_type
        packet = RtpPacket(
            kind,
            self.sequence & 0xFFFF,
            self.timestamp & 0xFFFFFFFF,
            self.ssrc,
            payload,
            marker=marker,
            padding=padding,
        )
        self.sequence += 1
        return packet.pack()

    def again(self, packet: bytes) -> bytes:
        """Repeat a packet on the retransmission stream."""
        sent = RtpPacket.parse(packet)
        payload = sent.sequence.to_bytes(2, "big") + sent.payload
        return RtpPacket(sent.payload_type + 1, 7, sent.timestamp, self.rtx_ssrc, payload, marker=sent.marker).pack()

    def report(self, ntp_us: int) -> bytes:
        """Build a sender report for the latest frame."""
        ntp = ((ntp_us + rtcp.NTP_EPOCH_S * 1_000_000) << 32) // 1_000_000
        return rtcp.SenderReport(self.ssrc, ntp, self.timestamp & 0xFFFFFFFF).pack()


class Listener:
    """A receiver with what came out of it, and the time."""

    def __init__(
        self,
        *,
        nack_audio: bool = True,
        sfu: bool = False,
        video: Publisher | None = None,
        audio: Publisher | None = None,
    ) -> None:
        self.now_us = START_US
        self.frames: list[EncodedFrame] = []
        self.sent: list[bytes] = []
        self.reports: list[tuple[Track, int, int, int]] = []
        self.goodbyes: list[int] = []
        self.restarts: list[Track] = []
        self.receiver = Receiver(
            PAYLOADS,
            RTX,
            on_frame=self.frames.append,
            send_rtcp=self.sent.append,
            our_ssrc=77,
            nack_audio=nack_audio,
            sfu=sfu,
            on_sender_report=lambda *report: self.reports.append(report),
            on_bye=self.goodbyes.append,
            on_restart=self.restarts.append,
        )
        self.stats = self.receiver.stats
        for publisher in (video, audio):
            if publisher is not None:
                rtx = publisher.rtx_ssrc if publisher.codec.track is Track.VIDEO else None
                self.receiver.declare(publisher.codec.track, publisher.ssrc, rtx)

    def hear(self, *packets: bytes | Iterable[bytes]) -> None:
        """Let packets, or the packets of whole frames, arrive now."""
        for packet in packets:
            for data in (packet,) if isinstance(packet, bytes) else packet:
                self.receiver.packet(data, self.now_us)

    def wait(self, duration_us: int) -> None:
        """Let time pass, with the ticks that belong to it."""
        end_us = self.now_us + duration_us
        while self.now_us < end_us:
            self.now_us = min(self.now_us + 20_000, end_us)
            self.receiver.tick(self.now_us)

    def numbers(self) -> list[int]:
        """Return the numbers of the video frames that came out."""
        return [number_of(frame) for frame in self.frames if frame.codec.track is Track.VIDEO]

    def requests(self, kind: type[P]) -> list[P]:
        """Return the RTCP of a kind that was sent."""
        return [packet for data in self.sent for packet in rtcp.read_compound(data) if isinstance(packet, kind)]


def number_of(frame: EncodedFrame) -> int:
    """Return the number that a publisher here gave to a video frame."""
    return int(frame.data.split(b"#")[1])


def _h264_payloads(number: int, key: bool, packets: int) -> list[bytes]:
    body = b"#%d#" % number + bytes(range(200))
    kind = 5 if key else 1
    size = -(-len(body) // packets)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    payloads = [
        bytes((0x7C, 0x80 * (n == 0) | 0x40 * (n == packets - 1) | kind)) + b"\x88" * (n == 0) + piece
        for n, piece in enumerate(pieces)
    ]
    sets = b"\x78" + b"".join(len(nal).to_bytes(2, "big") + nal for nal in (SPS, PPS))
    return [sets, *payloads] if key else payloads


def _vp8_payloads(number: int, key: bool, packets: int) -> list[bytes]:
    body = b"#%d#" % number + bytes(range(200))
    tag = (len(body) << 5 | 0x10 | (not key)).to_bytes(3, "little")
    size_640_360 = b"\x9d\x01\x2a\x80\x02\x68\x01" if key else b""
    frame = tag + size_640_360 + body
    size = -(-len(frame) // packets)
    return [
        Descriptor(start=n == 0, picture_id=number & 0x7FFF, long_picture_id=True).pack() + frame[at : at + size]
        for n, at in enumerate(range(0, len(frame), size))
    ]
