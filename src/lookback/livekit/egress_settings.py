"""What an operator sets for LiveKit Egress."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings


class EgressSettings(BaseSettings):
    """The part of the settings that is about LiveKit Egress. Without LOOKBACK_EGRESS_PATH it is not used."""

    lookback_egress_path: Path | None = Field(
        default=None,
        description="Where the files of LiveKit Egress arrive, as Lookback sees it. Without it, there is no Egress.",
    )
    lookback_egress_output_path: str | None = Field(
        default=None,
        description="The same folder as LiveKit Egress sees it, such as /out in its container. "
        "Default: LOOKBACK_EGRESS_PATH.",
    )
    lookback_egress_temp_path: Path | None = Field(
        default=None,
        description="Egress's own temporary folder (/home/egress/tmp in its container), as Lookback sees it: the last "
        "seconds of an Egress that crashed are taken from there.",
    )
    lookback_egress_segment_seconds: int = Field(
        default=4,
        ge=2,
        le=10,
        description="Length of Egress's files in seconds: a moment can be saved one to two such lengths and 0.7 s "
        "later.",
    )
    lookback_egress_audio_kbps: int = Field(
        default=128, ge=32, le=320, description="Bit rate of Egress's sound, in kilobits per second."
    )
    lookback_egress_delay_seconds: float = Field(
        default=0.8,
        ge=0,
        le=5,
        description="How much later than it was taken Egress dates a picture; measured 0.73 to 0.91 s.",
    )
    lookback_egress_keep_files: bool = Field(
        default=False, description="Whether Egress's files stay when they are safely in the buffer."
    )

    @model_validator(mode="after")
    def _has_a_place(self) -> Self:
        if self.lookback_egress_path is None and (self.lookback_egress_output_path or self.lookback_egress_temp_path):
            raise ValueError("LOOKBACK_EGRESS_PATH must be set, too: it says where the files are that Egress writes")
        return self
