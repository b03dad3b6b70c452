"""Whether what tokens are signed with can be guessed or read."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.operations.doctor.findings import Finding, fine, wrong
from lookback.operations.doctor.remedies import Problem

if TYPE_CHECKING:
    from pathlib import Path

_LEAST_BYTES = 32
# 32 random characters of sixteen kinds have fewer than eight different ones once in 10^8 times.
_LEAST_KINDS = 8
_TYPICAL = ("secret", "password", "changeme", "change-me", "change_me", "example", "lookback", "default", "12345678")


@dataclass(frozen=True, slots=True)
class SecretFacts:
    """Where the secret is from, and what it looks like; never the secret itself.

    `kinds`: how many different characters it has. `typical`: it has a word in it that people write. `mode`: of its
    file; None when there is none. `readable`: False for a file that cannot be read or is damaged.
    """

    configured: bool
    size: int = 0
    kinds: int = 0
    typical: bool = False
    mode: int | None = None
    readable: bool = True


def look_at_secret(configured: str | None, home: Path) -> SecretFacts:
    """Look at the secret that is set, or else at the one in the home."""
    if configured is not None:
        return _seen(configured, None)
    path = home / "secret"
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        return _seen(path.read_text().strip(), mode)
    except (FileNotFoundError, NotADirectoryError):
        return SecretFacts(configured=False)
    except (OSError, UnicodeDecodeError):
        return SecretFacts(configured=False, mode=0, readable=False)


def _seen(secret: str, mode: int | None) -> SecretFacts:
    lower = secret.lower()
    return SecretFacts(
        configured=mode is None,
        size=len(secret.encode()),
        kinds=len(set(secret)),
        typical=any(word in lower for word in _TYPICAL),
        mode=mode,
    )


def judge_secret(facts: SecretFacts) -> Finding:
    """What is said of the secret."""
    if not facts.configured and facts.mode is None:
        return fine("secret", "The signing secret will be made at the first start")
    if not facts.readable or (not facts.configured and facts.size < _LEAST_BYTES):
        return wrong(Problem.SECRET_DAMAGED, "The signing secret in LOOKBACK_HOME cannot be read or is damaged")
    if facts.mode is not None and facts.mode & 0o077:
        return wrong(
            Problem.SECRET_READABLE,
            "Others on this machine can read the signing secret, and sign in as anybody with it",
        )
    if facts.typical or facts.kinds < _LEAST_KINDS:
        return wrong(
            Problem.SECRET_WEAK, "LOOKBACK_JWT_SECRET can be guessed: it is no random text, and whoever has it is admin"
        )
    return fine("secret", "The signing secret is long and random, and ours alone")


def judge_livekit_secret(secret: str) -> Finding | None:
    """What is said of LiveKit's secret, if anything."""
    if len(secret.encode()) >= _LEAST_BYTES and len(set(secret)) >= _LEAST_KINDS:
        return None
    return wrong(
        Problem.LIVEKIT_WEAK_SECRET, "LIVEKIT_API_SECRET is short or simple: whoever guesses it enters any room"
    )
