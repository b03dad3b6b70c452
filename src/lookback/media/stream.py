"""One SSRC and its retransmissions: packets as they come in, payloads in order out, repair in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.errors import MalformedError
from lookback.media import nack, rtcp, rtp
from lookback.media.reception import Reception
from lookback.media.reorder import Placement, Reorder
from lookback.media.samples import Codec, Track

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lookback.media.frames import Frames
    from lookback.media.hostclock import HostClock
    from lookback.media.stats import StreamStats

# How long a missing packet is waited for. Audio: less than the 0.4 s after which the recorder writes silence instead.
_GIVE_UP_US = {Track.VIDEO: 1_000_000, Track.AUDIO: 200_000}
# After a silence nothing older is asked for: it would come as if the sender's clock had stood still meanwhile.
_FORGOTTEN_US = 2_000_000
_OVERTAKEN_US = 50_000  # for packets that have only changed places
_OPENING_US = 10_000
_MOST_OPENING = 64
_RATE = {codec.track: codec.clock_rate for codec in Codec}


@dataclass(frozen=True, slots=True)
class Connection:
    """What the streams of one transport share.

    `payloads`: payload type to codec. `rtx`: payload type of retransmissions to that of what they repeat. `clock`
    tells steady time.
    """

    payloads: Mapping[int, Codec]
    rtx: Mapping[int, int]
    our_ssrc: int
    send_rtcp: Callable[[bytes], None]
    clock: HostClock


class StreamReceiver:
    """Reorders the packets of one SSRC, asks for missing ones and gives up on them in time.

    Feeds `frames`, which outlives it: the track may continue on another SSRC.
    """

    __slots__ = (
        "_connection",
        "_frames",
        "_nack",
        "_opening",
        "_order",
        "_payload_type",
        "_probe",
        "_rate",
        "_reception",
        "_stale",
        "_stamp",
        "_stats",
        "_track",
        "rtx_ssrc",
        "ssrc",
    )

    def __init__(
        self, connection: Connection, track: Track, ssrc: int, frames: Frames, stats: StreamStats, *, nack: bool
    ) -> None:
        self.ssrc = ssrc
        self.rtx_ssrc: int | None = None
        self._connection = connection
        self._track = track
        self._frames = frames
        self._stats = stats
        self._nack = nack
        self._rate = _RATE[track]
        self._order = Reorder()
        self._reception = Reception(self._rate)
        self._payload_type = -1
        self._stamp = b""
        self._opening: list[tuple[bytes, int]] = []  # packets before the numbering begins, as they arrived
        self._stale = False  # what is missing is from before a silence
        self._probe: tuple[int, bytes] | None = None  # a packet of another numbering, waiting for its successor

    @property
    def started(self) -> bool:
        """Whether a packet has come."""
        return self._order.started or bool(self._opening)

    @property
    def repairing(self) -> bool:
        """Whether packets wait for missing ones."""
        return bool(self._order.missing)

    def missing_us(self, steady_us: int) -> int | None:
        """Return the age of the oldest missing packet; None when nothing is missing."""
        since_us = self._order.waiting_since_us()
        return None if since_us is None else max(0, steady_us - since_us)

    def rtp(self, data: bytes, now_us: int) -> None:
        """Take a packet of the media SSRC, at least 12 bytes long."""
        stats, reception = self._stats, self._reception
        stats.packets += 1
        before_us, stats.last_packet_us = stats.last_packet_us, now_us
        reception.received += 1
        stamp = data[4:8]
        if stamp != self._stamp:
            self._stamp = stamp
            reception.arrived(int.from_bytes(stamp, "big"), now_us + self._connection.clock.shift_us)
        if self._order.advance(data[2] << 8 | data[3]):
            self._deliver(data, now_us)
        elif self._order.started:
            self._out_of_turn(data, now_us)
            self._stale |= before_us is not None and now_us - before_us > _FORGOTTEN_US
        else:
            self._open(data, now_us)

    def rtx(self, data: bytes, now_us: int) -> None:
        """Take a packet of the retransmission SSRC (RFC 4588). What was never missing is ignored."""
        self._stats.last_packet_us = now_us
        payload_type = self._connection.rtx.get(data[1] & 0x7F)
        if payload_type is None:
            self._stats.ignored += 1
            return
        try:
            packet = rtp.unwrap_retransmission(data, payload_type, self.ssrc)
        except MalformedError:
            self._stats.malformed += 1
            return
        if packet is None:
            self._stats.padding += 1
        elif self._order.fill(packet[2] << 8 | packet[3], packet):
            self._stats.retransmissions += 1
            self._drain(now_us)
        else:
            self._stats.late += 1

    def sender_report(self, report: rtcp.SenderReport, steady_us: int) -> None:
        """Note when a report of this SSRC came, for the delay that our next one states."""
        self._reception.sender_reported(report.ntp, steady_us)

    def tick(self, now_us: int, steady_us: int) -> None:
        """Give up what waited too long, ask for what is missing."""
        if self._opening and now_us - self._opening[0][1] >= _OPENING_US:
            self._begin()
        missing_us = self.missing_us(steady_us)
        give_up_us = _OVERTAKEN_US if self._stale else _GIVE_UP_US[self._track]
        while missing_us is not None and missing_us >= give_up_us:
            self._give_up(now_us)
            missing_us = self.missing_us(steady_us)
        self._stale &= missing_us is not None
        if self._nack and missing_us is not None and not self._stale:
            numbers = nack.due(self._order.missing, steady_us)
            if numbers:
                self._stats.nacks_sent += len(numbers)
                request = rtcp.Nack(self._connection.our_ssrc, self.ssrc, tuple(numbers))
                self._connection.send_rtcp(request.pack())

    def report(self, steady_us: int) -> rtcp.ReportBlock | None:
        """Return the next report block; None before the first packet."""
        if not self._order.started:
            return None
        return self._reception.block(self.ssrc, self._order.first, self._order.highest, steady_us)

    def flush(self, now_us: int) -> None:
        """Give up everything missing and hand on what waited for it."""
        if self._opening:
            self._begin()
        while self._order.waiting:
            self._give_up(now_us)

    def _deliver(self, data: bytes, now_us: int) -> None:
        """Hand on the payload of the next packet in sequence."""
        kind = data[1] & 0x7F
        if kind != self._payload_type and not self._select(kind):
            return
        start, end = rtp.HEADER_SIZE, len(data)
        if data[0] != rtp.PLAIN:
            try:
                start, end = rtp.payload_bounds(data)
            except MalformedError:
                self._stats.malformed += 1
                self._frames.hole()
                return
        if start == end:
            self._stats.padding += 1
            return
        self._stats.bytes += end - start
        self._frames.add(data[start:end], data[4:8], data[1] & 0x80, now_us)

    def _select(self, payload_type: int) -> bool:
        """Follow a change of payload type; false for one that is not of this track: its packets only count."""
        codec = self._connection.payloads.get(payload_type)
        if codec is None or codec.track is not self._track:
            self._stats.ignored += 1
            return False
        self._payload_type = payload_type
        self._frames.select(codec)
        return True

    def _out_of_turn(self, data: bytes, now_us: int) -> None:
        sequence = data[2] << 8 | data[3]
        placement = self._order.place(sequence, data, now_us + self._connection.clock.shift_us)
        if placement is Placement.WAITING:
            self._drain(now_us)
        elif placement is Placement.LATE:
            self._stats.late += 1
        elif placement is Placement.TOO_FAR:
            self.flush(now_us)
            self._stats.lost += self._order.skip_to(sequence)
            self._frames.hole()
            self._order.advance(sequence)
            self._deliver(data, now_us)
        else:
            self._foreign(sequence, data, now_us)

    def _open(self, data: bytes, now_us: int) -> None:
        """Keep a stream's first packets until it is known which is the first: they may have changed places."""
        self._opening.append((data, now_us))
        codec = self._connection.payloads.get(data[1] & 0x7F)
        if self._frames.is_beginning(codec, data[rtp.HEADER_SIZE :]) or len(self._opening) > _MOST_OPENING:
            self._begin()

    def _begin(self) -> None:
        opening, self._opening = self._opening, []
        origin = int.from_bytes(opening[0][0][2:4], "big") - 0x8000
        opening.sort(key=lambda entry: (int.from_bytes(entry[0][2:4], "big") - origin) & 0xFFFF)
        self._order.start(int.from_bytes(opening[0][0][2:4], "big"))
        for data, at_us in opening:
            self._out_of_turn(data, at_us)

    def _foreign(self, sequence: int, data: bytes, now_us: int) -> None:
        """Follow a sender that numbers anew once two packets in a row say so (RFC 3550 appendix A.1)."""
        probe, self._probe = self._probe, (sequence, data)
        if probe is None or sequence != (probe[0] + 1) & 0xFFFF:
            return
        self._probe = None
        self.flush(now_us)
        self._frames.restart()
        self._reception = Reception(self._rate)
        self._reception.received = 2
        self._order.start(probe[0])
        self._out_of_turn(probe[1], now_us)
        self._out_of_turn(data, now_us)

    def _drain(self, now_us: int) -> None:
        while (packet := self._order.take()) is not None:
            self._deliver(packet, now_us)

    def _give_up(self, now_us: int) -> None:
        self._stats.lost += self._order.skip()
        self._frames.hole()
        self._drain(now_us)
