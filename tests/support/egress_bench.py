"""A session that is recorded from a folder of Egress files: the real source, reader process and writer, fast time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookback.buffer.reader import Segment, read_segments, summary
from lookback.media.sound import sound_of
from lookback.recorder.egress.follower import EgressPlace
from lookback.recorder.egress.reader import COMMAND, TsReader
from lookback.recorder.egress.source import EgressOptions, EgressSource
from lookback.recorder.run import Run, writer_maker
from tests.support.media import sync_nothing
from tests.support.saved import cut_segments
from tests.support.scripted_source import counted_run_ids

if TYPE_CHECKING:
    from lookback.media.gaps import Gap

_SOURCE = Path(__file__).resolve().parents[2] / "src"
READER = ("env", f"PYTHONPATH={_SOURCE}", *COMMAND)

QUICKER = 40
"""How much faster than real time the source's clock runs: waiting a minute for a file takes it 1.5 s."""


@dataclass(slots=True)
class EgressBench:
    """`told` is what the source said about its files, `causes` why it ended."""

    buffer: Path
    told: list[str | None] = field(default_factory=list)
    cause: str = ""
    _began: float = field(default_factory=time.monotonic)

    def clock(self) -> int:
        return 1_795_384_759_000_000 + round((time.monotonic() - self._began) * QUICKER * 1_000_000)

    def source(
        self, folder: Path, *, spare: Path | None = None, reader: TsReader | None = None, **more: Any
    ) -> EgressSource:
        """What follows the egress that writes to `folder`."""
        self.buffer.mkdir(exist_ok=True)
        return EgressSource(
            EgressPlace(folder, "index.m3u8", spare),
            EgressOptions(**{"audio": True} | more),
            reader or TsReader(READER),
            clock=self.clock,
            buffer=self.buffer,
            tell=self.told.append,
        )

    def run(self, *, audio: bool = True, not_before_us: int = 0) -> Run:
        """A run over the real writer."""
        make_writer = writer_maker(sync_nothing, counted_run_ids(), 10_000_000, 500_000)
        return Run(self.buffer, audio=audio, not_before_us=not_before_us, make_writer=make_writer)

    async def follow(self, source: EgressSource) -> str:
        """Record until it is over."""
        self.cause = await source.run(self.run(audio=source.audio))
        return self.cause

    @property
    def segments(self) -> list[Segment]:
        return read_segments(self.buffer)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return summary(self.buffer).gaps

    def cut(self, start_us: int, end_us: int) -> bytes:
        """The clip of a range."""
        segments = self.segments
        sound = sound_of(segments[0].media_path.read_bytes()[: segments[0].index.header.init_size])
        return cut_segments(segments, start_us, end_us, sound)[2]
