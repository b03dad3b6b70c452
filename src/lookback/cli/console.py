"""`lookback console`: a Python shell with the installation at hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import typer

from lookback.bootstrap.desk import Desk, a_desk
from lookback.cli.logs import configure_logs
from lookback.cli.words import sentences
from lookback.db.engine import connect
from lookback.settings import load_settings

if TYPE_CHECKING:
    from lookback.settings import Settings

HELP = """\
What is at hand; everything that works is awaited, and Tab completes:

  await sessions.active()                    sessions that run
  await sessions.shown()                     those, and what can still be saved from
  await sessions.why("id")                   what happened to one
  await sessions.stop("id")                  end one; its last minutes can still be saved
  await sessions.stop_all()                  end all
  await clips.newest(20, user_id="alice")    the newest clips
  await clips.delete("id")                   delete one; it can be restored for ten minutes
  await find_user_permissions("alice")       what somebody may, and by which role
  await sweep(dry_run=True)                  what would go from the buffer; without dry_run it goes
  await server.get("/admin/health")          any answer of the HTTP API, as an administrator

Looking reads database and buffer; changes go through the running server, and are in its audit trail.
lookback_help() shows this again.
"""


def add_console(app: typer.Typer) -> None:
    """Let the application have the command."""
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(console)


def console(context: typer.Context) -> None:
    """Open an IPython shell with sessions, clips and permissions at hand. Options are IPython's."""
    with sentences():
        settings = load_settings()
        configure_logs(settings)
        asyncio.run(_require(settings))
    # Not before it is needed: it takes longer to import than everything else together.
    from IPython import start_ipython  # noqa: PLC0415

    typer.echo(HELP)
    # What is refused is said in a sentence, as everywhere, and not by showing the program's code.
    start_ipython(argv=["--no-banner", "--InteractiveShell.xmode=Minimal", *context.args], user_ns=at_hand(settings))


def at_hand(settings: Settings) -> dict[str, Any]:
    """The names of the shell. Connections are opened by the first question, in the shell's own event loop."""
    desk = Desk(settings, connect(settings.database))
    return {
        "sessions": desk.sessions,
        "clips": desk.clips,
        "find_user_permissions": desk.find_user_permissions,
        "sweep": desk.sweep,
        "server": desk.server,
        "settings": settings,
        "lookback_help": lambda: typer.echo(HELP),
    }


async def _require(settings: Settings) -> None:
    """Raise SettingsError now rather than at the first question."""
    async with a_desk(settings):
        return
