from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
import structlog

from lookback.recorder.config import RecorderConfig
from lookback.recorder.logs import worker_logs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_the_recorder_logs_no_secret_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], log_format: Literal["json", "console"]
) -> None:
    config = RecorderConfig(buffer_path=tmp_path, socket_path=tmp_path / "socket", log_format=log_format)
    with worker_logs(config):
        structlog.get_logger().info("publisher.came", ice_pwd="hunter2", address="http://x/?token=hunter2")
    said = capsys.readouterr().err
    assert "publisher.came" in said
    assert "hunter2" not in said
