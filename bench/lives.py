"""People who come, share, mute, leave and vanish by chance; and what may be seen of their buffers meanwhile."""

from __future__ import annotations

from contextlib import AsyncExitStack
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

from tests.support.livekit_publisher import livekit_participant

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from tests.support.livekit_publisher import LivekitPublisher
    from tests.support.livekit_server import LivekitServer

SIZES = ((640, 360), (480, 270), (320, 180))
DISASTERS = ("livekit dies", "recorder dies", "api dies")
_DISASTER_ODDS = 0.06
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 6.0

Share = Literal["shown", "muted"]


class Mode(StrEnum):
    """What somebody is doing."""

    AWAY = "away"
    PRESENT = "present"
    SHARING = "sharing"
    MUTED = "muted"


MOVES: dict[Mode, dict[str, Mode]] = {
    Mode.AWAY: {"join": Mode.PRESENT},
    Mode.PRESENT: {"share": Mode.SHARING, "leave": Mode.AWAY, "vanish": Mode.AWAY},
    Mode.SHARING: {
        "mute": Mode.MUTED,
        "resize": Mode.SHARING,
        "republish": Mode.SHARING,
        "unpublish": Mode.PRESENT,
        "leave": Mode.AWAY,
        "vanish": Mode.AWAY,
    },
    Mode.MUTED: {"unmute": Mode.SHARING, "unpublish": Mode.PRESENT, "leave": Mode.AWAY, "vanish": Mode.AWAY},
}
# People mostly share: else half of the time nothing would be recorded.
_WEIGHT = {"share": 6, "republish": 2, "unmute": 3, "leave": 0.5, "vanish": 0.5, "unpublish": 0.7}


class Turn(NamedTuple):
    """After `pause_s`, somebody's move, or a disaster when `who` is None."""

    pause_s: float
    who: int | None
    move: str


def script(chance: random.Random, people: int) -> Iterator[Turn]:
    """What happens, for ever; the same for the same seed."""
    modes = [Mode.AWAY] * people
    while True:
        pause_s = chance.uniform(_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S)
        if chance.random() < _DISASTER_ODDS:
            yield Turn(pause_s, None, chance.choice(DISASTERS))
            continue
        who = chance.randrange(people)
        moves = MOVES[modes[who]]
        move = chance.choices(list(moves), [_WEIGHT.get(name, 1) for name in moves])[0]
        modes[who] = moves[move]
        yield Turn(pause_s, who, move)


def agrees(share: Share | None, status: str | None) -> bool:
    """Whether a session's status fits what the LiveKit server says about its user's share."""
    if share == "shown":
        return status == "recording"
    if share == "muted":
        return status in {"starting", "recording", "interrupted"}
    return status not in {"starting", "recording", "interrupted"}


class Life:
    """One person in one room. A move that is impossible because the world has changed ends in being away."""

    def __init__(
        self, server: LivekitServer, room: str, identity: str, sizes: Sequence[tuple[int, int]] = SIZES
    ) -> None:
        self.room, self.identity = room, identity
        self._server = server
        self._sizes = sizes
        self._resized = 0
        self._stack = AsyncExitStack()
        self._publisher: LivekitPublisher | None = None
        self._shares = False

    async def move(self, name: str) -> None:
        """Make a move of MOVES; coming first, where it takes somebody who is away for reasons of their own."""
        try:
            publisher = self._publisher or await self._comes()
            await self._do(publisher, name)
        except AssertionError:
            # What the SDK refuses: LiveKit was killed under it, and it gave up.
            await self.goes()

    async def goes(self) -> None:
        """Be away, as whoever closes the laptop."""
        await self._stack.aclose()
        self._publisher, self._shares = None, False

    async def _comes(self) -> LivekitPublisher:
        participant = livekit_participant(self._server, self.room, self.identity)
        self._publisher = await self._stack.enter_async_context(participant)
        return self._publisher

    async def _do(self, publisher: LivekitPublisher, name: str) -> None:
        match name:
            case "vanish":
                await self.goes()
            case "leave":
                await publisher.leave()
                await self.goes()
            case "share":
                await self._share(publisher)
            case "unpublish" if self._shares:
                await publisher.unpublish()
                self._shares = False
            case "republish" if self._shares:
                await publisher.unpublish()
                await publisher.publish(size=SIZES[0])
            case "mute" if self._shares:
                await publisher.mute()
            case "unmute" if self._shares:
                await publisher.unmute()
            case "resize" if self._shares:
                self._resized += 1
                await publisher.resize(*self._sizes[self._resized % len(self._sizes)])

    async def _share(self, publisher: LivekitPublisher) -> None:
        if not self._shares:
            await publisher.publish(size=SIZES[0])
            self._shares = True
