"""What a recorder worker is told when it starts, and where its control socket is."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import lookback
from lookback.buffer.marker import RootIdentity
from lookback.errors import SettingsError
from lookback.recorder.control import PROTOCOL_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG_VARIABLE = "LOOKBACK_RECORDER_CONFIG"
"""Environment variable with the JSON: arguments would show in the process list."""

MAX_SOCKET_PATH_BYTES = 100
"""sun_path of unix(7) holds 108 bytes with its final zero; the rest is kept for the suffix of the lock file."""


class RecorderConfig(BaseModel):
    """Settings of one worker process.

    `buffer_root`: what the buffer's disk is recognised by. `rtc_port` 0 takes any free UDP port.
    `advertise_addresses` go into answers instead of the bound ones; empty means the bound ones. `orphan_seconds`: how
    long to record on without any API connected. `livekit_camera`: in LiveKit rooms take camera and microphone for a
    screen share, as which WHIP publishers appear there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    buffer_path: Path
    buffer_root: RootIdentity | None = None
    socket_path: Path
    rtc_port: int = Field(default=0, ge=0, le=65_535)
    bind_addresses: tuple[str, ...] = ("127.0.0.1",)
    advertise_addresses: tuple[str, ...] = ()
    segment_seconds: float = Field(default=10.0, gt=0, le=60)
    fragment_seconds: float = Field(default=0.5, gt=0, le=2)
    orphan_seconds: float = Field(default=600.0, gt=0)
    sync_threads: int = Field(default=2, ge=1, le=16)
    livekit_camera: bool = False
    synthetic_width: int = Field(default=1280, ge=320, le=3840, multiple_of=16)
    synthetic_height: int = Field(default=720, ge=180, le=2160, multiple_of=2)
    synthetic_fps: int = Field(default=30, ge=1, le=60)
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def digest(self) -> str:
        """Short name for this configuration in this version: the same digest, the same behaviour."""
        text = f"{lookback.__version__} {PROTOCOL_VERSION} {self.model_dump_json()}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_environment(self) -> dict[str, str]:
        """The variables to start a worker with."""
        return {CONFIG_VARIABLE: self.model_dump_json()}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> RecorderConfig:
        """What `to_environment` wrote; raises SettingsError."""
        text = environment.get(CONFIG_VARIABLE)
        if text is None:
            raise SettingsError(f"{CONFIG_VARIABLE} is not set; `lookback serve` starts recorders by itself")
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise SettingsError(_sentences(error)) from error


def control_socket_path(home: Path, runtime: Path) -> Path:
    """Where the worker of `home` listens: in its run folder, or under `runtime` when that path is too long.

    `runtime` is a folder for short-lived files, usually the temporary directory. The same home gives the same path.
    """
    path = home.resolve() / "run" / "recorder.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return runtime / f"lookback-{os.getuid()}-{name}" / "recorder.sock"


def _sentences(error: ValidationError) -> str:
    return "\n".join(f"{CONFIG_VARIABLE}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
