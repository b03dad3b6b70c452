"""What a depacketiser makes of the payloads that share one RTP timestamp."""

from __future__ import annotations

from typing import NamedTuple


class AccessUnit(NamedTuple):
    """One encoded picture as stored in files.

    `key`: it can be decoded without any other. `picture`: it shows something; false for H.264 parameter sets that
    were sent under a marker bit of their own and belong to the picture after them.
    """

    data: bytes
    key: bool
    picture: bool = True
