from __future__ import annotations

from pathlib import Path

import pytest

from lookback.errors import SettingsError
from lookback.recorder.config import CONFIG_VARIABLE, MAX_SOCKET_PATH_BYTES, RecorderConfig, control_socket_path

CONFIG = RecorderConfig(buffer_path=Path("/b"), socket_path=Path("/r/recorder.sock"))


def test_a_worker_reads_what_the_supervisor_wrote() -> None:
    assert RecorderConfig.from_environment(CONFIG.to_environment()) == CONFIG


@pytest.mark.parametrize("environment", [{}, {CONFIG_VARIABLE: "{"}, {CONFIG_VARIABLE: '{"buffer_path": 7}'}])
def test_a_wrong_configuration_is_said_in_words(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=CONFIG_VARIABLE):
        RecorderConfig.from_environment(environment)


def test_the_digest_tells_configurations_apart() -> None:
    assert CONFIG.digest == CONFIG.model_copy().digest
    assert CONFIG.digest != CONFIG.model_copy(update={"rtc_port": 3002}).digest


def test_the_socket_is_below_the_home(tmp_path: Path) -> None:
    home = Path("/srv/lookback")
    assert control_socket_path(home, tmp_path) == Path("/srv/lookback/run/recorder.sock")


def test_a_long_home_gets_a_short_socket_of_its_own() -> None:
    homes = [Path("/srv") / ("ä" * 60) / name for name in "ab"]
    paths = [control_socket_path(home, Path("/tmp")) for home in homes]
    assert all(len(str(path).encode()) <= MAX_SOCKET_PATH_BYTES for path in paths)
    assert paths[0] != paths[1]
    assert paths[0] == control_socket_path(homes[0], Path("/tmp"))
