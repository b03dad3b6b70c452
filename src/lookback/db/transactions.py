"""Transactions of one method, or of several repositories together."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncSession

from lookback.db.faults import database_faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
    from sqlalchemy.orm.session import JoinTransactionMode


@dataclass(slots=True)
class _Shared:
    """A transaction that is open in this context; its connection is taken by the first who writes."""

    engine: AsyncEngine
    task: asyncio.Task[object] | None
    connection: AsyncConnection | None = None
    over: bool = field(default=False)
    spoiled: bool = field(default=False)

    async def let_go(self) -> None:
        """Take back what was not committed; the next write begins anew."""
        connection, self.connection = self.connection, None
        if connection is not None:
            await asyncio.shield(connection.close())


_shared: ContextVar[_Shared | None] = ContextVar("shared transaction", default=None)


class Transactions:
    """What repositories open: `begin()` to write, a call to read. Inside `together`, all of it is one transaction.

    A write inside `together` is a savepoint of its own, so that one which fails (a row that is there already) leaves
    the others alone. The first needs none: there are no others yet, and the next begins afresh. The shared transaction
    begins with the first write, not with the block: whoever waits for a lock of the program before it holds none of the
    database's.

    Raises StorageUnavailableError or DiskFullError when the database is away; the next transaction tries again.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[AsyncSession]:
        """Read; what was written together with it is seen."""
        shared = self._open()
        with database_faults():
            async with self._session(shared.connection if shared is not None else None) as session:
                yield session

    @asynccontextmanager
    async def begin(self, *, savepoint: bool = True) -> AsyncIterator[AsyncSession]:
        """Write: committed at the end of the block, or of the outer `together`; taken back when it raises.

        Without a savepoint, which is two statements less, all that was written together is taken back with it.
        """
        shared = self._open()
        with database_faults():
            first = shared is not None and shared.connection is None
            connection = await _connected(shared) if shared is not None else None
            try:
                async with self._session(connection, savepoint=savepoint and not first) as session, session.begin():
                    yield session
            except BaseException:
                if shared is not None and not savepoint:
                    shared.spoiled = True
                elif shared is not None and first:
                    await shared.let_go()
                raise

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Commit everything that this task writes in the block at its end, or nothing of it."""
        if self._open() is not None:
            yield
            return
        shared = _Shared(self._engine, asyncio.current_task())
        before = _shared.set(shared)
        try:
            yield
            if shared.spoiled:
                raise RuntimeError("a write that failed was overlooked by those it was written together with")
            if shared.connection is not None:
                with database_faults():
                    await shared.connection.commit()
        finally:
            shared.over = True
            _shared.reset(before)
            await shared.let_go()

    def _open(self) -> _Shared | None:
        """The shared transaction, unless it is another task's: one connection serves one at a time."""
        shared = _shared.get()
        if shared is None or shared.over or shared.engine is not self._engine:
            return None
        return shared if shared.task is asyncio.current_task() else None

    def _session(self, connection: AsyncConnection | None, *, savepoint: bool = True) -> AsyncSession:
        if connection is None:
            return AsyncSession(self._engine, expire_on_commit=False)
        mode: JoinTransactionMode = "create_savepoint" if savepoint else "rollback_only"
        return AsyncSession(connection, expire_on_commit=False, join_transaction_mode=mode)


async def _connected(shared: _Shared) -> AsyncConnection:
    if shared.connection is None:
        connection = await shared.engine.connect()
        try:
            # By itself, and not with the first statement: that would be the first writer's own transaction.
            await connection.begin()
            if connection.dialect.name == "sqlite":
                # Its driver begins a transaction with the first change only; a savepoint before would be one itself.
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
        except BaseException:
            await connection.close()
            raise
        shared.connection = connection
    return shared.connection
