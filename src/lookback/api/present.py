"""From the words of the services to what is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from lookback.access.principal import Link
from lookback.api import answers
from lookback.api.wire import seconds
from lookback.clips.visibility import Sight, manages, sight_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lookback.access.principal import Principal
    from lookback.access.signed_urls import MediaLinks
    from lookback.clips.model import Clip, Interval, Rendition
    from lookback.media.gaps import Gap
    from lookback.sessions.model import Session
    from lookback.sessions.story import Story
    from lookback.sessions.views import FragmentView, RoomView, SegmentView, SessionView, Timeline, WatchedView

BASE = "/livekit-replay"
_MS_US = 1_000


def session(view: SessionView) -> answers.SessionAnswer:
    """Present a session."""
    row, buffered = view.session, view.buffered
    return answers.SessionAnswer(
        session_id=row.session_id,
        room_name=row.room_name,
        community_id=row.community_id,
        user_id=row.user_id,
        participant_identity=row.participant_identity,
        source=row.source,
        status=row.state,
        reason=row.reason,
        started_at=row.started_at_us,
        ended_at=row.ended_at_us,
        drains_at=row.drains_at_us,
        buffered_from=buffered.from_us,
        buffered_until=buffered.until_us,
        buffered_seconds=seconds(buffered.duration_us),
        window=answers.WindowAnswer.model_validate(
            {
                "promised_seconds": seconds(view.window.promised_us),
                "available_seconds": seconds(buffered.duration_us),
                "shortened_by": view.window.shortened_by,
            }
        ),
        size_bytes=buffered.size_bytes,
        video=_video(row.video_codec, row.width, row.height),
        audio=_audio(row.audio_codec),
        gaps=_gaps(buffered.gaps),
    )


def room(room_name: str, view: RoomView) -> answers.RoomStatusAnswer:
    """Present what is kept in a room; of sessions that one may not see, only that they run."""
    return answers.RoomStatusAnswer(
        room_name=room_name,
        active=bool(view.running),
        sessions=[session(seen) for seen in view.sessions],
        buffers=[_buffer(row) for row in view.running],
    )


def watched(seen: WatchedView) -> answers.WatchedSessionAnswer:
    """Present a session to those who look after all of them."""
    lag_seconds = None if seen.lag_us is None else seconds(seen.lag_us)
    return answers.WatchedSessionAnswer(**dict(session(seen.view)), recorded=seen.recorded, lag_seconds=lag_seconds)


def timeline(view: Timeline, links: MediaLinks) -> answers.TimelineAnswer:
    """Present what is buffered; the links are the session owner's."""
    return answers.TimelineAnswer(
        session_id=view.session.session_id,
        now=view.now_us,
        buffered_from=view.buffered.from_us,
        buffered_until=view.buffered.until_us,
        segments=[_segment(view, segment, links) for segment in view.segments],
        gaps=_gaps(view.buffered.gaps),
    )


def story(told: Story) -> answers.StoryAnswer:
    """Present what happened to a session."""
    session = told.session
    return answers.StoryAnswer(
        session_id=session.session_id,
        room_name=session.room_name,
        user_id=session.user_id,
        source=session.source,
        status=session.state,
        events=[answers.EventAnswer(at=e.at_us, kind=e.kind, sentence=e.sentence) for e in told.events],
        left_out=told.left_out,
        clips=told.clips,
        next_step=told.next_step,
        gaps_known=told.gaps_known,
    )


def clip(row: Clip, who: Principal, links: MediaLinks) -> answers.ClipAnswer:
    """Present a clip to somebody who sees it; the links are theirs, and hold as long as they see it."""
    media = _media_urls(row, who, links)
    sharer_name = row.sharer_name if row.sharer_id is not None else row.user_name
    return answers.ClipAnswer(
        clip_id=row.clip_id,
        session_id=row.session_id,
        room_name=row.room_name,
        community_id=row.community_id,
        user_id=row.user_id,
        user_name=row.user_name,
        sharer=answers.PersonAnswer(user_id=row.sharer_id or row.user_id, name=sharer_name),
        mine=row.user_id == who.user_id,
        title=row.title,
        tags=list(row.tags),
        visibility=row.visibility,
        share_url=f"{links.base}/shared/{row.share_key}" if row.share_key and manages(who, row) else None,
        created_at=row.created_at_us,
        status=row.status,
        requested=_interval(row.requested),
        delivered=_interval(row.delivered),
        duration_seconds=seconds(row.delivered.duration_us),
        size_bytes=row.size_bytes,
        content_type="video/mp4" if row.container == "mp4" else "video/webm",
        etag=row.etag,
        sha256=row.sha256,
        storage=row.storage,
        gaps=_gaps(row.gaps),
        video=answers.VideoAnswer(codec=row.video_codec, width=row.width, height=row.height),
        audio=_audio(row.audio_codec),
        video_url=media.video,
        download_url=media.download,
        poster_url=media.poster,
        renditions=[rendition(row, made, who, links) for made in row.renditions],
        deleted_at=row.deleted_at_us,
    )


def shared_clip(row: Clip, visitor: Principal, links: MediaLinks) -> answers.SharedClipAnswer:
    """Present a clip to somebody who has nothing but its link: nobody's ids, and what is needed to watch it."""
    media = _media_urls(row, visitor, links)
    return answers.SharedClipAnswer(
        clip_id=row.clip_id,
        title=row.title,
        room_name=row.room_name,
        user_name=row.user_name,
        created_at=row.created_at_us,
        status=row.status,
        delivered=_interval(row.delivered),
        duration_seconds=seconds(row.delivered.duration_us),
        size_bytes=row.size_bytes,
        content_type="video/mp4" if row.container == "mp4" else "video/webm",
        gaps=_gaps(row.gaps),
        video=answers.VideoAnswer(codec=row.video_codec, width=row.width, height=row.height),
        audio=_audio(row.audio_codec),
        video_url=media.video,
        download_url=media.download,
        poster_url=media.poster,
    )


class _MediaUrls(NamedTuple):
    video: str
    download: str
    poster: str | None


def _media_urls(row: Clip, who: Principal, links: MediaLinks) -> _MediaUrls:
    path, by = f"{BASE}/clips/{quote(row.clip_id, safe='')}", _right(row, who)
    return _MediaUrls(
        links.link(f"{path}/video", who.user_id, "play", by),
        links.link(f"{path}/video", who.user_id, "download", by),
        links.link(f"{path}/poster", who.user_id, "play", by) if row.has_poster else None,
    )


def _right(row: Clip, who: Principal) -> Link | None:
    """What a media link stands for besides its user; an owner needs nothing else."""
    sight = sight_of(who, row)
    if sight is Sight.OWNER or sight is None:
        return None
    return who.link if sight is Sight.LINK else Link(sight.value)


def rendition(of: Clip, row: Rendition, who: Principal, links: MediaLinks) -> answers.RenditionAnswer:
    """Present a rendition of a clip."""
    path = f"{BASE}/clips/{quote(of.clip_id, safe='')}/renditions/{quote(row.rendition_id, safe='')}/video"
    return answers.RenditionAnswer(
        rendition_id=row.rendition_id,
        format=row.format,
        status=row.status,
        progress=row.progress,
        size_bytes=row.size_bytes,
        reason=row.reason,
        url=links.link(path, who.user_id, "download", _right(of, who)) if row.status == "ready" else None,
    )


def _buffer(row: Session) -> answers.BufferAnswer:
    return answers.BufferAnswer(
        user_id=row.user_id,
        participant_identity=row.participant_identity,
        since=row.started_at_us,
        status=row.state,
    )


def _segment(view: Timeline, segment: SegmentView, links: MediaLinks) -> answers.SegmentAnswer:
    who = view.session.user_id
    path = f"{BASE}/sessions/{quote(view.session.session_id, safe='')}/segments/{segment.number}"
    return answers.SegmentAnswer(
        number=segment.number,
        container=segment.container,
        mime_type=segment.mime_type,
        run_id=segment.run_id,
        start=segment.start_us,
        end=segment.end_us,
        size_bytes=segment.size_bytes,
        init_size=segment.init_size,
        media_url=links.link(f"{path}/media", who, "play"),
        thumbnail_url=links.link(f"{path}/thumbnail", who, "play") if segment.has_thumbnail else None,
        fragments=[_fragment(fragment) for fragment in segment.fragments],
    )


def _fragment(fragment: FragmentView) -> answers.FragmentAnswer:
    return answers.FragmentAnswer(
        offset=fragment.offset,
        size=fragment.size,
        start=fragment.start_us / _MS_US,
        end=fragment.end_us / _MS_US,
    )


def _interval(interval: Interval) -> answers.IntervalAnswer:
    return answers.IntervalAnswer(start=interval.start_us, end=interval.end_us)


def _gaps(gaps: Iterable[Gap]) -> list[answers.GapAnswer]:
    return [answers.GapAnswer(start=g.start_us, end=g.end_us, track=g.track, cause=g.cause) for g in gaps]


def _video(codec: str | None, width: int | None, height: int | None) -> answers.VideoAnswer | None:
    return answers.VideoAnswer(codec=codec, width=width, height=height) if codec else None


def _audio(codec: str | None) -> answers.AudioAnswer | None:
    return answers.AudioAnswer(codec=codec) if codec else None
