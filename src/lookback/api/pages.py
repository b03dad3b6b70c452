"""The web app: its built files, and index.html for every address that is the app's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Scope

_FOREVER = "public, max-age=31536000, immutable"
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Lookback</title>
<h1>Lookback runs</h1><p>The web app is not built. Run <code>script/server</code>, or
<code>npm ci &amp;&amp; npm run build</code> in <code>web/</code>, and reload this page.</p>
<p>The API is at <code>/livekit-replay</code>.</p></html>"""
_API = ("livekit-replay/", "whip/", "webhooks/")


class Pages(StaticFiles):
    """Files of the built app. `folder` may not exist: then a page says how to build it."""

    def __init__(self, folder: Path) -> None:
        self._index = folder / "index.html"
        super().__init__(directory=folder, check_dir=False)

    async def check_config(self) -> None:
        """Accept that the folder is not there yet: it may be built while the server runs."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or the app for an address without one; raises HTTPException."""
        if path.startswith(_API):
            raise HTTPException(404)
        if scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        try:
            found = await super().get_response(path, scope) if path != "." else self._app()
        except HTTPException as error:
            if error.status_code != 404 or not _wants_page(scope):
                raise
            return self._app()
        if path.startswith("assets/"):  # their names carry a hash of their content
            found.headers["Cache-Control"] = _FOREVER
        return found

    def _app(self) -> Response:
        headers = {"Cache-Control": "no-cache"}
        if self._index.is_file():
            return FileResponse(self._index, headers=headers)
        return HTMLResponse(_NOT_BUILT, headers=headers)


def _wants_page(scope: Scope) -> bool:
    accepted = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return b"text/html" in accepted
