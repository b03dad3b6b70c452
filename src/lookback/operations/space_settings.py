"""What an operator sets about disk space."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings

from lookback.buffer.retention import Limits

_GIB = 1024**3


class SpaceSettings(BaseSettings):
    """The part of the settings that says how much room buffers may take, beside how long they are kept."""

    lookback_session_buffer_max_gb: float = Field(
        default=0, ge=0, le=1_000_000, description="Most that one buffer may take, in gigabytes; 0 for any size."
    )
    lookback_user_buffer_max_gb: float = Field(
        default=0, ge=0, le=1_000_000, description="Most that all buffers of a user may take; 0 for any size."
    )
    lookback_community_buffer_max_gb: float = Field(
        default=0, ge=0, le=1_000_000, description="Most that all buffers of a community may take; 0 for any size."
    )
    lookback_buffer_max_gb: float = Field(
        default=0, ge=0, le=1_000_000, description="Most that all buffers may take together; 0 for any size."
    )
    lookback_min_free_gb: float | None = Field(
        default=None,
        ge=0,
        le=1_000_000,
        description="How much of the disks stays free: when it is less, buffers are shortened, and more if that does "
        "not help. 0 never does any of that. Default: 5 % of the disk, at most 2.",
    )

    @property
    def limits(self) -> Limits:
        """How much may be kept."""
        return Limits(
            session_bytes=_bytes(self.lookback_session_buffer_max_gb),
            user_bytes=_bytes(self.lookback_user_buffer_max_gb),
            community_bytes=_bytes(self.lookback_community_buffer_max_gb),
            instance_bytes=_bytes(self.lookback_buffer_max_gb),
        )

    @property
    def min_free_bytes(self) -> int | None:
        """How much stays free, in bytes; None is the default's share."""
        return None if self.lookback_min_free_gb is None else round(self.lookback_min_free_gb * _GIB)


def _bytes(gigabytes: float) -> int | None:
    return round(gigabytes * _GIB) or None
