"""Find out before anything runs that the media port is taken, instead of starting recorders that cannot."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from lookback.errors import SettingsError
from lookback.recorder.addresses import to_bind

if TYPE_CHECKING:
    from lookback.recorder.config import RecorderConfig


def require_media_port(config: RecorderConfig) -> None:
    """Raise SettingsError when the port cannot be bound on an address and no recorder of ours may be holding it."""
    if config.rtc_port == 0 or _recorder_lives(config):
        return
    for address in to_bind(config.bind_addresses):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((address, config.rtc_port))
            except OSError as error:
                raise SettingsError(
                    f"LOOKBACK_RTC_PORT or LOOKBACK_RTC_ADDRESSES is wrong: {address}:{config.rtc_port} "
                    f"cannot be used for media ({error.strerror})."
                ) from error


def _recorder_lives(config: RecorderConfig) -> bool:
    """Whether a worker listens that can be adopted, or will be replaced."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
        try:
            control.connect(str(config.socket_path))
        except OSError:
            return False
    return True
