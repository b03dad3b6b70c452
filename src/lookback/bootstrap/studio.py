"""The database browser, put together from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.access.rates import Kind, RateLimits
from lookback.bootstrap.parts import clock_us, secret_of
from lookback.db.engine import connect

if TYPE_CHECKING:
    from fastapi import FastAPI
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.access.audit import Audit
    from lookback.access.known_users import Authenticator
    from lookback.settings import Settings

SIGN_INS_PER_MINUTE = 20


def studio(app: FastAPI, settings: Settings, authenticator: Authenticator, audit: Audit) -> AsyncEngine:
    """Mount it; return what it reads the database through, to be disposed of in the end."""
    # Where it is off, which is nearly everywhere, the libraries cost neither time nor memory.
    from lookback.studio.app import mount_studio  # noqa: PLC0415
    from lookback.studio.door import Door, Seal  # noqa: PLC0415

    https = settings.lookback_public_url is not None and settings.lookback_public_url.scheme == "https"
    door = Door(
        authenticator,
        Seal(secret_of(settings)),
        RateLimits({Kind.SIGN_IN: SIGN_INS_PER_MINUTE}),
        secure=https,
        clock=clock_us,
    )
    engine = connect(settings.database, read_only=True)
    mount_studio(app, engine, door, audit, https=https)
    return engine
