"""What an operator can set: names, defaults, and one sentence for every mistake."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, HttpUrl, ValidationError, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from lookback.errors import SettingsError
from lookback.livekit.settings import LivekitSettings
from lookback.operations.space_settings import SpaceSettings
from lookback.setting_values import (
    Addresses,
    DatabaseUrl,
    Host,
    Networks,
    Origins,
    Port,
    RoomPattern,
    Secret,
    TraceReceiver,
    Webhook,
    Words,
)

_GIB = 1024**3
_MINUTE_US = 60_000_000


class Settings(LivekitSettings, SpaceSettings):
    """The configuration of one installation, read from the environment.

    Field names are the environment's names in lower case. Values that depend on others are properties.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True, validate_default=True
    )

    lookback_home: Path = Field(
        default=Path("~/.local/share/lookback"),
        description="Where the database, the secret, the buffer and the clips are. One server per folder.",
    )
    replay_buffer_path: Path | None = Field(
        default=None,
        description="Where the last minutes of every share are kept. Default: `buffer` in LOOKBACK_HOME.",
    )
    replay_storage_path: Path | None = Field(
        default=None, description="Where saved clips are kept. Default: `clips` in LOOKBACK_HOME."
    )
    replay_buffer_duration_minutes: float = Field(
        default=10, gt=0, le=1440, description="How many minutes can always be saved (the promise)."
    )
    replay_cleanup_buffer_minutes: float = Field(
        default=12, gt=0, le=1450, description="How many minutes are kept before the oldest is deleted."
    )
    replay_segment_duration_seconds: float = Field(
        default=10, ge=2, le=60, description="Length of one file of the buffer, in seconds."
    )
    default_user_replay_quota_gb: float = Field(
        default=5, gt=0, le=1_000_000, description="Room for a user's clips, in gigabytes (1024^3 bytes)."
    )
    database_url: DatabaseUrl | None = Field(
        default=None,
        description="`sqlite:///path` or `postgresql://user:password@host/name`. Default: `lookback.db` in "
        "LOOKBACK_HOME.",
    )
    lookback_jwt_secret: Secret | None = Field(
        default=None,
        description="Secret for HS256 tokens, at least 32 bytes. Default: made at the first start and kept in "
        "LOOKBACK_HOME with mode 600.",
    )
    lookback_jwks_url: HttpUrl | None = Field(
        default=None, description="Where the public keys for RS256 and ES256 tokens are."
    )
    lookback_jwt_audience: str | None = Field(
        default=None, description="The `aud` that tokens must carry. Without it, tokens that name one are refused."
    )
    lookback_jwt_require_exp: bool = Field(
        default=True,
        description="Whether tokens must say in `exp` when they end. One without it holds until the secret is changed.",
    )
    lookback_start_timeout_seconds: float = Field(
        default=30, gt=0, le=600, description="How many seconds a share has to deliver its first picture."
    )
    lookback_grace_seconds: float = Field(
        default=60, ge=0, le=3600, description="How many seconds a publisher that vanished may take to come back."
    )
    lookback_room_pattern: RoomPattern | None = Field(
        default=None,
        description="Regular expression for whole room names, whose group `community` says whose room it is, such as "
        "`(?P<community>[^:]+):.*`. Registered rooms and LiveKit's room metadata come first.",
    )
    lookback_community_max_concurrent: int = Field(
        default=10, ge=0, le=1_000_000, description="Buffers that may run at once in a community; 0 for any number."
    )
    lookback_longest_window_minutes: float = Field(
        default=60, gt=0, le=1440, description="The longest buffer, in minutes, that a community may choose."
    )
    lookback_host: Host = Field(default="127.0.0.1", description="IP address that the API and the page listen on.")
    lookback_port: Port = Field(default=3001, description="TCP port of the API and the page; 0 takes a free one.")
    lookback_public_url: HttpUrl | None = Field(
        default=None,
        description="Address under which people reach the server; media links are absolute when it is set.",
    )
    lookback_rtc_port: Port = Field(
        default=3002, description="UDP port for the media of all publishers; 0 takes a free one."
    )
    lookback_rtc_addresses: Addresses = Field(
        default=("127.0.0.1",), min_length=1, description="Addresses to receive media on, best first; 0.0.0.0 for all."
    )
    lookback_rtc_advertise: Addresses = Field(
        default=(),
        description="Addresses that publishers are told, best first. Default: LOOKBACK_RTC_ADDRESSES. "
        "Needed behind NAT.",
    )
    lookback_ice_servers: Words = Field(
        default=(), description="STUN or TURN servers named to publishers, such as stun:stun.example.org."
    )
    lookback_cors_origins: Origins = Field(
        default=(), description="Web origins that may call the API from a browser; `*` for all."
    )
    lookback_trusted_proxies: Networks = Field(
        default=(),
        description="Addresses or networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are "
        "believed. Without any, the audit trail has the address that the connection came from.",
    )
    lookback_audit_retention_days: int = Field(
        default=365,
        ge=0,
        le=36_500,
        description="After how many days audit entries are removed; 0 keeps them for ever.",
    )
    lookback_captures_per_minute: int = Field(
        default=120, ge=0, le=100_000, description="How many clips a user may save in a minute; 0 for any number."
    )
    lookback_starts_per_minute: int = Field(
        default=120, ge=0, le=100_000, description="How many buffers a user may start in a minute; 0 for any number."
    )
    lookback_alert_webhook: Webhook | None = Field(
        default=None,
        description="Address that is sent a signed JSON message when a disk, the recorder or the clean-up fails, and "
        "when it works again.",
    )
    otel_exporter_otlp_endpoint: TraceReceiver | None = Field(
        default=None,
        description="OpenTelemetry receiver that is sent traces by OTLP over HTTP (protobuf), such as "
        "`http://localhost:4318`; `/v1/traces` is added. Without it there are none. The SDK reads the other `OTEL_*`.",
    )
    otel_exporter_otlp_traces_endpoint: TraceReceiver | None = Field(
        default=None, description="The same as a whole address, to which nothing is added; it comes first."
    )
    lookback_studio: bool = Field(
        default=False,
        description="Whether administrators of the whole server can look at the database at `/studio`, read-only.",
    )
    lookback_log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much is logged."
    )
    lookback_log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="How it is logged; auto is console on a terminal and JSON elsewhere."
    )

    @field_validator("replay_cleanup_buffer_minutes")
    @classmethod
    def _keeps_what_is_promised(cls, value: float, info: ValidationInfo) -> float:
        if value < info.data.get("replay_buffer_duration_minutes", value):
            raise ValueError("it must not be smaller than REPLAY_BUFFER_DURATION_MINUTES, which is the promise")
        return value

    @field_validator("lookback_rtc_advertise")
    @classmethod
    def _can_be_reached(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(ipaddress.ip_address(address).is_unspecified for address in value):
            raise ValueError("nobody can send to a wildcard address")
        return value

    @property
    def home(self) -> Path:
        """LOOKBACK_HOME, absolute."""
        return self.lookback_home.expanduser().absolute()

    @property
    def buffer_path(self) -> Path:
        """Root of the rolling buffer, absolute."""
        return (self.replay_buffer_path or self.home / "buffer").expanduser().absolute()

    @property
    def storage_path(self) -> Path:
        """Root of the saved clips, absolute."""
        return (self.replay_storage_path or self.home / "clips").expanduser().absolute()

    @property
    def database(self) -> str:
        """Address of the database."""
        return self.database_url or f"sqlite:///{self.home / 'lookback.db'}"

    @property
    def traces_url(self) -> str | None:
        """Where traces are sent."""
        whole, base = self.otel_exporter_otlp_traces_endpoint, self.otel_exporter_otlp_endpoint
        if whole is not None:
            return whole.get_secret_value()
        return f"{base.get_secret_value().rstrip('/')}/v1/traces" if base is not None else None

    @property
    def window_us(self) -> int:
        """Promised length of the buffer in microseconds."""
        return round(self.replay_buffer_duration_minutes * _MINUTE_US)

    @property
    def keep_us(self) -> int:
        """Kept length of the buffer in microseconds."""
        return round(self.replay_cleanup_buffer_minutes * _MINUTE_US)

    @property
    def segment_us(self) -> int:
        """Length of a segment in microseconds."""
        return round(self.replay_segment_duration_seconds * 1_000_000)

    @property
    def quota_bytes(self) -> int:
        """A user's default quota in bytes."""
        return round(self.default_user_replay_quota_gb * _GIB)

    @property
    def advertised(self) -> tuple[str, ...]:
        """Addresses that publishers are told, best first."""
        return self.lookback_rtc_advertise or self.lookback_rtc_addresses


def load_settings(**overrides: Any) -> Settings:
    """Read the environment; raises SettingsError with one sentence per mistake, one per line."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        sentences = dict.fromkeys(_sentence(mistake) for mistake in error.errors())
        raise SettingsError("\n".join(sentences)) from error


def _sentence(mistake: Any) -> str:
    """Say what is wrong with which variable. The value is left out: it may be a secret."""
    message = str(mistake["msg"]).removeprefix("Value error, ").rstrip(".")
    if not mistake["loc"]:
        return f"{message}."
    return f"{str(mistake['loc'][0]).upper()} is wrong: {message[:1].lower()}{message[1:]}."


_REFERENCE_HEAD = (
    "# Settings",
    "",
    "Read from the environment. A wrong value stops the start with one sentence per mistake.",
    "",
)


def reference() -> str:
    """The text of docs/reference/settings.md."""
    # The inherited ones come last: they are not what everybody needs first.
    fields = sorted(Settings.model_fields.items(), key=lambda item: item[0] in LivekitSettings.model_fields)
    rows = [f"| `{name.upper()}` | {_default(field.default)} | {field.description} |" for name, field in fields]
    return "\n".join([*_REFERENCE_HEAD, "| Variable | Default | Meaning |", "|---|---|---|", *rows])


def _default(value: Any) -> str:
    if value is None or value == ():
        return ""
    return f"`{', '.join(value) if isinstance(value, tuple) else value}`"
