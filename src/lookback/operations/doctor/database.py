"""What is said of the database; `db.examination` looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lookback.operations.doctor.findings import Finding, fine, wrong
from lookback.operations.doctor.remedies import Problem

Fault = Literal["unreachable", "refused", "missing", "locked", "damaged", "read-only"]

_SENTENCES: dict[Fault, str] = {
    "unreachable": "The database does not answer",
    "refused": "The database refuses this server's user or password",
    "missing": "The database server answers, but has no database of this name",
    "locked": "Another program holds the database's lock",
    "damaged": "What is at DATABASE_URL is damaged, or is no database",
    "read-only": "The database can be read but not written",
}


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """`made`: whether it has our tables. `revision`: its schema; `newest`: the one that this code makes.

    `known`: whether this code knows its schema. `clock_us`: how far the database server's clock is ahead of ours, None
    where it has none of its own.
    """

    fault: Fault | None = None
    made: bool = True
    revision: str | None = None
    newest: str = ""
    known: bool = True
    answered_us: int = 0
    clock_us: int | None = None


def judge_database(facts: DatabaseFacts) -> Finding:
    """What is said of the database."""
    if facts.fault is not None:
        return wrong(Problem(f"database.{facts.fault}"), _SENTENCES[facts.fault])
    if not facts.made:
        return fine("database", "The database answers; its tables will be made at the first start")
    if not facts.known:
        return wrong(
            Problem.DATABASE_NEWER,
            f"The database was made by a newer version of the program (schema {facts.revision}; this one knows "
            f"{facts.newest})",
        )
    if facts.revision != facts.newest:
        return wrong(
            Problem.DATABASE_OLDER,
            f"The database has the schema {facts.revision}, this version of the program {facts.newest}",
        )
    return fine("database", f"The database answers in {facts.answered_us / 1000:.0f} ms, schema {facts.revision}")
