"""Calls to the operating system that kill the process, or fail, at the n-th one. Import it before the program's code.

Calls that make, rename or remove names are seen by an audit hook; `write`, `fsync`, `ftruncate` and `copy_file_range`
have no audit event, so they are replaced in `os` before anybody has taken hold of them. SQLite's own calls are its own
business: what counts is between which of its statements the process dies.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

_CHANGES = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
_TAKES_SPACE = {"open", "os.rename", "os.link", "os.mkdir", "write", "fsync", "copy_file_range"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT

raw_write = os.write


@dataclass(slots=True)
class Fault:
    """What happens at the `at`-th call below `root`: `kill -9`, or `code` as the error of this and `lasts` calls more.

    `half`: a write that it hits has written half of its bytes. What it hits is written to the descriptor `witness`.
    """

    root: str
    kind: Literal["kill", "fail"]
    at: int
    lasts: int = 0
    code: int = errno.EIO
    half: bool = False
    witness: int = 2
    seen: int = 0

    @property
    def over(self) -> bool:
        """Whether it has happened."""
        return self.seen >= self.at + self.lasts

    def meet(self, name: str) -> bool:
        """Count a call; return whether it is hit. Does not return from a kill, except for a write to be halved."""
        if self.kind == "fail" and self.code == errno.ENOSPC and name not in _TAKES_SPACE:
            return False  # what a full disk allows
        self.seen += 1
        if not self.at <= self.seen <= self.at + self.lasts:
            return False
        if self.seen == self.at:
            raw_write(self.witness, name.encode())
        if self.kind == "kill" and not (self.half and name == "write"):
            os.kill(os.getpid(), signal.SIGKILL)
        return True

    def strike(self, name: str) -> None:
        """Count a call that takes all or nothing; raises OSError when it is hit."""
        if self.meet(name):
            raise OSError(self.code, f"injected into {name}")


_armed: Fault | None = None


def arm(fault: Fault | None) -> None:
    """Let it happen from now on."""
    global _armed  # noqa: PLW0603 - hooks are of the whole process
    _armed = fault


def statement() -> None:
    """A statement of SQL is about to be executed or committed: the process may die here."""
    if _armed is not None and _armed.kind == "kill":
        _armed.strike("sql")


def install() -> None:
    """Put the hooks in their places; they do nothing until something is armed."""
    sys.addaudithook(_audit)
    os.write = _write
    for name in ("fsync", "copy_file_range"):
        setattr(os, name, _struck(name, getattr(os, name)))


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    fault = _armed
    if fault is None:
        return
    if event == "open":
        path, _, flags = arguments
        if isinstance(path, int) or not (flags & _WRITES) or not _below(path, fault.root):
            return
    elif event not in _CHANGES or not _below(arguments[0], fault.root):
        return
    fault.strike(event)


def _below(path: Any, root: str) -> bool:
    """Whether a path is ours: one that is relative is below a folder that we hold open."""
    if isinstance(path, int):
        return True
    name = os.fsdecode(path)
    return not name.startswith("/") or name.startswith(root)


def _write(fd: int, data: Any) -> int:
    fault = _armed
    if fault is None or not fault.meet("write"):
        return raw_write(fd, data)
    if fault.half:
        raw_write(fd, memoryview(data)[: len(data) // 2])
    if fault.kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise OSError(fault.code, "injected into write")


def _struck(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def struck(*arguments: Any) -> Any:
        if _armed is not None:
            _armed.strike(name)
        return call(*arguments)

    return struck
