"""Conditions and byte ranges of HTTP (RFC 9110 sections 13 and 14), as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ONE_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?"[^"]*"')


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole representation: 200."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `[start, stop)`: 206."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """The range lies outside: 416."""


@dataclass(frozen=True, slots=True)
class NotModified:
    """The client has it already: 304."""


@dataclass(frozen=True, slots=True)
class PreconditionFailed:
    """The client means another version: 412."""


Selection = Whole | Part | Unsatisfiable | NotModified | PreconditionFailed


def select(headers: Mapping[str, str], etag: str, size: int, *, ranges: bool = True) -> Selection:
    """Decide what of a representation is asked for, in the order of RFC 9110 section 13.2.2.

    `headers` has lower-case names, `etag` is a strong entity tag with its quotes, `size` is in bytes. `ranges` is
    False for HEAD, where Range has no meaning (section 14.2).
    """
    wanted = headers.get("if-match")
    if wanted is not None and not _matches(wanted, etag, weakly=False):
        return PreconditionFailed()
    known = headers.get("if-none-match")
    if known is not None and _matches(known, etag, weakly=True):
        return NotModified()
    if not ranges or "range" not in headers or headers.get("if-range", etag).strip() != etag:
        return Whole()
    return _range(headers["range"], size)


def _matches(condition: str, etag: str, *, weakly: bool) -> bool:
    tags = _TAG.findall(condition)
    return condition.strip() == "*" or etag in ([tag.removeprefix("W/") for tag in tags] if weakly else tags)


def _range(value: str, size: int) -> Whole | Part | Unsatisfiable:
    """Select a single range. Several, other units and nonsense are ignored, as section 14.2 allows."""
    found = _ONE_RANGE.fullmatch(value)
    if not found or found[1] == found[2] == "":
        return Whole()
    if found[1] == "":
        length = min(int(found[2]), size)
        return Part(size - length, size) if length else Unsatisfiable()
    start = int(found[1])
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    if found[2] and int(found[2]) < start:
        return Whole()
    return Part(start, last + 1) if start < size else Unsatisfiable()
