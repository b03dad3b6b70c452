"""`lookback sessions`, `clips` and `users`: what an operator looks up and ends without writing code."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from lookback.api.wire import iso
from lookback.bootstrap.desk import Desk, a_desk
from lookback.cli.logs import configure_logs
from lookback.cli.usage import human_bytes
from lookback.cli.words import confirm, sentences, show
from lookback.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lookback.clips.model import Clip
    from lookback.sessions.model import Session

Json = Annotated[bool, typer.Option("--json", help="Print it for machines.")]
Result = TypeVar("Result")
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
_sessions = typer.Typer(no_args_is_help=True, help="Everybody's replay buffers: list and stop them.")
_clips = typer.Typer(no_args_is_help=True, help="Everybody's clips: list and delete them.")
_users = typer.Typer(no_args_is_help=True, help="What users may.")


def add_desk(app: typer.Typer) -> None:
    """Let the application have the commands."""
    app.add_typer(_sessions, name="sessions")
    app.add_typer(_clips, name="clips")
    app.add_typer(_users, name="users")


def _at(work: Callable[[Desk], Awaitable[Result]]) -> Result:
    async def done() -> Result:
        settings = load_settings()
        configure_logs(settings)
        async with a_desk(settings) as desk:
            return await work(desk)

    with sentences():
        return asyncio.run(done())


@_sessions.command("list")
def list_sessions(as_json: Json = False) -> None:
    """List the sessions that run or can still be saved from, newest first."""

    async def rows(desk: Desk) -> list[dict[str, Any]]:
        return [await _of_session(desk, session) for session in await desk.sessions.shown()]

    show(_at(rows), as_json=as_json, nothing="Nobody is being buffered.")


@_sessions.command("stop")
def stop_session(session: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """End a session; its last minutes can still be saved until its window has passed."""
    state = _at(lambda desk: desk.sessions.stop(session))
    typer.echo(f"{session} is {state}.")


@_sessions.command("stop-all")
def stop_all_sessions(yes: Yes = False) -> None:
    """End all sessions that run."""

    async def stop(desk: Desk) -> int:
        if running := len(await desk.sessions.active()):
            confirm(f"Stop all sessions that run ({running})?", yes=yes)
        return len(await desk.sessions.stop_all())

    typer.echo(f"Sessions stopped: {_at(stop)}.")


@_clips.command("list")
def list_clips(
    user: Annotated[str | None, typer.Option(help="Only those of this user.")] = None,
    most: Annotated[int, typer.Option(help="How many at most.", min=1, max=100_000)] = 100,
    as_json: Json = False,
) -> None:
    """List the newest clips."""
    found = _at(lambda desk: desk.clips.newest(most, user_id=user))
    show([_of_clip(clip) for clip in found], as_json=as_json, nothing="There are no clips.")


@_clips.command("delete")
def delete_clip(clip: Annotated[str, typer.Argument(help="Its id.")], yes: Yes = False) -> None:
    """Delete a clip; whoever owns it can restore it for ten minutes."""
    confirm(f"Delete the clip {clip}?", yes=yes)
    _at(lambda desk: desk.clips.delete(clip))
    typer.echo(f"{clip} is deleted.")


@_users.command("permissions")
def user_permissions(user: Annotated[str, typer.Argument(help="Their id.")], as_json: Json = False) -> None:
    """Say what a user may by the roles kept here; what their tokens say comes on top, and is not known here."""
    found = _at(lambda desk: desk.find_user_permissions(user))
    rows = [
        {
            "community": place,
            "permission": permission.value,
            "from": ", ".join(grant.name or grant.kind for grant in grants),
        }
        for place, permissions in found.items()
        for permission, grants in permissions.items()
    ]
    show(rows, as_json=as_json, nothing=f"{user} may do nothing by the roles kept here.")


async def _of_session(desk: Desk, session: Session) -> dict[str, Any]:
    buffered = await desk.sessions.buffers.buffered(session)
    return {
        "id": session.session_id,
        "room": session.room_name,
        "user": session.user_id,
        "source": session.source,
        "state": session.state.value,
        "started": iso(session.started_at_us),
        "seconds": round(buffered.duration_us / 1e6, 1),
        "bytes": buffered.size_bytes,
        "reason": session.reason,
    }


def _of_clip(clip: Clip) -> dict[str, Any]:
    return {
        "id": clip.clip_id,
        "user": clip.user_id,
        "room": clip.room_name,
        "made": iso(clip.created_at_us),
        "size": human_bytes(clip.size_bytes),
        "title": clip.title,
    }
