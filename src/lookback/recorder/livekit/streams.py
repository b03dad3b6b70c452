"""Which packet of a room is whose: one transport carries the tracks of several sessions, told apart by SSRC."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from lookback.errors import MalformedError
from lookback.media import rtcp, rtp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lookback.media.receiver import Receiver

_MOST_EARLY = 500


class Streams:
    """Takes the decrypted packets of a room and gives each to its receiver.

    The first packets of a track come before the answer that names its SSRC, and its first key frame is among them:
    packets that are nobody's wait for a while. Reports go only to the receivers they are about, because a packet is
    a sign of life.
    """

    def __init__(self) -> None:
        self._receivers: dict[bytes, Receiver] = {}
        self._early: deque[tuple[bytes, int]] = deque(maxlen=_MOST_EARLY)

    def bind(self, receiver: Receiver, *ssrcs: int) -> None:
        """Give a receiver, that knows these SSRCs, their packets from now on, and those that came early."""
        names = {ssrc.to_bytes(4, "big") for ssrc in ssrcs}
        self._receivers |= dict.fromkeys(names, receiver)
        early, self._early = self._early, deque(maxlen=_MOST_EARLY)
        for packet, at_us in early:
            if packet[8:12] in names:
                receiver.packet(packet, at_us)
            else:
                self._early.append((packet, at_us))

    def unbind(self, receiver: Receiver) -> None:
        """Give a receiver nothing any more."""
        self._receivers = {ssrc: other for ssrc, other in self._receivers.items() if other is not receiver}

    def packet(self, packet: bytes, now_us: int) -> None:
        """Take an RTP or RTCP packet that arrived at `now_us` (UTC)."""
        if rtp.is_rtcp(packet):
            for concerned in self._concerned(packet):
                concerned.packet(packet, now_us)
            return
        receiver = self._receivers.get(packet[8:12])
        if receiver is not None:
            receiver.packet(packet, now_us)
        else:
            self._early.append((packet, now_us))

    def _concerned(self, packet: bytes) -> Iterable[Receiver]:
        found = (self._receivers.get(ssrc.to_bytes(4, "big")) for ssrc in _sources(packet))
        return dict.fromkeys(receiver for receiver in found if receiver is not None)


def _sources(packet: bytes) -> Iterator[int]:
    """SSRCs that a compound packet reports or ends, as far as it can be read."""
    try:
        for part in rtcp.read_compound(packet):
            if isinstance(part, rtcp.SenderReport):
                yield part.ssrc
            elif isinstance(part, rtcp.Goodbye):
                yield from part.ssrcs
    except MalformedError:
        return
