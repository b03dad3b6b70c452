"""What is said of LiveKit, its webhooks and its Egress; `livekit.examination` looks at them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lookback.operations.doctor.findings import Finding, fine, wrong
from lookback.operations.doctor.remedies import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

Fault = Literal["unreachable", "refused", "strange", "failing"]
Folder = Literal["fine", "missing", "forbidden"]

_OLDEST = (1, 2, 0)
_OLDEST_DIRECT = (1, 9, 2)  # from then on there is /rtc/v1, which our recorder joins by
_SENTENCES: dict[Fault, str] = {
    "unreachable": "LiveKit does not answer",
    "refused": "LiveKit refuses this server's key or secret",
    "strange": "What answers at LIVEKIT_URL is no LiveKit server",
    "failing": "LiveKit answers, but cannot do what it is asked",
}


@dataclass(frozen=True, slots=True)
class LivekitFacts:
    """`version` as the server says it, None where it cannot be learned. `clock_us`: how far it is ahead of ours.

    `egress`: whether its Egress can be asked; None when it was not.
    """

    fault: Fault | None = None
    version: str | None = None
    answered_us: int = 0
    clock_us: int | None = None
    egress: bool | None = None


@dataclass(frozen=True, slots=True)
class WebhookFacts:
    """What has come in the time that something must have come. `ago_us`: since the last one, None without any."""

    accepted: bool
    refused: bool
    ago_us: int | None = None


def judge_livekit(facts: LivekitFacts | None, *, direct: bool = True) -> Finding:
    """What is said of LiveKit; None when it is not configured. `direct`: our own recorder joins rooms."""
    if facts is None:
        return fine("livekit", "LiveKit is not configured; only WHIP publishers are kept")
    if facts.fault is not None:
        return wrong(Problem(f"livekit.{facts.fault}"), _SENTENCES[facts.fault])
    version = _parsed(facts.version)
    if version is not None and version < _OLDEST:
        return wrong(Problem.LIVEKIT_TOO_OLD, f"LiveKit is too old: it is {facts.version}, and must be 1.2.0 or later")
    if version is not None and version < _OLDEST_DIRECT and direct:
        return wrong(
            Problem.LIVEKIT_OLD,
            f"LiveKit {facts.version} can only be recorded by Egress: our own recorder needs 1.9.2 or later",
        )
    named = f", version {facts.version}" if facts.version else ""
    return fine("livekit", f"LiveKit answers in {facts.answered_us / 1000:.0f} ms{named}; the credentials are right")


def judge_webhooks(facts: WebhookFacts) -> Finding:
    """What is said of webhooks, after something happened that LiveKit must have told of."""
    if facts.accepted:
        return fine("webhooks", "LiveKit's webhooks arrive")
    if facts.refused:
        return wrong(Problem.WEBHOOKS_REFUSED, "Webhooks arrive, but are signed by a key that is not known here")
    return wrong(
        Problem.WEBHOOKS_SILENT, "LiveKit's webhooks do not arrive: buffers begin and end up to half a minute late"
    )


def judge_egress(*, livekit: bool, folder: Folder, asked: bool | None) -> Finding:
    """What is said of LiveKit Egress, which is configured. `asked`: whether it could be; None: that was not tried."""
    if not livekit:
        return wrong(Problem.EGRESS_WITHOUT_LIVEKIT, "LOOKBACK_EGRESS_PATH is set, but LiveKit is not configured")
    if folder == "missing":
        return wrong(Problem.EGRESS_PATH_MISSING, "The folder that LOOKBACK_EGRESS_PATH names is not there")
    if folder == "forbidden":
        return wrong(Problem.EGRESS_PATH_FORBIDDEN, "The folder that LOOKBACK_EGRESS_PATH names cannot be written")
    if asked is False:
        return wrong(
            Problem.EGRESS_ABSENT, "LiveKit knows of no Egress: it has no Redis by which it could tell it anything"
        )
    return fine("egress", "The folder of LiveKit Egress is there" + (", and LiveKit can ask it" if asked else ""))


def judge_door(*, open_to_all: bool, public: bool) -> Iterator[Finding]:
    """Whether anybody gets into rooms who should not."""
    if open_to_all and public:
        yield wrong(Problem.LIVEKIT_OPEN, "Everybody who is signed in gets into every LiveKit room")


def _parsed(version: str | None) -> tuple[int, ...] | None:
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version or "")
    return tuple(int(part) for part in match.groups()) if match else None
