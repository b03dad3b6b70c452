"""A real file system that hangs or goes stale when a test says so, as an NFS mount does when its server is gone.

It is mounted in the server's own mount namespace, as in shaky_ground.py; from outside, what is on it is in `backing`.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.shaky_ground import namespace

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVER = Path(__file__).with_name("network_disk_server.py")
_SECONDS = 20


class NetworkDisk:
    """A disk on `folder` for one process that is started with `ground`; see network_disk_server.py."""

    def __init__(self, backing: Path, folder: Path, listener: socket.socket) -> None:
        self.backing, self.folder = backing, folder
        self._listener = listener
        self._address = str(listener.getsockname()[1:], "ascii")
        self._server: socket.socket | None = None

    @property
    def ground(self) -> list[str]:
        """The command prefix that runs a program with the disk mounted."""
        here = [sys.executable, str(_SERVER), str(self.backing), str(self.folder), self._address]
        return [*namespace(), *here]

    def hangs(self) -> None:
        """From now on nothing is answered: whoever asks waits in the kernel, as on a hard mount."""
        self._tell(b"hang")

    def answers(self) -> None:
        """Everything works; whoever has waited is answered now."""
        self._tell(b"answer")

    def is_stale(self) -> None:
        """From now on everything is answered with ESTALE."""
        self._tell(b"stale")

    def close(self) -> None:
        """End it: whoever waits gets an error."""
        if self._server is not None:
            self._server.close()

    def _tell(self, word: bytes) -> None:
        if self._server is None:
            self._server, _ = self._listener.accept()
            self._server.settimeout(_SECONDS)
        self._server.send(word)
        assert self._server.recv(64) == b"done", "the network disk has ended"


@contextmanager
def a_network_disk(place: Path) -> Iterator[NetworkDisk]:
    """A disk that works, and is gone afterwards, whatever has failed. Skips where there is no FUSE."""
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        pytest.skip(f"A disk that hangs takes FUSE, and /dev/fuse cannot be opened here: {error.strerror}")
    backing, folder = place / "backing", place / "mounted"
    for path in (backing, folder):
        path.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"\0lookback-{secrets.token_hex(8)}")
        listener.listen()
        listener.settimeout(_SECONDS)
        disk = NetworkDisk(backing, folder, listener)
        try:
            yield disk
        finally:
            disk.close()
