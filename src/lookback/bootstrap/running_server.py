"""The server of this installation as a command sees it: over HTTP, as an administrator of its own making."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from lookback.bootstrap.parts import tokens_of
from lookback.errors import NotFoundError, PermissionDeniedError, SettingsError

if TYPE_CHECKING:
    from lookback.settings import Settings

OPERATOR = "operator"
_PATIENCE_S = 30.0
_TOKEN_SECONDS = 300
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - only to tell where to connect
_BASE = "/livekit-replay"


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Asks the server that listens where the settings say. `token`: an administrator's."""

    url: str
    token: str = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> RunningServer:
        """The server of an installation, whether it runs or not; raises SettingsError when there is no secret."""
        host = _ANYWHERE.get(settings.lookback_host, settings.lookback_host)
        shown = f"[{host}]" if ":" in host else host
        token = tokens_of(settings).mint(OPERATOR, admin=True, valid_seconds=_TOKEN_SECONDS)
        return cls(f"http://{shown}:{settings.lookback_port}", token)

    async def answers(self) -> bool:
        """Whether a Lookback server answers there, ours or another's."""
        try:
            async with asyncio.timeout(_PATIENCE_S / 10):
                return "version" in await self._ask("GET", "/healthz", None)
        except (SettingsError, TimeoutError, TypeError):
            return False

    async def get(self, path: str) -> Any:
        """Return what the API answers below its base; raises what `ask` raises."""
        return await self._ask("GET", _BASE + path, None)

    async def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The same for a change."""
        return await self._ask("POST", _BASE + path, body)

    async def delete(self, path: str) -> Any:
        """The same for something to be deleted."""
        return await self._ask("DELETE", _BASE + path, None)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        """Raises SettingsError when nobody answers or refuses, NotFoundError, PermissionDeniedError."""
        headers = {"Authorization": f"Bearer {self.token}"}
        limit = aiohttp.ClientTimeout(total=_PATIENCE_S)
        try:
            # No proxy: one that is set for the internet would not find a server on this machine.
            async with (
                aiohttp.ClientSession(timeout=limit) as http,
                http.request(method, self.url + path, json=body, headers=headers) as answer,
            ):
                said = await answer.json() if answer.content_type.endswith("json") else {}
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise SettingsError("No server answers; start one with `lookback serve`, or set LOOKBACK_PORT.") from error
        if answer.status < 400:
            return said
        detail = str(said.get("detail", answer.reason)) if isinstance(said, dict) else str(answer.reason)
        if answer.status == 404:
            raise NotFoundError(detail)
        if answer.status in {401, 403}:
            raise PermissionDeniedError(detail)
        raise SettingsError(f"The server refused: {detail}.")
