"""The PostgreSQL server of a test run; and what the servers of a failed test have printed is part of its report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.postgres import PostgresServer, a_postgres_server

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_TAIL = 12_000
_LOGS = ("serve-*.log", "livekit-*.log", "postgres.log")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Started by the first test that needs it; half a second. Nobody may stop it: others use it, too."""
    with a_postgres_server() as server:
        yield server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and report.failed:
        homes = dict.fromkeys(_homes(getattr(item, "funcargs", {})))
        report.sections += [(path.name, path.read_text()[-_TAIL:]) for home in homes for path in _logs(home)]
    return report


def _homes(fixtures: dict[str, object]) -> Iterator[Path]:
    """The folders of shared servers, and those that a test makes below its own folder."""
    for fixture in fixtures.values():
        if isinstance(home := getattr(fixture, "home", None), Path):
            yield home
    if isinstance(folder := fixtures.get("tmp_path"), Path):
        yield from (folder, folder / "home", folder / "livekit")


def _logs(home: Path) -> Iterator[Path]:
    for pattern in _LOGS:
        yield from sorted(home.glob(pattern))
