"""`lookback why SESSION`: what happened to a session, read from database and buffer, whether a server runs or not."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from lookback.api import present
from lookback.api.wire import iso
from lookback.bootstrap.desk import a_desk
from lookback.cli.logs import configure_logs
from lookback.cli.words import sentences
from lookback.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lookback.sessions.model import Session
    from lookback.sessions.story import Story
    from lookback.settings import Settings

_MOST = 10


def add_why(app: typer.Typer) -> None:
    """Let the application have the command."""
    app.command()(why)


def why(
    session: Annotated[str, typer.Argument(help="Its id, or how that begins.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print it for machines.")] = False,
) -> None:
    """Tell what happened to a session, and what can be done about it; without one, list the newest."""
    with sentences():
        settings = load_settings()
        configure_logs(settings)
        found = asyncio.run(_find(settings, session))
    if isinstance(found, list):
        for line in _choice(session, found):
            typer.echo(line, err=True)
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps(present.story(found).model_dump(mode="json", by_alias=True), indent=2))
    else:
        typer.echo("\n".join(as_lines(found)))


async def _find(settings: Settings, start: str) -> Story | list[Session]:
    """The story of the one session whose id is, or begins with, `start`; otherwise the sessions to choose from."""
    async with a_desk(settings) as desk:
        found = await desk.sessions.rows.beginning_with(start, _MOST)
        exact = [row for row in found if row.session_id == start] or found
        if start and len(exact) == 1:
            return await desk.sessions.stories.of(exact[0])
        return found or await desk.sessions.rows.beginning_with("", _MOST)


def _choice(start: str, found: list[Session]) -> Iterator[str]:
    if not found:
        yield "There has been no session yet."
        return
    if not start:
        yield "Say which session. The newest:"
    elif found[0].session_id.startswith(start):
        yield f"Several sessions begin with {start}. The newest:"
    else:
        yield f"There is no session {start}. The newest:"
    for row in found:
        yield f"{row.session_id}  {iso(row.started_at_us)}  {row.state}, {row.user_id} in {row.room_name}"


def as_lines(told: Story) -> list[str]:
    """The story for people: whose session, every event with its time, and what to do."""
    session = told.session
    lines = [f"{session.user_id} in {session.room_name}, from {session.source}: {session.state}."]
    lines += [f"{iso(event.at_us)}  {event.kind:<17}  {event.sentence}." for event in told.events]
    if told.clips:
        lines.append("1 clip of it is kept." if told.clips == 1 else f"{told.clips} clips of it are kept.")
    if not told.gaps_known:
        lines.append("The buffer cannot be read now: gaps are not told.")
    return lines if told.next_step is None else [*lines, told.next_step]
