"""How commands speak: what goes wrong in sentences, a table in columns, a question before what cannot be undone."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from lookback.errors import LookbackError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextmanager
def sentences() -> Iterator[None]:
    """What goes wrong is said in sentences, one per line, and never as a traceback: exit code 2, or 1 if refused."""
    try:
        yield
    except SettingsError as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(2) from None
    except LookbackError as error:
        typer.echo(f"{error.detail}.", err=True)
        raise typer.Exit(1) from None


def confirm(question: str, *, yes: bool) -> None:
    """Ask unless the answer is there already; where nobody can be asked, say how to answer."""
    if yes:
        return
    if not sys.stdin.isatty():
        typer.echo(f"{question} Say --yes to do it.", err=True)
        raise typer.Exit(2)
    typer.confirm(question, abort=True)


def show(rows: Sequence[dict[str, Any]], *, as_json: bool, nothing: str) -> None:
    """Print rows of the same members as a table, or for machines."""
    if as_json:
        typer.echo(json.dumps(list(rows), indent=2))
    elif not rows:
        typer.echo(nothing)
    else:
        for line in _table([[*rows[0]], *([*map(_cell, row.values())] for row in rows)]):
            typer.echo(line)


def _cell(value: Any) -> str:
    return "-" if value is None else str(value)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
