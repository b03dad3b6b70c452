"""Start the generated screen share on a server that runs already."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Literal

from lookback.errors import SettingsError

if TYPE_CHECKING:
    from lookback.settings import Settings

_PATIENCE_S = 15
# The server is on this machine: a proxy that is set for the internet would not find it.
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def start_demo(
    settings: Settings, token: str, room: str, source: Literal["synthetic", "livekit"] = "synthetic"
) -> list[str]:
    """Return what to tell the user; raises SettingsError when there is no server or it refuses."""
    host = f"[{settings.lookback_host}]" if ":" in settings.lookback_host else settings.lookback_host
    base = f"http://{host}:{settings.lookback_port}"
    answer = _post(f"{base}/livekit-replay/start", token, {"roomName": room, "source": source})
    return [
        f"A generated screen is being kept in the room {room} (session {answer['sessionId']}).",
        f"Watch and save it: {base}/?token={token}",
    ]


def _post(url: str, token: str, body: dict[str, str]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - our own http address
    try:
        with _DIRECTLY.open(request, timeout=_PATIENCE_S) as response:
            return dict(json.load(response))
    except urllib.error.HTTPError as error:
        with error:
            raise SettingsError(f"The server refused: {_detail(error)}.") from error
    except (OSError, HTTPException, ValueError) as error:
        raise SettingsError("No server answers; start one with `lookback serve`, or set LOOKBACK_PORT.") from error


def _detail(error: urllib.error.HTTPError) -> str:
    """The sentence of a problem document; the reason phrase where something else answers."""
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)
