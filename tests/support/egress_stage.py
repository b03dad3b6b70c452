"""Shares that Egress records, over a real database and an Egress that does as a test says."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lookback.recorder.control import FollowEgress
from lookback.sessions.egress_orders import EgressOrders
from lookback.sessions.egress_places import EgressOptions
from lookback.sessions.egress_shares import EgressShares
from lookback.sessions.model import Session, SessionState
from tests.support.livekit_rooms import SaidLivekit, a_room, a_sharer
from tests.support.said_egress import SaidEgress
from tests.support.session_rows import START_US, RememberingRecorder, a_row
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lookback.db.sessions import SqlSessionRepository
    from lookback.sessions.moves import Moves

SECOND = 1_000_000
OPTIONS = EgressOptions(Path("/mnt/egress"), "/out", Path("/mnt/tmp"))


@dataclass(slots=True)
class Stage:
    """Everything around the shares. `now_us` is the clock, `until_us` what is buffered of every session."""

    rows: SqlSessionRepository
    moves: Moves
    livekit: SaidLivekit = field(default_factory=lambda: SaidLivekit([a_room(a_sharer())]))
    egress: SaidEgress = field(default_factory=SaidEgress)
    recorder: RememberingRecorder = field(default_factory=RememberingRecorder)
    now_us: int = START_US
    until_us: int | None = None
    ended: list[tuple[str, str]] = field(default_factory=list)

    async def buffered_until(self, _session: Session) -> int | None:
        return self.until_us

    async def end(self, session: Session, cause: str) -> None:
        self.ended.append((session.session_id, cause))
        await self.moves.move(session, SessionState.DRAINING, cause, ended_at_us=self.now_us)

    @asynccontextmanager
    async def shares(self, answer_s: float = 4) -> AsyncIterator[EgressShares]:
        def clock() -> int:
            return self.now_us

        orders = EgressOrders(self.rows, self.recorder, self.moves, self.egress, OPTIONS, clock=clock)
        shares = EgressShares(
            self.rows,
            self.recorder,
            self.livekit,
            self.egress,
            orders,
            options=OPTIONS,
            clock=clock,
            buffered_until=self.buffered_until,
            answer_s=answer_s,
        )
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(orders.run())
            try:
                yield shares
            finally:
                running.cancel()

    async def begun(self, shares: EgressShares, state: SessionState = SessionState.RECORDING) -> Session:
        """A session whose egress was started a while ago."""
        session = a_row(source="egress", state=SessionState.STARTING)
        await self.rows.add(session)
        await shares.begin(session)
        self.now_us += 20 * SECOND
        self.until_us = self.now_us - 10 * SECOND
        if state is not SessionState.STARTING:
            changed = await self.rows.change(session.session_id, SessionState.STARTING, state=state)
            assert changed is not None
            session = changed
        await self.look(shares)
        return session

    async def look(self, shares: EgressShares, seconds: float = 0) -> None:
        """Let so much time pass, then look, and let what was decided be done."""
        self.now_us += round(seconds * SECOND)
        await shares.look(self.end)
        await eventually(lambda: not any(kept.starting for kept in shares._kept.values()), what="the starts' end")
        await eventually(lambda: not shares._orders._stops.qsize(), what="the stops' end")
        await asyncio.sleep(0)

    async def row(self) -> Session:
        found = await self.rows.get("s1")
        assert found is not None
        return found

    @property
    def followed(self) -> list[FollowEgress]:
        return [request for request in self.recorder.asked if isinstance(request, FollowEgress)]
