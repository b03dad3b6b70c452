"""What the disk with the clips has room for, as far as clips need to know."""

from __future__ import annotations

from typing import Protocol


class SpaceGate(Protocol):
    """Says no before a disk is full. Every method raises DiskFullError."""

    def require_rendition(self) -> None:
        """A rendition is about to be made."""

    def require_capture(self, size_bytes: int) -> None:
        """A clip of this size is about to be saved."""

    def require_file(self, size_bytes: int) -> None:
        """A saved clip of this size is about to get a file of its own; until then it plays as it is."""


class AmpleSpace:
    """A disk that nobody watches."""

    def require_rendition(self) -> None:
        """See SpaceGate."""

    def require_capture(self, size_bytes: int) -> None:
        """See SpaceGate."""

    def require_file(self, size_bytes: int) -> None:
        """See SpaceGate."""
