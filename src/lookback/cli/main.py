"""The command `lookback`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
import uvloop

import lookback
from lookback.bootstrap.app import openapi_document
from lookback.bootstrap.livekit import credentials_of
from lookback.bootstrap.parts import prepare_folders, tokens_of
from lookback.cli.backup import add_backup
from lookback.cli.checking import add_check
from lookback.cli.console import add_console
from lookback.cli.demonstration import start_demo
from lookback.cli.desk import add_desk
from lookback.cli.doctor import add_doctor
from lookback.cli.logs import configure_logs
from lookback.cli.serving import serve as serve_until_stopped
from lookback.cli.support import add_support
from lookback.cli.sweeping import sweep_lines
from lookback.cli.usage import usage_lines
from lookback.cli.why import add_why
from lookback.cli.words import sentences
from lookback.errors import SettingsError, ungrouped
from lookback.settings import load_settings, reference

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from lookback.settings import Settings

# A traceback with local variables would show secrets.
app = typer.Typer(
    no_args_is_help=True, add_completion=False, help=lookback.__doc__, pretty_exceptions_show_locals=False
)
_LONGEST_ID = 255
_LONGEST_HOURS = 100 * 366 * 24


def _user(value: str) -> str:
    if not 0 < len(value) <= _LONGEST_ID:
        raise typer.BadParameter(f"say 1 to {_LONGEST_ID} characters")
    return value


def _hours(value: float) -> float:
    if not 0 < value <= _LONGEST_HOURS:  # nor is NaN
        raise typer.BadParameter(f"say more than 0 and at most {_LONGEST_HOURS}")
    return value


def _roles(values: list[str]) -> dict[str, list[str]]:
    """Roles by community, from such words as c1:moderator."""
    found: dict[str, list[str]] = {}
    for value in values:
        community_id, _, role = value.rpartition(":")
        if not community_id or not role:
            raise typer.BadParameter("say community and role, such as c1:moderator", param_hint="--role")
        found.setdefault(community_id, []).append(role)
    return found


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@app.command()
def serve() -> None:
    """Run everything on this machine, and print the link that logs you in."""
    with sentences():
        settings = load_settings()
        configure_logs(settings)
        with ungrouped(SettingsError):
            _run(serve_until_stopped(settings, lambda line: print(line, flush=True)))  # noqa: T201 - the one line


@app.command()
def token(
    user: Annotated[str, typer.Option(help="Whom it speaks for.", callback=_user)],
    name: Annotated[str | None, typer.Option(help="The name people see.")] = None,
    admin: Annotated[bool, typer.Option(help="Let it do everything.")] = False,
    role: Annotated[
        list[str] | None, typer.Option(help="A role in a community, such as c1:moderator; several may be given.")
    ] = None,
    hours: Annotated[float, typer.Option(help="How long it holds.", callback=_hours)] = 24,
) -> None:
    """Print a bearer token for development."""
    with sentences():
        settings = load_settings()
        prepare_folders(settings)
        minted = tokens_of(settings).mint(
            user, name=name, admin=admin, communities=_roles(role or []), valid_seconds=round(hours * 3600)
        )
        typer.echo(minted)


@app.command()
def sweep(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Delete nothing, only say what would go.")] = False,
    free_gb: Annotated[
        float,
        typer.Option("--free-gb", help="Besides, delete the oldest until so much is freed in all.", min=0, max=1e6),
    ] = 0,
) -> None:
    """Delete what has expired from the buffer now, and say what went; through the server where one runs."""
    with sentences():
        settings = load_settings()
        configure_logs(settings)
        for line in asyncio.run(sweep_lines(settings, dry_run=dry_run, free_bytes=round(free_gb * 1024**3))):
            typer.echo(line)


@app.command()
def usage(
    by: Annotated[Literal["user", "room", "community"], typer.Option(help="Whose share of it.")] = "user",
    most: Annotated[int, typer.Option(help="How many lines at most.", min=1, max=100_000)] = 1000,
) -> None:
    """Print who stores how much, the largest first."""
    with sentences():
        settings = load_settings()
        configure_logs(settings)
        for line in asyncio.run(usage_lines(settings, by, most)):
            typer.echo(line)


@app.command()
def demo(
    room: Annotated[str, typer.Option(help="The room to share in.")] = "demo",
    user: Annotated[str, typer.Option(help="Whose share it is.", callback=_user)] = "dev",
    livekit: Annotated[bool, typer.Option("--livekit", help="Share it in a LiveKit room, until Ctrl-C.")] = False,
) -> None:
    """Share a generated screen on the running server, and say what to do with it."""
    with sentences():
        settings = load_settings()
        prepare_folders(settings)
        minted = tokens_of(settings).mint(user, admin=user == "dev", valid_seconds=86_400)
        if livekit:
            _run(_share_in_livekit(settings, minted, room, user))
            return
        for line in start_demo(settings, minted, room):
            typer.echo(line)


async def _share_in_livekit(settings: Settings, token: str, room: str, user: str) -> None:
    credentials = credentials_of(settings)
    if credentials is None:
        raise SettingsError("LiveKit is not configured: set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET.")
    from lookback.cli import livekit_demo  # noqa: PLC0415 - nothing else needs LiveKit's SDK

    def shared() -> None:
        typer.echo(f"{user} shares a generated screen in the LiveKit room {room}. Ctrl-C ends it.")
        try:
            lines = start_demo(settings, token, room, "livekit")
        except SettingsError as error:
            lines = [error.detail]  # others can see and keep the share all the same
        for line in lines:
            typer.echo(line)

    await livekit_demo.share_until_stopped(credentials, room, user, shared)
    livekit_demo.end_process()


add_backup(app)
add_check(app)
add_doctor(app)
add_why(app)
add_support(app)
add_desk(app)
add_console(app)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(lookback.__version__)


@app.command(hidden=True)
def openapi() -> None:
    """Print the OpenAPI document, for docs/reference/openapi.json."""
    typer.echo(json.dumps(openapi_document(), indent=2))


@app.command(hidden=True)
def settings() -> None:
    """Print the settings, for docs/reference/settings.md."""
    typer.echo(reference())
