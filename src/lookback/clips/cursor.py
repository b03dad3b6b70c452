"""Cursors: where a page ended, in a form that callers only hand back."""

from __future__ import annotations

import base64
import binascii

from lookback.errors import ValidationError

_LAST = 1 << 63
_NOT_OURS = "The cursor is not one of ours"


def write_cursor(value: int, name: str, order: str) -> str:
    """Where a page in this order ended."""
    return base64.urlsafe_b64encode(f"{order} {value} {name}".encode()).decode().rstrip("=")


def parse_cursor(cursor: str, order: str) -> tuple[int, str]:
    """The value and the name it was made of; raises ValidationError, also for a cursor of another order."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        said, value, name = text.split(" ", 2)
        number = int(value)
    except (binascii.Error, ValueError) as error:
        raise ValidationError(_NOT_OURS) from error
    if not (0 <= number < _LAST and name.isprintable()):
        raise ValidationError(_NOT_OURS)
    if said != order:
        raise ValidationError("The cursor is one of another order; begin at the first page")
    return number, name
