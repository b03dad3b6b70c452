"""How operators write the values of settings: each kind is read, or refused in a sentence."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

DATABASE_SCHEMES = ("sqlite", "sqlite+aiosqlite", "postgres", "postgresql", "postgresql+asyncpg")
# HS256 wants a key at least as long as its hash (RFC 7518 section 3.2).
_SECRET_BYTES = 32


def _split(value: Any) -> Any:
    """Read a list as operators write it: separated by commas or spaces."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"{value!r} is not an IP address") from None


def _host(value: str) -> str:
    return value if value == "localhost" else _address(value)


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value)) if "/" in value else str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"{value!r} is not an IP address or network such as 10.0.0.0/8") from None


def _origin(value: str) -> str:
    scheme, separator, host = value.partition("://")
    if value != "*" and (scheme not in {"http", "https"} or not separator or not host or "/" in host):
        raise ValueError(f"{value!r} is not an origin such as https://app.example.org")
    return value


def _room_pattern(value: str) -> str:
    try:
        groups = re.compile(value).groupindex
    except re.error as error:
        raise ValueError(f"it is no regular expression ({error})") from None
    if "community" not in groups:
        raise ValueError("it must have a group (?P<community>...)")
    return value


def _database_url(value: str) -> str:
    scheme, separator, _ = value.partition("://")
    if not separator or scheme not in DATABASE_SCHEMES:
        raise ValueError("it must start with sqlite:/// or postgresql://")
    return value


def _secret(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value().encode()) < _SECRET_BYTES:
        raise ValueError(f"it must be at least {_SECRET_BYTES} bytes long")
    return value


def _web_address(value: SecretStr, example: str) -> SecretStr:
    """The address may hold a password, so it is shown nowhere, not even in what is said of a mistake."""
    try:
        parts = urlsplit(value.get_secret_value())
        right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and not parts.fragment
    except ValueError:
        right = False
    if not right or any(character.isspace() for character in value.get_secret_value()):
        raise ValueError(f"it must be an address such as {example}")
    return value


def _webhook(value: SecretStr) -> SecretStr:
    return _web_address(value, "https://example.org/hooks/lookback")


def _traces(value: SecretStr) -> SecretStr:
    return _web_address(value, "http://localhost:4318")


Addresses = Annotated[tuple[Annotated[str, AfterValidator(_address)], ...], NoDecode, BeforeValidator(_split)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(_split)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_split)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Host = Annotated[str, AfterValidator(_host)]
RoomPattern = Annotated[str, AfterValidator(_room_pattern)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
Webhook = Annotated[SecretStr, AfterValidator(_webhook)]
TraceReceiver = Annotated[SecretStr, AfterValidator(_traces)]
Port = Annotated[int, Field(ge=0, le=65535)]
