"""Run measurements and print one JSON document: `python -m bench [--list] [--quick] [NAME ...]`."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import Any

import structlog
import uvloop

from bench.figures import Effort, Report
from bench.machine import commit, machine
from bench.places import cache

NAMES = (
    "index",
    "capture",
    "library",
    "player",
    "recorder",
    "loss",
    "livekit",
    "comeback",
    "life",
    "load",
    "sweep",
    "disk",
    "crash",
)


def main() -> None:
    """Parse, run, print. A missed bar or a failed benchmark is in the document; neither changes the exit status."""
    wanted = _arguments()
    if wanted.list:
        for name in NAMES:
            print(f"{name:10} {_purpose(name)}")
        return
    _log_to_stderr()
    document: dict[str, Any] = {
        "startedAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": wanted.quick,
        "commit": commit(),
        "machine": machine(cache()),
        "benchmarks": {},
    }
    for name in wanted.names or NAMES:
        document["benchmarks"][name] = _measure(name, Effort(wanted.quick))
    json.dump(document, sys.stdout, indent=2)
    print()


def _log_to_stderr() -> None:
    """Standard output is for the document alone; what the product logs at level info would only cost time."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the benchmarks and what they measure")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter windows")
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of the benchmarks; all without")
    wanted = parser.parse_args()
    if unknown := set(wanted.names) - set(NAMES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return wanted


def _purpose(name: str) -> str:
    doc = importlib.import_module(f"bench.{name}").__doc__ or ""
    return doc.strip().splitlines()[0]


def _measure(name: str, effort: Effort) -> dict[str, Any]:
    """Run one benchmark; what stops it is reported in place of its figures, and the others still run."""
    print(f"{name}: {_purpose(name)}", file=sys.stderr)
    begun = time.monotonic()
    try:
        report: Report = uvloop.run(importlib.import_module(f"bench.{name}").run(effort))  # as the program does
        found = report.as_json()
    except Exception as error:  # noqa: BLE001 - one broken measurement must not hide the other figures
        traceback.print_exc()
        found = {"error": f"{type(error).__name__}: {error}"}
    took = round(time.monotonic() - begun, 1)
    for bar in found.get("bars", []):
        print(f"  {'ok  ' if bar['met'] else 'MISS'} {bar['what']}: {bar['figure']} ({bar['bar']})", file=sys.stderr)
    return {"purpose": _purpose(name), "tookSeconds": took, **found}


if __name__ == "__main__":
    main()
