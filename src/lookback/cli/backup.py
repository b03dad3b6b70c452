"""`lookback backup TO` and `lookback restore FROM`."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003 - typer reads what arguments are
from typing import TYPE_CHECKING, Annotated

import typer

from lookback.bootstrap.backup import back_up, bring_back
from lookback.bootstrap.parts import clock_us
from lookback.cli.logs import configure_logs
from lookback.cli.usage import human_bytes
from lookback.errors import DiskFullError, SettingsError, StorageUnavailableError
from lookback.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from lookback.bootstrap.backup import Carried
    from lookback.settings import Settings


def add_backup(app: typer.Typer) -> None:
    """Let the application have the commands."""
    app.command()(backup)
    app.command()(restore)


def backup(to: Annotated[Path, typer.Argument(help="A folder that is not there yet.")]) -> None:
    """Write database, clips and secret into a new folder; the server may run meanwhile."""
    settings = _settings()
    carried = _done(back_up(settings, to.expanduser().absolute(), clock_us()))
    typer.echo(f"{_words(carried)} are in {to}.")
    if carried.left_out:
        typer.echo(f"{carried.left_out} deleted clips are not.")


def restore(source: Annotated[Path, typer.Argument(metavar="FROM", help="What `lookback backup` wrote.")]) -> None:
    """Bring a backup into an installation with nothing in it; the server must not run."""
    settings = _settings()
    carried = _done(bring_back(settings, source.expanduser().absolute()))
    typer.echo(f"{_words(carried)} are back. Start the server.")


def _settings() -> Settings:
    try:
        settings = load_settings()
    except SettingsError as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(2) from None
    configure_logs(settings)
    return settings


def _done(work: Coroutine[object, object, Carried]) -> Carried:
    try:
        return asyncio.run(work)
    except (SettingsError, DiskFullError, StorageUnavailableError) as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(2) from None


def _words(carried: Carried) -> str:
    return f"The database and {carried.clips} clips ({human_bytes(carried.size_bytes)})"
