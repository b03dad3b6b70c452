"""The parts of an installation, each made from the settings."""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from lookback.access.tokens import JwksKeys, TokenPolicy, Tokens
from lookback.api.app import HttpConfig
from lookback.bootstrap.roots import kept_roots, prepare_roots
from lookback.buffer.layout import BufferLayout
from lookback.errors import SettingsError
from lookback.home import has_begun, kept_secret, prepare_folder
from lookback.recorder.config import RecorderConfig, control_socket_path
from lookback.sessions.keeper import Times

if TYPE_CHECKING:
    from lookback.access.revocations import Revocations
    from lookback.settings import Settings

WEB_FOLDER = Path(__file__).resolve().parents[3] / "web" / "dist"


def clock_us() -> int:
    """Now, in UTC microseconds."""
    return time.time_ns() // 1000


def new_id() -> str:
    """An id that sorts by time and cannot be guessed."""
    return f"{time.time_ns() // 1_000_000:011x}-{uuid.uuid4().hex[:20]}"


async def wait_until(instant_us: int) -> None:
    """Return when the clock has reached the instant."""
    while (left_us := instant_us - clock_us()) > 0:  # noqa: ASYNC110 - there is no event but the time itself
        await asyncio.sleep(left_us / 1e6)


def secret_of(settings: Settings) -> str:
    """The signing secret of an installation; made when there is none yet."""
    configured = settings.lookback_jwt_secret
    return configured.get_secret_value() if configured else kept_secret(settings.home)


def tokens_of(settings: Settings, revocations: Revocations | None = None) -> Tokens:
    """What checks and mints tokens for an installation."""
    keys = JwksKeys(str(settings.lookback_jwks_url)) if settings.lookback_jwks_url else None
    policy = TokenPolicy(
        secret_of(settings), keys, settings.lookback_jwt_audience, require_exp=settings.lookback_jwt_require_exp
    )
    return Tokens(policy, clock_us, revocations)


def http_config(settings: Settings) -> HttpConfig:
    """What the HTTP side of an installation is told."""
    livekit_url = settings.livekit_url if settings.lookback_livekit_join else None
    return HttpConfig(WEB_FOLDER, settings.lookback_cors_origins, settings.lookback_ice_servers, livekit_url)


def recorder_config(settings: Settings) -> RecorderConfig:
    """What the recorder of an installation is started with."""
    return RecorderConfig(
        buffer_path=settings.buffer_path,
        buffer_root=kept_roots(settings.home).buffer,
        socket_path=control_socket_path(settings.home, Path(tempfile.gettempdir())),
        rtc_port=settings.lookback_rtc_port,
        bind_addresses=settings.lookback_rtc_addresses,
        advertise_addresses=settings.lookback_rtc_advertise,
        segment_seconds=settings.replay_segment_duration_seconds,
        log_level=settings.lookback_log_level,
        log_format="console" if settings.lookback_log_format == "console" else "json",
    )


def times_of(settings: Settings) -> Times:
    """How long what may last in an installation."""
    return Times(
        starting_us=round(settings.lookback_start_timeout_seconds * 1e6),
        grace_us=round(settings.lookback_grace_seconds * 1e6),
    )


def prepare_folders(settings: Settings) -> None:
    """Make the folders of an installation and recognise their disks; raises SettingsError."""
    prepare_folder(settings.home, "LOOKBACK_HOME")
    prepare_roots(settings)


def require_begun(settings: Settings) -> None:
    """Raise SettingsError where no server has ever run: whoever mistypes a folder is told so."""
    if not has_begun(settings.home):
        raise SettingsError("LOOKBACK_HOME is wrong: no server has ever run there, so there is nothing to look at.")


def buffer_layout(settings: Settings) -> BufferLayout:
    """Where buffers are, and what their disk is recognised by since the folders were prepared."""
    return BufferLayout(settings.buffer_path, kept_roots(settings.home).buffer)
