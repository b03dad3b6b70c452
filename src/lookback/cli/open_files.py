"""How many files this process may hold open."""

from __future__ import annotations

import resource

import structlog

log = structlog.get_logger(__name__)

ENOUGH = 65_536
FEW = 4_096  # some sixty viewers of clips that were saved a moment ago


def allow_many_open_files() -> int:
    """Raise the soft limit as far as is useful and allowed, and return it.

    A viewer of a clip that is still virtual holds its segments open, about sixty files for ten minutes; the usual soft
    limit of 1024 would be used up by seventeen of them.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(ENOUGH, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft != resource.RLIM_INFINITY and soft < FEW:
        log.warning("serve.few_open_files", limit=soft, enough=FEW)
    return soft
