"""The committed references say what the code does; `script/openapi` writes them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pydantic.alias_generators import to_camel

from lookback.access.audit import Action
from lookback.access.principal import Permission
from lookback.access.roles import BUILT_IN
from lookback.api.errors import STATUS
from lookback.api.people_wire import ConfigPatch
from lookback.bootstrap.app import openapi_document
from lookback.errors import LookbackError, SettingsError
from lookback.settings import reference

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference"


def test_the_openapi_document_is_current() -> None:
    assert json.loads((REFERENCE / "openapi.json").read_text()) == json.loads(json.dumps(openapi_document()))


def test_the_settings_are_current() -> None:
    assert (REFERENCE / "settings.md").read_text() == reference() + "\n"


def test_the_permissions_roles_and_rules_are_all_explained() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (REFERENCE / "permissions.md").read_text().splitlines()
        if line.startswith("| `")
    ]
    said = {row[0].strip("`"): row[1] for row in rows}
    assert set(Permission) <= said.keys()
    for role, permissions in BUILT_IN.items():
        assert said[role] == " ".join(f"`{permission}`" for permission in sorted(permissions))
    assert {to_camel(name) for name in ConfigPatch.model_fields} <= said.keys()


def test_every_action_of_the_audit_trail_is_explained() -> None:
    trail, _, _ = (REFERENCE / "events.md").read_text().partition("\n## Alerts\n")
    explained = re.findall(r"^\| `([a-z]+\.[a-z-]+)` \|", trail, re.MULTILINE)
    assert explained == [action.value for action in Action]


def test_every_error_that_is_sent_is_explained() -> None:
    explained = set(re.findall(r"^\| (\d+) \| (.+?) \|", (REFERENCE / "errors.md").read_text(), re.MULTILINE))
    rows = {(int(status), code) for status, codes in explained for code in re.findall(r"`([a-z-]+)`", codes)}
    assert {(status, kind.code) for kind, status in STATUS.items()} <= rows
    kinds = {kind for kind in LookbackError.__subclasses__() if kind.__module__ == "lookback.errors"}
    assert kinds - STATUS.keys() == {SettingsError}, "every kind has a status"
