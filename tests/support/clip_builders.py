"""Clips for tests that are about rows: only what matters has to be said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lookback.clips.model import Clip, Interval, Rendition, Storage
from lookback.media.gaps import Gap

_CLIP = Clip(
    clip_id="clip-1",
    session_id="session-1",
    room_name="demo",
    community_id=None,
    user_id="alice",
    title="The moment",
    created_at_us=1_795_384_800_000_000,
    status="ready",
    requested=Interval(1_795_384_700_000_000, 1_795_384_760_000_000),
    delivered=Interval(1_795_384_700_000_000, 1_795_384_759_500_000),
    size_bytes=1000,
    container="mp4",
    etag='"0123"',
    storage=Storage.VIRTUAL,
    video_codec="h264",
    audio_codec="opus",
    width=1280,
    height=720,
)


def a_clip(clip_id: str = "clip-1", **more: Any) -> Clip:
    """A clip of alice in the room demo."""
    return replace(_CLIP, clip_id=clip_id, **more)


def a_gap(start_us: int = 1_795_384_710_000_000, end_us: int = 1_795_384_711_000_000) -> Gap:
    """A lost second of video."""
    return Gap(start_us, end_us, "video", "loss")


def a_rendition(rendition_id: str = "r-1", status: Any = "queued", **more: Any) -> Rendition:
    """An MP4 of a clip."""
    return Rendition(rendition_id, "mp4", status, **more)
