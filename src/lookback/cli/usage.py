"""What `lookback usage` prints: who stores how much, the largest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.bootstrap.parts import prepare_folders
from lookback.db.engine import open_database
from lookback.db.usage import SqlUsageRepository

if TYPE_CHECKING:
    from lookback.clips.usage import Part, Share
    from lookback.settings import Settings

_HEADINGS = ("clips", "used", "deleted")
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


async def usage_lines(settings: Settings, by: Part, limit: int) -> list[str]:
    """Return a table with a line per user, room or community, and the total; raises SettingsError."""
    prepare_folders(settings)
    engine = await open_database(settings.database)
    try:
        usage = await SqlUsageRepository(engine).by(by, community_id=None, limit=limit)
    finally:
        await engine.dispose()
    rows = [(by, *_HEADINGS), *(_row(_name(share), share) for share in usage.shares), _row("total", usage.total)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [_line(row, widths) for row in rows]


def human_bytes(size_bytes: int) -> str:
    """A size as people read it, in units of 1024."""
    size, unit = float(size_bytes), _UNITS[0]
    for larger in _UNITS[1:]:
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def _name(share: Share) -> str:
    if share.key is None:
        return "(none)"
    return f"{share.key} ({share.name})" if share.name and share.name != share.key else share.key


def _row(name: str, share: Share) -> tuple[str, ...]:
    return name, str(share.clips), human_bytes(share.used_bytes), human_bytes(share.deleted_bytes)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    figures = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join((row[0].ljust(widths[0]), *figures))
