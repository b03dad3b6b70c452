"""The service of sessions over rows and a recorder, for tests that look at what becomes of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.buffer.layout import BufferLayout
from lookback.buffer.reader import SegmentCache
from lookback.sessions.buffers import SessionBuffers
from lookback.sessions.moves import Moves
from lookback.sessions.onlookers import Onlookers
from lookback.sessions.rights import SessionRights
from lookback.sessions.service import SessionService
from tests.support.audit import a_trail
from tests.support.communities import SaidCommunities, an_admission, starts_of
from tests.support.session_rows import START_US

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.db.sessions import SqlSessionRepository
    from tests.support.session_rows import RememberingRecorder


def a_service(
    rows: SqlSessionRepository,
    recorder: RememberingRecorder,
    folder: Path,
    clock: Callable[[], int] = lambda: START_US,
) -> SessionService:
    """A service whose buffers are in `folder`."""
    return SessionService(
        rows,
        recorder,
        SessionBuffers(BufferLayout(folder), SegmentCache()),
        Moves(rows, clock, a_trail()),
        clock=clock,
        starts=starts_of(an_admission(rows), recorder),
        rights=SessionRights(SaidCommunities()),
        onlookers=Onlookers(a_trail(), clock),
    )
