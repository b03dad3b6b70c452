"""`lookback doctor`: what the installation depends on, line by line, with the one thing to do."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from lookback.bootstrap.doctor import Wanted, examine_from_outside
from lookback.operations.doctor.findings import Level, worst

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookback.operations.doctor.findings import Finding

_COLOURS = {Level.OK: typer.colors.GREEN, Level.WARNING: typer.colors.YELLOW, Level.BROKEN: typer.colors.RED}


def add_doctor(app: typer.Typer) -> None:
    """Let the application have the command."""
    app.command()(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print it for machines.")] = False,
    room: Annotated[str | None, typer.Option(help="Look at a share in this room, too.")] = None,
    user: Annotated[str | None, typer.Option(help="Whose share that is.")] = None,
) -> None:
    """Check everything that the installation depends on; change nothing. Exit code 1 if something is broken."""
    if (room is None) != (user is None):
        raise typer.BadParameter("say --room and --user, or neither")
    silence()
    wanted = Wanted(room, user) if room is not None and user is not None else None
    found = asyncio.run(examine_from_outside(wanted))
    typer.echo(as_document(found) if as_json else "\n".join(as_lines(found, colour=sys.stdout.isatty())))
    if worst(found) is Level.BROKEN:
        raise typer.Exit(1)


def as_document(found: Sequence[Finding]) -> str:
    """The findings as GET admin/health has them, but for the time."""
    return json.dumps({"level": worst(found), "findings": [asdict(finding) for finding in found]}, indent=2)


def as_lines(found: Sequence[Finding], *, colour: bool = False) -> list[str]:
    """The findings for people: the level, the sentence, and below it what to do."""
    lines = []
    for finding in found:
        level = f"{finding.level:<8}"
        lines.append(f"{typer.style(level, _COLOURS[finding.level]) if colour else level}{finding.sentence}.")
        if finding.todo is not None:
            lines.append(f"        {finding.todo} [{finding.id}]")
    bad = [sum(finding.level is level for finding in found) for level in (Level.BROKEN, Level.WARNING)]
    return [*lines, "", f"{len(found)} things looked at: {bad[0]} broken, {bad[1]} to mind."]


def silence() -> None:
    """What is logged on the way is what is being found out; the findings say it better."""
    structlog.configure(processors=[_dropped])


def _dropped(_logger: object, _method: str, _event: structlog.typing.EventDict) -> str:
    raise structlog.DropEvent
