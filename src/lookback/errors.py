"""The one tree of errors: kinds are raised anywhere, only drivers translate them (design: "Errors")."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator


class LookbackError(Exception):
    """A failure that a caller can understand.

    The message is the sentence a person reads: no paths, hosts or tokens in it. `facts` are the machine-readable
    members that go beside it (camelCase, JSON values). The cause goes to the log by `raise ... from`.
    """

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts


class MalformedError(LookbackError, ValueError):
    """Bytes that are not what they claim to be."""

    code = "malformed"
    title = "Malformed input"


class ValidationError(LookbackError):
    """A request whose fields do not make sense together."""

    code = "validation"
    title = "Invalid request"


class AlreadyActiveError(LookbackError):
    """The user has a running session; facts: sessionId."""

    code = "already-active"
    title = "Already active"


class NoSegmentsError(LookbackError):
    """Nothing is buffered in the range; facts: oldestAvailable, newestAvailable."""

    code = "no-segments"
    title = "Nothing buffered"


class UnauthenticatedError(LookbackError):
    """No token, or one that does not hold."""

    code = "unauthenticated"
    title = "Not signed in"


class PermissionDeniedError(LookbackError):
    """The caller is known but may not."""

    code = "permission-denied"
    title = "Permission denied"


class NotFoundError(LookbackError):
    """It does not exist, or the caller may not see it: the two look the same."""

    code = "not-found"
    title = "Not found"


class GapsError(LookbackError):
    """The range has gaps and the caller did not allow them; facts: gaps."""

    code = "gaps"
    title = "The range has gaps"


class CodecChangeError(LookbackError):
    """The codec changes inside the range; facts: ranges (one per codec)."""

    code = "codec-change"
    title = "The codec changes inside the range"


class NobodySharingError(LookbackError):
    """Nobody is sharing a screen in the room."""

    code = "nobody-sharing"
    title = "Nobody is sharing"


class UnsupportedCodecError(LookbackError):
    """The publisher offers nothing that can be recorded; facts: offered, supported."""

    code = "unsupported-codec"
    title = "Unsupported codec"


class EncryptedError(LookbackError):
    """The share is end-to-end encrypted: nothing but noise could be kept."""

    code = "encrypted"
    title = "End-to-end encrypted"


class BufferDisabledError(LookbackError):
    """The community has switched replay buffers off."""

    code = "buffer-disabled"
    title = "Replay buffers are off"


class InvalidConfigError(LookbackError):
    """A setting that there is not, or a value that makes no sense for it."""

    code = "invalid-config"
    title = "Invalid setting"


class ConsentError(LookbackError):
    """The person has said that they must not be buffered."""

    code = "consent"
    title = "No consent"


class CommunityLimitError(LookbackError):
    """As many buffers run in the community as may; facts: limit, used, retryAfter (seconds)."""

    code = "community-limit"
    title = "Community limit reached"


class RateLimitError(LookbackError):
    """Too many requests of one kind by one user; facts: limit, retryAfter (seconds)."""

    code = "rate-limit"
    title = "Too many requests"


class TooEarlyError(LookbackError):
    """The end of the range has not happened yet; facts: retryAfter (seconds)."""

    code = "too-early"
    title = "Not yet"


class CaptureFailedError(LookbackError):
    """A clip or rendition could not be made, for the reason said."""

    code = "capture-failed"
    title = "Capture failed"


class StorageUnavailableError(LookbackError):
    """The buffer, the clip storage or the database does not answer; facts: retryAfter (seconds)."""

    code = "storage-unavailable"
    title = "Storage unavailable"


class LivekitUnavailableError(LookbackError):
    """LiveKit is not configured or does not answer."""

    code = "livekit-unavailable"
    title = "LiveKit unavailable"


class NoCapacityError(LookbackError):
    """No recorder can take the session now; facts: retryAfter (seconds)."""

    code = "no-capacity"
    title = "No capacity"


class DiskFullError(LookbackError):
    """Not enough disk space; facts: retryAfter (seconds), limitBytes and neededBytes where only small clips fit."""

    code = "disk-full"
    title = "Disk full"


class QuotaExceededError(LookbackError):
    """The user's quota does not allow it; facts: quotaBytes, usedBytes, neededBytes."""

    code = "quota-exceeded"
    title = "Quota exceeded"


class SettingsError(LookbackError):
    """The configuration has mistakes; the detail holds one sentence per line."""

    code = "settings"
    title = "Wrong settings"


@contextmanager
def ungrouped(*kinds: type[Exception]) -> Iterator[None]:
    """Raise the first error of a task group itself when all of them are of these kinds, else the group as it is.

    Not `except*`: Python before 3.11.4 puts what is raised in one into a group again.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        _, others = group.split(kinds)
        if others is not None:
            raise
        raise _first(group) from None


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
