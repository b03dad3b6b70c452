"""How values look on the wire: camelCase names, instants, ids; unknown keys refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

_MS_US = 1_000
_SECOND_US = 1_000_000
# 9999-12-31T23:59:59.999Z: what ISO 8601 with four digits of year can say.
_LAST_US = 253_402_300_799_999_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Answer(BaseModel):
    """Base of everything that is sent: camelCase, every member always there."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class Wish(BaseModel):
    """Base of everything that is received: camelCase, unknown members refused, numbers are numbers."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


def iso(instant_us: int) -> str:
    """Write UTC microseconds as ISO 8601 with milliseconds, cut off rather than rounded: never later than it was."""
    moment = datetime.fromtimestamp(instant_us // _SECOND_US, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{instant_us % _SECOND_US // _MS_US:03d}Z"


def parse_instant(value: Any) -> int:
    """Read ISO 8601 with an offset, or epoch milliseconds, as UTC microseconds; raises ValueError."""
    if isinstance(value, str):
        instant_us = _from_iso(value)
    elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LAST_US / _MS_US:
        instant_us = round(value * _MS_US)
    else:
        raise ValueError("write it as 2026-11-22T20:14:03.250Z or as epoch milliseconds")
    if not 0 <= instant_us <= _LAST_US:
        raise ValueError("it is outside the years 1970 to 9999")
    return instant_us


def _from_iso(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("write it as 2026-11-22T20:14:03.250Z or as epoch milliseconds") from None
    if moment.tzinfo is None:
        raise ValueError("say the time zone, such as Z at the end for UTC")
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * _SECOND_US + since.microseconds


def seconds(duration_us: int) -> float:
    """Write a duration in microseconds as seconds."""
    return duration_us / _SECOND_US


def microseconds(duration_seconds: float) -> int:
    """Read a duration in seconds as microseconds."""
    return round(duration_seconds * _SECOND_US)


Instant = Annotated[
    int, PlainSerializer(iso, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""UTC microseconds inside, ISO 8601 outside."""

GivenInstant = Annotated[
    int,
    BeforeValidator(parse_instant),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]}),
]
"""The same, read: ISO 8601 or epoch milliseconds."""

QueryInstant = Annotated[
    int,
    BeforeValidator(lambda value: parse_instant(int(value) if isinstance(value, str) and value.isdigit() else value)),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "integer"}]}),
]
"""The same in a query string, where everything is a string."""

PRINTABLE = r"^[^\x00-\x1f\x7f]+$"

Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=PRINTABLE)]
"""A room, a community, an identity: any text without control characters."""

Flag = Annotated[bool, Field(strict=True)]
"""true or false, not 1, "yes" or "off"."""

Seconds = Annotated[float, Field(strict=True, gt=0, le=86_400, allow_inf_nan=False)]
Minutes = Annotated[float, Field(strict=True, gt=0, le=1_440, allow_inf_nan=False)]
