"""Look at installations as the doctor does; `python -m tests.support.examining` does it where a test cannot be itself.

That is on disks that only a process of its own sees. It reads a JSON list of environments, and writes what was found.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from lookback.bootstrap.doctor import Wanted, examine_from_outside
from lookback.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
Found = dict[str, dict[str, Any]]
"""What is not ok, by its id."""


def environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Variables of an installation, and none of our own that would change it."""
    ours = {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
        "LOOKBACK_HOME": str(home),
        "LOOKBACK_PORT": "0",
        "LOOKBACK_RTC_PORT": "0",
    }
    plain = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    return {**plain, **ours, **more}


def not_ok(findings: Sequence[Mapping[str, Any]]) -> Found:
    """Those that something is to be done about; each must say what."""
    assert findings
    assert all(finding["todo"] for finding in findings if finding["level"] != "ok")
    return {finding["id"]: dict(finding) for finding in findings if finding["level"] != "ok"}


async def examined(wanted: Wanted | None = None) -> list[dict[str, Any]]:
    """What the command finds here and now, as it prints it for machines."""
    return [asdict(finding) for finding in await examine_from_outside(wanted)]


def examined_together(ground: Sequence[str], variables: Sequence[Mapping[str, str]]) -> list[Found]:
    """Look at several installations in one process that stands on this ground."""
    command = [*ground, sys.executable, "-m", "tests.support.examining"]
    done = subprocess.run(
        command,
        env=environment(Path("/nowhere"), {}),
        input=json.dumps(variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [not_ok(findings) for findings in json.loads(done.stdout)]


def main() -> None:
    """Look at each."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    found = []
    for variables in json.load(sys.stdin):
        os.environ.clear()
        os.environ.update(variables)
        found.append(asyncio.run(examined()))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
