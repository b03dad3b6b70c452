"""Who offers when: one offer at a time, and what is asked for meanwhile goes into the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lookback.recorder.livekit.offer import Kind


class Negotiation:
    """The client's side of `/rtc/v1`, without any I/O: say what came, ask `due` whether to offer.

    The first offer has a section of each kind before anybody shares: LiveKit removes a client that has not
    negotiated anything within 60 s, and the transport is up by the time it is needed.
    """

    def __init__(self) -> None:
        self._sections: list[Kind] = ["audio", "video"]
        self._more: list[Kind] = []
        self._wanted = True
        self._outstanding: int | None = None
        self.offer_id = 0

    @property
    def sections(self) -> tuple[Kind, ...]:
        """The sections of the newest offer; the place of each is its mid."""
        return tuple(self._sections)

    @property
    def waiting(self) -> bool:
        """Whether an answer is due."""
        return self._outstanding is not None

    def require(self, audios: int, videos: int) -> None:
        """Note that the server needs that many more sections; none means that it wants to be offered again."""
        counts: tuple[tuple[Kind, int], ...] = (("audio", audios), ("video", videos))
        self._more += [kind for kind, count in counts for _ in range(count)]
        self._wanted = True

    def renew(self) -> None:
        """Offer again, with the same sections: an ICE restart."""
        self._wanted = True

    def due(self) -> bool:
        """Tell whether to send an offer now, with `sections` and `offer_id`; true counts as sent."""
        if not self._wanted or self.waiting:
            return False
        self._wanted = False
        self._sections += self._more
        self._more = []
        self.offer_id += 1
        self._outstanding = self.offer_id
        return True

    def answered(self, offer_id: int) -> bool:
        """Note an answer; false for one that nobody waits for. An id of 0 is an answer to whatever was last."""
        if self._outstanding is None or offer_id not in {0, self._outstanding}:
            return False
        self._outstanding = None
        return True

    def interrupted(self) -> None:
        """Note that no answer will come: offer again when there is a way to."""
        if self._outstanding is not None:
            self._outstanding = None
            self._wanted = True
