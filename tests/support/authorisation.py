"""Rows of the authorisation matrix, asked of a running program by everybody it names."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from tests.support.people import BASE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLACEHOLDER = re.compile(r"<(\w+)>")
_KINDS = {"{": "application/json", "v": "application/sdp", "a": "application/trickle-ice-sdpfrag"}
_COUNTED = ("items", "sessions", "deleted", "restored")


class Request(NamedTuple):
    """One request. `<name>` in it stands for something of the world, such as the id of a clip."""

    method: str
    path: str
    body: str = ""

    @classmethod
    def parse(cls, text: str) -> Request:
        """Read METHOD path [body]."""
        return cls(*text.split(None, 2))


class Row(NamedTuple):
    """A request, and what each person is answered: a status, or `200/3` for a list of three."""

    request: Request
    answers: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(part for part in self.request if part)


def rows(table: str, people: Sequence[str]) -> list[Row]:
    """Read a table: lines of `request | answers`, comments after #; a heading names the people of each column."""
    found = []
    for line in table.splitlines():
        if line.strip() and not line.startswith("#"):
            request, _, answers = line.rpartition("|")
            found.append(Row(Request.parse(request.strip()), tuple(answers.split())))
            assert len(found[-1].answers) == len(people), f"{line!r} has not one answer for each of {people}"
    return found


@dataclass(slots=True)
class World:
    """A running program with something in it: tokens by person, and what placeholders stand for."""

    url: str
    tokens: Mapping[str, str | None]
    things: dict[str, str] = field(default_factory=dict)

    async def ask(self, person: str, request: Request) -> httpx.Response:
        """Send it with the person's token, or without one."""
        token = self.tokens[person]
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        path, body = self._filled(request.path), self._filled(request.body)
        if body:
            headers["Content-Type"] = _KINDS[body[0]]
        # Nothing is encrypted here, and to read the authorities' certificates takes longer than most answers.
        async with httpx.AsyncClient(base_url=self.url, timeout=30, verify=False) as client:
            return await client.request(request.method, address(path), headers=headers, content=body or None)

    async def do(self, person: str, text: str) -> httpx.Response:
        """Do something that must succeed."""
        answer = await self.ask(person, Request.parse(text))
        assert answer.is_success, f"{text}: {answer.status_code} {answer.text}"
        return answer

    def _filled(self, text: str) -> str:
        return _PLACEHOLDER.sub(lambda match: self.things[match[1]], text)


def address(path: str) -> str:
    """Paths are below the API's base, unless they begin with a slash."""
    return path if path.startswith("/") else f"{BASE}/{path}"


def seen(answer: httpx.Response, expected: str) -> str:
    """An answer as a cell of the table says it: with its length if that is expected."""
    if "/" not in expected or answer.is_error or not answer.content:
        return str(answer.status_code)
    body: Any = json.loads(answer.content)
    lists = [body[name] for name in _COUNTED if isinstance(body.get(name), list)]
    return f"{answer.status_code}/{len(lists[0])}" if lists else str(answer.status_code)
