"""Secrets never reach a log: they are taken out of every event, whichever process logs it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_SECRET_KEYS = re.compile(r"token|secret|password|authorization|signature|cookie|ice_pwd", re.IGNORECASE)
# Signatures, tokens and keys in addresses, bearer tokens, JSON Web Tokens, passwords in database addresses.
_SECRET_TEXTS = re.compile(
    r"(?<=token=)[^&\s\"']+|(?<=signature=)[^&\s\"']+|(?<=/shared/)[^/?&\s\"']+|(?<=Bearer )\S+"
    r"|eyJ[\w-]*\.[\w-]+\.[\w-]*|(?<=:)(?<!://)[^:/@\s]+(?=@)"
)
_HIDDEN = "[hidden]"


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what is stored under a telling name, or looks like a secret within a text, whoever logged it."""
    for key, value in event.items():
        event[key] = _hidden(key, value)
    return event


def without_secrets(text: str) -> str:
    """The text without what looks like a secret in it."""
    return _SECRET_TEXTS.sub(_HIDDEN, text)


def _hidden(key: object, value: Any) -> Any:
    if isinstance(key, str) and _SECRET_KEYS.search(key):
        return _HIDDEN
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {name: _hidden(name, inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(None, inner) for inner in value]
    return value
