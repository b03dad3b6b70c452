"""The committed references say what the code does; `script/openapi` writes them."""

from __future__ import annotations

import json
from pathlib import Path

from lookback.bootstrap import openapi_document
from lookback.settings import reference

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference"


def test_the_openapi_document_is_current() -> None:
    assert json.loads((REFERENCE / "openapi.json").read_text()) == json.loads(json.dumps(openapi_document()))


def test_the_settings_are_current() -> None:
    assert (REFERENCE / "settings.md").read_text() == reference() + "\n"
