"""Alice and Bob with sessions and clips in a real database and on a real disk, and what erases and exports them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lookback.access.audit import Audit, Selection
from lookback.access.consent import Consents
from lookback.access.principal import Principal
from lookback.buffer.eviction import remove_session
from lookback.buffer.layout import safe_name
from lookback.buffer.reader import SegmentCache
from lookback.clips.erasure import ClipErasure
from lookback.clips.ports import FoundSession
from lookback.db.audit import SqlAuditRepository
from lookback.db.clips import SqlClipRepository
from lookback.db.consents import SqlConsentRepository
from lookback.db.erasures import SqlErasureRepository
from lookback.db.quota import SqlQuotaLedger
from lookback.db.roles import SqlRoleRepository
from lookback.db.sessions import SqlSessionRepository
from lookback.db.users import SqlUserRepository
from lookback.operations.erasure import Erasures, SessionErasure
from lookback.operations.personal_data import PersonalDataService
from lookback.sessions.buffers import SessionBuffers
from lookback.sessions.consent import ConsentService
from lookback.sessions.moves import Moves
from lookback.sessions.onlookers import Onlookers
from lookback.sessions.rights import SessionRights
from lookback.sessions.service import SessionService
from tests.support.clip_studio import Studio, a_studio
from tests.support.communities import SaidCommunities, an_admission, starts_of
from tests.support.encoded_clip import encoded_clip
from tests.support.media import START_US, record
from tests.support.session_rows import RememberingRecorder, a_database, a_row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.access.audit import Entry
    from lookback.clips.model import Clip
    from lookback.sessions.model import Session, SessionState

ALICE, BOB = Principal("alice"), Principal("bob")
MANAGER = Principal("root", admin=True)


@dataclass(slots=True)
class Household:
    """Everything over one database and one disk."""

    folder: Path
    engine: AsyncEngine
    studio: Studio
    audit: Audit
    entries: SqlAuditRepository
    recorder: RememberingRecorder = field(default_factory=RememberingRecorder)

    @property
    def rows(self) -> SqlSessionRepository:
        """The sessions."""
        return SqlSessionRepository(self.engine)

    @property
    def persons(self) -> SqlErasureRepository:
        """Wishes to be erased."""
        return SqlErasureRepository(self.engine)

    @property
    def buffers(self) -> SessionBuffers:
        """What is buffered."""
        return SessionBuffers(self.studio.layout, SegmentCache())

    @property
    def service(self) -> SessionService:
        """The sessions' service."""
        return SessionService(
            self.rows,
            self.recorder,
            self.buffers,
            Moves(self.rows, self.studio.clock, self.audit),
            clock=self.studio.clock,
            starts=starts_of(an_admission(self.rows), self.recorder),
            rights=SessionRights(SaidCommunities()),
            onlookers=Onlookers(self.audit, self.studio.clock),
        )

    @property
    def consent(self) -> ConsentService:
        """What people say."""
        consents = SqlConsentRepository(self.engine)
        return ConsentService(consents, self.rows, self.service, self.audit, self.studio.clock)

    @property
    def consents(self) -> Consents:
        """What follows from it."""
        return Consents(SqlConsentRepository(self.engine))

    @property
    def personal_data(self) -> PersonalDataService:
        """What people take along."""
        return PersonalDataService(
            self.persons,
            SqlConsentRepository(self.engine),
            SqlRoleRepository(self.engine),
            self.rows,
            self.studio.repository,
            self.entries,
            self.studio.clips.store,
            self.audit,
        )

    def erasures(
        self,
        checkpoint: Callable[[str], None] = lambda _step: None,
        forget: Callable[[str], None] = lambda _user: None,
    ) -> Erasures:
        """A server's; each call is another start of it."""
        clips = ClipErasure(self.studio.clips.rows, self.studio.clips.store, self.audit)
        sessions = SessionErasure(self.rows, self.service, self.buffers, self.recorder)
        return Erasures(
            self.persons,
            sessions,
            clips,
            self.audit,
            clock=self.studio.clock,
            forget=forget,
            checkpoint=checkpoint,
        )

    async def has_session(self, user_id: str, session_id: str, state: SessionState, room: str = "demo") -> Session:
        """Give somebody a session with something recorded."""
        session = a_row(session_id, state, user_id=user_id, room_name=room)
        await self.rows.add(session)
        directory = self.buffers.directory(session)
        directory.mkdir(parents=True, exist_ok=True)
        record(directory, encoded_clip())
        found = FoundSession(session_id, room, None, user_id, directory, recording=False)
        self.studio.sessions.sessions.append(found)
        return session

    async def saves(self, who: Principal, session_id: str) -> Clip:
        """Save the first two seconds."""
        return await self.studio.capture(who=who, session_id=session_id, start_us=START_US, end_us=START_US + 2_000_000)

    async def trail(self) -> list[Entry]:
        """All entries, oldest first."""
        return [entry async for entry in self.entries.all(Selection())]

    def paths_of(self, user_id: str) -> list[Path]:
        """Every path below buffer and storage that has the user's name in it."""
        name = safe_name(user_id)
        return [path for path in sorted(self.folder.rglob("*")) if name in path.relative_to(self.folder).parts]

    def pins(self) -> list[Path]:
        """The pins of all clips."""
        return list(self.studio.layout.all_pins())


@asynccontextmanager
async def a_household(
    folder: Path, database: AbstractAsyncContextManager[AsyncEngine] | None = None
) -> AsyncIterator[Household]:
    """Nobody has done anything yet; on SQLite unless another empty database is given."""
    async with database or a_database(folder) as engine:
        entries = SqlAuditRepository(engine)
        audit = Audit(entries, lambda: 1_795_384_759_000_000)
        studio = a_studio(
            folder / "buffer",
            folder / "storage",
            repository=SqlClipRepository(engine),
            ledger=SqlQuotaLedger(engine),
            trail=audit,
        )
        studio.sessions.sessions.clear()
        remove_session(studio.layout.session_dir("demo", "alice", "s1"))
        studio.clock.now_us += 10_000_000
        for who in ("alice", "bob"):
            await SqlUserRepository(engine).seen(who, who.title(), 1)
        yield Household(folder, engine, studio, audit, entries)
