"""The real server, started once for the tests that leave it as it was; and its log where a test has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.installation import Installation, one_installation

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

SETTINGS = {"REPLAY_SEGMENT_DURATION_SECONDS": "2"}  # many segments in little time
_TAIL = 12_000


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with one_installation(tmp_path_factory.mktemp("home"), **SETTINGS) as installation:
        yield installation


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and report.failed:
        used = getattr(item, "funcargs", {})
        logs = sorted(_logs(used["server"].home)) if "server" in used else []
        logs += sorted(_logs(used["tmp_path"] / "home")) if "tmp_path" in used else []
        report.sections += [(path.name, path.read_text()[-_TAIL:]) for path in logs]
    return report


def _logs(home: Path) -> Iterator[Path]:
    return home.glob("serve-*.log")
