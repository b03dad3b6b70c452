"""`lookback check`: what does not agree, in sentences or for machines, and what was done about it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookback.bootstrap.checking import Report, Wish, check
from lookback.cli.logs import configure_logs
from lookback.errors import DiskFullError, SettingsError, StorageUnavailableError
from lookback.settings import load_settings

if TYPE_CHECKING:
    from lookback.buffer.findings import Finding

_LEFT, _NOT_CHECKED = 1, 2


def add_check(app: typer.Typer) -> None:
    """Let the application have the command."""
    app.command("check")(run_check)


def run_check(
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended; no server may run.")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Read all bytes and compare their hashes.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Mend also where that deletes more than half.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it for machines.")] = False,
    recount: Annotated[
        bool, typer.Option("--recount", help="First set right what users are said to have used.")
    ] = False,
) -> None:
    """Prove buffer and library consistent, in both directions. Exit code 1: not so; 2: nobody can tell."""
    try:
        settings = load_settings()
        configure_logs(settings)
        report = asyncio.run(check(settings, Wish(repair=repair, deep=deep, sure=yes, recount=recount)))
    except (SettingsError, StorageUnavailableError, DiskFullError) as error:
        if as_json:
            typer.echo(json.dumps({"consistent": None, "error": error.detail}, indent=2))
        else:
            typer.echo(error.detail, err=True)
        raise typer.Exit(_NOT_CHECKED) from None
    typer.echo(as_document(report) if as_json else "\n".join(as_lines(report)))
    if report.left:
        raise typer.Exit(_LEFT)


def as_lines(report: Report) -> list[str]:
    """The report for people: what was mended, what is left, and why."""
    lines = [f"Mended: {_line(finding)}" for finding in report.mended]
    lines += [_line(finding) for finding in report.left]
    lines += [f"Not mended [{code}]: {why}." for code, why in report.refused.items()]
    if not report.left:
        lines.append("Everything is consistent now." if report.mended else "Everything is consistent.")
    return lines


def as_document(report: Report) -> str:
    """The same for machines: one JSON document."""
    found = [_member(finding, "mended") for finding in report.mended]
    found += [_member(left, "refused" if left.kind in report.refused else "left") for left in report.left]
    document = {
        "consistent": not report.left,
        "lookedAt": dict(report.looked_at),
        "findings": found,
        "refused": dict(report.refused),
    }
    return json.dumps(document, indent=2)


def _line(finding: Finding) -> str:
    return f"{finding.sentence}; repair: {finding.of.does} [{finding.kind}]"


def _member(finding: Finding, outcome: str) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "about": finding.of.about,
        "subject": finding.subject,
        "detail": finding.detail,
        "sentence": finding.sentence,
        "mend": finding.of.mend,
        "repair": finding.of.does,
        "outcome": outcome,
    }
