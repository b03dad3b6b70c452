"""Every answer of the running program is one that its OpenAPI document tells of, whatever is asked and by whom."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from schemathesis.checks import allow_header_conformance, unsupported_method
from tests.support.installation import Installation, one_installation
from tests.support.publishers import sharing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis.specs.openapi.schemas import OpenApiSchema
    from tests.support.people import Json

    Case = schemathesis.Case[Any]

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reference" / "openapi.json"
SETTINGS = {
    "REPLAY_SEGMENT_DURATION_SECONDS": "2",
    # More is asked here in a minute than anybody may.
    "LOOKBACK_CAPTURES_PER_MINUTE": "10000",
    "LOOKBACK_STARTS_PER_MINUTE": "10000",
}
CHECKS = {
    # 503 is what it says where LiveKit is not configured.
    "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "503"]},
    # A range in time, a cursor or an offer is right by more than a schema can say.
    "positive_data_acceptance": {
        "expected-statuses": ["2xx", "3xx", "400", "401", "403", "404", "409", "422", "425", "503"]
    },
}


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def as_text(_: object, value: object) -> bytes:
    """Both are text; what they say is tested elsewhere."""
    return str(value).encode(errors="replace")


def document(**more: object) -> OpenApiSchema:
    config = schemathesis.Config.from_dict({"checks": CHECKS, **more})
    return schemathesis.openapi.from_path(str(DOCUMENT), config=config)


# Tokens are sent by us, and the check "ignored_auth" leaves them out by itself.
GENERATION = {"deterministic": True, "no-shrink": True, "with-security-parameters": False}
AMBIGUOUS = re.compile(r"/whip/|/livekit-replay/clips/(delete|restore)$")
# Who may do everything is asked with every limit of every value, the others by chance alone.
schema = document(
    generation={**GENERATION, "max-examples": 5}, phases={"coverage": {"unexpected-methods": ["TRACE", "PUT"]}}
)
briefly = document(generation={**GENERATION, "max-examples": 4}, phases={"coverage": {"enabled": False}})
# What is there: asked in the right way only, and not deleted, for the sake of those who ask next.
thoroughly = document(
    generation={**GENERATION, "max-examples": 3, "mode": "positive"}, phases={"coverage": {"enabled": False}}
)
about_what_is_there = thoroughly.include(path_regex=r"\{").exclude(method="DELETE")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One of its own: an administrator who tries everything leaves it like nothing anybody wants."""
    with one_installation(tmp_path_factory.mktemp("home"), **SETTINGS) as installation:
        yield installation


@pytest.fixture(scope="module")
def known(server: Installation) -> Json:
    """Path parameters of what there is: a session and a clip of "owner", and where they belong."""

    async def make() -> Json:
        async with server.person("owner") as owner:
            async with sharing(owner, "office") as share:
                await owner.sees_buffered(share.session, 2.5)
                clip = await owner.captures(share.session, durationSeconds=2)
            linked = await owner.answer("PATCH", f"clips/{clip['clipId']}", json={"visibility": "link"})
            key = linked.json()["shareUrl"].rpartition("/")[2]
            ids = {"session_id": share.session["sessionId"], "clip_id": clip["clipId"], "number": 1, "key": key}
            return ids | {"room_name": "office", "user_id": "owner", "community_id": "c1", "role": "member"}

    return asyncio.run(make())


@about_what_is_there.parametrize()
@pytest.mark.parametrize("role", ["owner", "admin"])
def test_every_answer_about_what_is_there_is_as_documented(
    case: Case, role: str, server: Installation, known: Json
) -> None:
    case.path_parameters = {name: known.get(name, value) for name, value in (case.path_parameters or {}).items()}
    token = server.token(role, admin=role == "admin")
    case.call_and_validate(base_url=server.url, headers={"Authorization": f"Bearer {token}"})


@schema.parametrize()
def test_every_answer_to_an_administrator_is_as_documented(case: Case, server: Installation) -> None:
    ask(case, "admin", server)


@briefly.parametrize()
@pytest.mark.parametrize("role", ["anonymous", "user"])
def test_every_answer_to_others_is_as_documented(case: Case, role: str, server: Installation) -> None:
    ask(case, role, server)


def ask(case: Case, role: str, server: Installation) -> None:
    """Ask as somebody who does nothing else: whoever has erased themselves is let in no more."""
    token = server.token(f"{role} of {case.operation.label}", admin=role == "admin")
    headers = {} if role == "anonymous" else {"Authorization": f"Bearer {token}"}
    # A room's name may hold a slash, a clip be called "delete": two addresses of the document are one to the server.
    excluded = [allow_header_conformance, unsupported_method] if AMBIGUOUS.match(case.path) else []
    case.call_and_validate(base_url=server.url, headers=headers, excluded_checks=excluded)
