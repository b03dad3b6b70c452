from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from lookback.cli.media_port import require_media_port
from lookback.errors import SettingsError
from lookback.recorder.config import RecorderConfig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        yield other.getsockname()[1]


def config(tmp_path: Path, port: int, *addresses: str) -> RecorderConfig:
    return RecorderConfig(
        buffer_path=tmp_path,
        socket_path=tmp_path / "recorder.sock",
        rtc_port=port,
        bind_addresses=addresses or ("127.0.0.1",),
    )


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path, taken: int) -> None:
    with pytest.raises(SettingsError, match=f"127.0.0.1:{taken} cannot be used for media") as caught:
        require_media_port(config(tmp_path, taken))
    assert "\n" not in caught.value.detail


def test_an_address_of_another_machine_is_said(tmp_path: Path, taken: int) -> None:
    with pytest.raises(SettingsError, match=r"192\.0\.2\.1"):
        require_media_port(config(tmp_path, taken, "192.0.2.1"))


def test_any_free_port_needs_no_look(tmp_path: Path) -> None:
    require_media_port(config(tmp_path, 0, "192.0.2.1"))


def test_a_port_that_our_own_recorder_may_hold_is_left_to_it(tmp_path: Path, taken: int) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as recorder:
        recorder.bind(str(tmp_path / "recorder.sock"))
        recorder.listen()
        require_media_port(config(tmp_path, taken))
