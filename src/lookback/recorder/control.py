"""What the API process and a recorder worker say to each other: one JSON object per line on a Unix socket.

Requests carry an id and get exactly one reply with it; events come unasked. Media never crosses this socket.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lookback.errors import LookbackError

PROTOCOL_VERSION = 1


class Message(BaseModel):
    """Base of everything that crosses the socket."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SessionSpec(Message):
    """Whose buffer to record, and where it lives: enough to rebuild the session's row from session.json."""

    session_id: str
    room_name: str
    user_id: str
    community_id: str | None = None
    participant_identity: str | None = None
    source: Literal["whip", "livekit", "egress", "synthetic"]
    started_at_us: int


# ---- requests: API -> recorder


class Hello(Message):
    """First request of a connection; refused when the versions differ. Reply: Welcome."""

    kind: Literal["hello"] = "hello"
    version: int = PROTOCOL_VERSION


class StartSynthetic(Message):
    """Record the generated screen share."""

    kind: Literal["start_synthetic"] = "start_synthetic"
    session: SessionSpec
    codec: Literal["h264", "vp8"] = "h264"


class RecordLivekit(Message):
    """Record a participant's screen share from a LiveKit room; a session already known continues with a new run.

    `url` is the server's ws:// or wss:// address, `token` lets a hidden participant of kind egress in. Whose share:
    the session's participant_identity. Reply: Done once the share was found and subscribed to; refused with
    livekit-unavailable, nobody-sharing, encrypted or unsupported-codec within 5 s.
    """

    kind: Literal["record_livekit"] = "record_livekit"
    session: SessionSpec
    url: str
    token: str = Field(repr=False)
    include_microphone: bool = False


class FollowEgress(Message):
    """Record what LiveKit Egress writes; a session already known continues, with the new egress after the old one.

    `directory` is where its files arrive, as the recorder sees it, and `playlist` the name of the list of all of them;
    `spare_directory` is where it writes them first, if that can be reached. `delay_seconds`: how much later than it was
    taken Egress dates a picture. `keep_files`: they stay when they are safely in the buffer. Reply: Done, before
    anything has come.
    """

    kind: Literal["follow_egress"] = "follow_egress"
    session: SessionSpec
    directory: str
    playlist: str = "index.m3u8"
    spare_directory: str | None = None
    audio: bool = True
    segment_seconds: float = Field(default=10.0, gt=0, le=60)
    delay_seconds: float = Field(default=0.0, ge=0, le=10)
    keep_files: bool = True


class AcceptWhip(Message):
    """Answer an offer; a session already known continues with a new run. Reply: WhipAccepted."""

    kind: Literal["accept_whip"] = "accept_whip"
    session: SessionSpec
    offer: str


class RestartIce(Message):
    """RFC 9725 section 4.3.3: new credentials for a running publisher. Reply: IceRestarted."""

    kind: Literal["restart_ice"] = "restart_ice"
    session_id: str
    fragment: str


class StopSession(Message):
    """End the session's source and close its files; what is buffered stays. Of an egress its last file is taken."""

    kind: Literal["stop"] = "stop"
    session_id: str
    cause: str


class HoldSession(Message):
    """Write nothing of the session while it is held, as if the disk were full; its publisher stays. Reply: Done."""

    kind: Literal["hold"] = "hold"
    session_id: str
    held: bool


class GetStatus(Message):
    """Reply: WorkerStatus."""

    kind: Literal["status"] = "status"


Request = Annotated[
    Hello
    | StartSynthetic
    | RecordLivekit
    | FollowEgress
    | AcceptWhip
    | RestartIce
    | StopSession
    | HoldSession
    | GetStatus,
    Field(discriminator="kind"),
]

# ---- replies and events: recorder -> API


class Welcome(Message):
    """Whom the API has reached: after this come the last move of every session, then new ones as they happen.

    `config_digest` is RecorderConfig.digest of the running worker: another one means it was started with other
    settings or by another version, and should be replaced.
    """

    kind: Literal["welcome"] = "welcome"
    version: int = PROTOCOL_VERSION
    pid: int
    config_digest: str


class WhipAccepted(Message):
    """The answer to an offer."""

    kind: Literal["whip_accepted"] = "whip_accepted"
    answer: str
    etag: str


class IceRestarted(Message):
    """The answering SDP fragment of an ICE restart."""

    kind: Literal["ice_restarted"] = "ice_restarted"
    fragment: str
    etag: str


class SessionStats(Message):
    """Counters of a session since its publisher came; why nothing can be written, how long that waits, what is lost."""

    session_id: str
    connected: bool
    recording: bool
    storage_fault: str | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None
    segment: int = 0
    bytes_written: int = 0
    lag_us: int = 0
    gap_us: int = 0
    video_frames: int = 0
    audio_frames: int = 0
    packets: int = 0
    packets_lost: int = 0
    nacks_sent: int = 0
    retransmissions: int = 0
    key_frame_requests: int = 0
    last_packet_us: int | None = None


class WorkerStatus(Message):
    """How a worker is."""

    kind: Literal["worker_status"] = "worker_status"
    pid: int
    started_at_us: int
    cpu_seconds: float
    rss_bytes: int
    udp_port: int
    sessions: list[SessionStats]


class Done(Message):
    """Nothing more to say."""

    kind: Literal["done"] = "done"


class Refused(Message):
    """The request failed; `code` is the code of a class in errors.py, so that the API raises the same error."""

    kind: Literal["refused"] = "refused"
    code: str
    detail: str
    facts: dict[str, Any] = {}

    @classmethod
    def of(cls, error: LookbackError) -> Refused:
        """What to answer when handling a request raised `error`."""
        return cls(code=error.code, detail=error.detail, facts=error.facts)

    def error(self) -> LookbackError:
        """The error to raise on the other side: the same class as was raised there."""
        return _ERRORS.get(self.code, LookbackError)(self.detail, **self.facts)


Reply = Annotated[Welcome | WhipAccepted | IceRestarted | WorkerStatus | Done | Refused, Field(discriminator="kind")]


class SessionMoved(Message):
    """The recorder saw a session change.

    recording: the first key frame of a run is on disk. interrupted: the publisher is gone (cause says how), segments
    are kept and a new run may come. failed: nothing was ever recorded and nothing will be. stopped: the source ended
    because it was told to. storage-failing / storage-recovered: writing does not work, or works again. degraded /
    restored: what comes lacks something (cause says what), or is whole again.
    """

    kind: Literal["session_moved"] = "session_moved"
    session_id: str
    to: Literal[
        "recording",
        "interrupted",
        "failed",
        "stopped",
        "storage-failing",
        "storage-recovered",
        "degraded",
        "restored",
    ]
    cause: str
    at_us: int
    video_codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None


Event = SessionMoved


class Envelope(Message):
    """One line. Exactly one of the three is set; `id` pairs a reply with its request."""

    id: int | None = None
    request: Request | None = None
    reply: Reply | None = None
    event: Event | None = None


ENVELOPE: TypeAdapter[Envelope] = TypeAdapter(Envelope)

MAX_LINE_BYTES = 1 << 20
"""Longest line either side accepts; an SDP offer of a browser is about 10 kB."""


def to_line(envelope: Envelope) -> bytes:
    """Encode as it crosses the socket, newline included."""
    return ENVELOPE.dump_json(envelope, exclude_none=True) + b"\n"


def from_line(line: bytes) -> Envelope:
    """Decode one line; raises pydantic.ValidationError when it is not one of ours."""
    return ENVELOPE.validate_json(line)


def _known(kind: type[LookbackError]) -> dict[str, type[LookbackError]]:
    codes = {kind.code: kind}
    for child in kind.__subclasses__():
        codes |= _known(child)
    return codes


_ERRORS = _known(LookbackError)
