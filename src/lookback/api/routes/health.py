"""/admin/health: what the installation depends on, and what to do where that does not work."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import Field

from lookback.api.routes.documented import problems
from lookback.api.security import Has, Who
from lookback.api.wire import PRINTABLE, Answer, Instant
from lookback.operations.doctor.findings import Finding, worst

router = APIRouter(prefix="/admin", tags=["operations"])

_Name = Annotated[str | None, Query(min_length=1, max_length=255, pattern=PRINTABLE)]


class FindingAnswer(Answer):
    """One thing that was looked at."""

    id: str = Field(description="What was looked at, and what is wrong with it: `database`, `database.locked`.")
    level: Literal["ok", "warning", "broken"]
    sentence: str
    todo: str | None = Field(description="The one thing to do; null when all is well.")

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Present a finding."""
        return cls(id=finding.id, level=finding.level.value, sentence=finding.sentence, todo=finding.todo)


class InstallationHealthAnswer(Answer):
    """What `lookback doctor` says, as the running server sees it."""

    level: Literal["ok", "warning", "broken"] = Field(description="That of the worst finding.")
    checked_at: Instant
    findings: list[FindingAnswer]


@router.get("/health", operation_id="health", responses=problems(400, 401, 403, 503))
async def health(who: Who, has: Has, room: _Name = None, user: _Name = None) -> InstallationHealthAnswer:
    """Look at everything the installation depends on, and with `room` and `user` also at one share.

    Looks at most once in ten seconds; `checkedAt` says when. For those who manage limits everywhere.
    """
    checked_us, findings = await has.health.findings(who, room, user)
    return InstallationHealthAnswer(
        level=worst(findings).value, checked_at=checked_us, findings=[FindingAnswer.of(f) for f in findings]
    )
