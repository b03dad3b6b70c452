"""LiveKit Egress as a source: its files, remuxed without decoding, into the same runs as any other source's frames."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from lookback.media.aac import AacConfig
from lookback.media.index import LossCause
from lookback.media.samples import Codec
from lookback.media.sound import AacSound
from lookback.recorder.egress import rules
from lookback.recorder.egress.clearing import clear, clear_folder
from lookback.recorder.egress.follower import EgressPlace, Follower
from lookback.recorder.egress.media_file import MediaFile, Packet, silences
from lookback.recorder.sources import ALIVE_US, SourceStats

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.recorder.egress.follower import Arrival
    from lookback.recorder.egress.reader import TsReader
    from lookback.recorder.run import Run

log = structlog.get_logger(__name__)

_BREATH_US = 500_000  # so much media is written at a time, then packets of others have their turn
_TOLERANCE_US = 50_000
_SETTLE_S = 2.0  # an egress writes its other playlist last, up to 0.2 s after the end of the first
_USUAL_SOUND = AacSound(AacConfig(44_100, 2))


@dataclass(frozen=True, slots=True)
class EgressOptions:
    """`segment_us`: how long its files are; `delay_us`: how much too late it dates them.

    `keep_files`: whether they stay when they are safely ours. `after_us`: where what is recorded already ends.
    """

    audio: bool
    segment_us: int = 10_000_000
    delay_us: int = 0
    keep_files: bool = True
    after_us: int = 0


class EgressSource:
    """Follows one egress after the other until the last one is over.

    `buffer` is the session's directory: a file is deleted only once it can be read there. `tell` is called with a
    sentence when something is wrong with what comes, and with None when that is over.
    """

    last_packet_us: int | None = None
    """Files come seconds late, all at once: nothing is said about now, so no clock runs on between them."""

    patience_us = ALIVE_US

    def __init__(
        self,
        place: EgressPlace,
        options: EgressOptions,
        reader: TsReader,
        *,
        clock: Callable[[], int],
        buffer: Path,
        tell: Callable[[str | None], None],
    ) -> None:
        self._options, self._reader, self._clock, self._buffer, self._tell = options, reader, clock, buffer, tell
        self._places = deque([place])
        self._over: list[EgressPlace] = []
        self._follower: Follower | None = None
        self._finishing = False
        self._waiting: list[Packet] = []  # sound of the time after the newest file's pictures
        self._config: AacConfig | None = None
        self._until_us = options.after_us
        self._missed = self._finished = False
        self._trouble: str | None = None
        self._files = self._files_lost = 0

    @property
    def audio(self) -> bool:
        """See Source."""
        return self._options.audio

    def follow(self, place: EgressPlace) -> bool:
        """Go on with another egress, once the one before has written its last file; it is being stopped.

        False when this source has ended already.
        """
        if self._finished:
            return False
        if not any(known.directory == place.directory for known in self._places):
            self._places.append(place)
            self._finishing = False
            if self._follower is not None:
                self._follower.finish()
        return True

    def finish(self) -> bool:
        """Take what is still being written, then end; False when that was said already."""
        if self._finishing:
            return False
        self._finishing = True
        if self._follower is not None:
            self._follower.finish()
        return True

    async def run(self, run: Run) -> str:
        """See Source."""
        cause = rules.ENDED
        run.hear(_USUAL_SOUND)
        try:
            while self._places:
                cause = await self._follow_one(run, self._places[0])
                self._places.popleft()
            self._finished = True
        finally:
            await self._reader.close()
        run.close(self._until_us)
        await self._clear_folders()
        return cause

    def tick(self, now_us: int) -> None:
        """See Source."""

    def repairing(self) -> bool:
        """See Source."""
        return False

    def request_key_frame(self, now_us: int) -> None:
        """See Source: every file begins with one."""

    def stats(self) -> SourceStats:
        """See Source: a file counts as a packet."""
        return SourceStats(connected=not self._finished, packets=self._files, packets_lost=self._files_lost)

    async def _follow_one(self, run: Run, place: EgressPlace) -> str:
        options = self._options
        follower = self._follower = Follower(
            place,
            self._reader,
            self._clock,
            segment_us=options.segment_us,
            delay_us=options.delay_us,
            after_us=self._until_us,
        )
        if self._finishing or len(self._places) > 1:
            follower.finish()
        log.info("egress.followed", folder=place.directory.name)
        async with aclosing(follower.arrivals()) as arrivals:
            async for arrival in arrivals:
                await self._take(run, arrival)
                await self._clear(place, arrival)
        self._let_go_of_sound()
        if not options.keep_files and follower.cause == rules.ENDED:
            self._over.append(place)
        self._missed = True  # whatever another egress writes, it does not go on where this one ended
        log.info("egress.over", folder=place.directory.name, cause=follower.cause, files=self._files)
        return follower.cause

    async def _take(self, run: Run, arrival: Arrival) -> None:
        self._files += 1
        media = arrival.media
        if media is not None and media.start_us < self._until_us - _TOLERANCE_US:
            media = _from_key(media, self._until_us)
        if media is None:
            self._files_lost += 1
            self._missed = True
            self._say(rules.UNREADABLE)
            return
        if self._missed or not media.goes_on:
            run.miss(media.start_us, LossCause.FILE)
        self._missed = not media.whole
        if media.config is not None:
            self._config = media.config
            run.hear(AacSound(media.config))
        packets, self._waiting = self._sound_of(media)
        await _feed(run, media, packets)
        silent_us = self._note_silence(run, media, packets)
        run.flush(media.until_us)
        self._until_us = max(self._until_us, media.until_us)
        length_us = media.until_us - media.start_us
        self._say(rules.trouble(audio=self.audio, still=media.still, silent_us=silent_us, length_us=length_us))

    def _sound_of(self, media: MediaFile) -> tuple[list[Packet], list[Packet]]:
        """The sound of a file's time, and that of the time after it: an egress that ends leaves seconds of it."""
        sound = sorted([*self._waiting, *media.packets], key=lambda packet: packet.at_us)
        within = [packet for packet in sound if packet.at_us < media.until_us]
        return within, sound[len(within) :]

    def _note_silence(self, run: Run, media: MediaFile, packets: list[Packet]) -> int:
        """Say where the sound is missing that was agreed on; return for how long."""
        if not self.audio:
            return 0
        packet_us = self._config.frame_end_us(1) if self._config is not None else 0
        missing = list(silences(packets, packet_us, media.start_us, media.until_us))
        for start_us, end_us in missing:
            run.lack(start_us, end_us, LossCause.SOUND)
        return sum(end_us - start_us for start_us, end_us in missing)

    def _let_go_of_sound(self) -> None:
        if self._waiting:
            beyond_us = self._waiting[-1].at_us - self._until_us
            log.info("egress.sound_beyond_pictures", length_ms=beyond_us // 1000)
            self._waiting = []

    async def _clear(self, place: EgressPlace, arrival: Arrival) -> None:
        if not self._options.keep_files and arrival.media is not None:
            await asyncio.to_thread(clear, place.directory / arrival.entry.name, self._buffer, self._until_us)

    async def _clear_folders(self) -> None:
        if self._over:
            await asyncio.sleep(_SETTLE_S)
        for place in self._over:
            await asyncio.to_thread(clear_folder, place.directory, place.playlist)

    def _say(self, sentence: str | None) -> None:
        if sentence != self._trouble:
            self._trouble = sentence
            self._tell(sentence)


def _from_key(media: MediaFile, after_us: int) -> MediaFile | None:
    """What another recorder has not taken: from the first key frame on that begins after what it took."""
    first = next((at for at, p in enumerate(media.pictures) if p.key and p.slot_us >= after_us - _TOLERANCE_US), None)
    return replace(media, pictures=media.pictures[first:]) if first is not None else None


async def _feed(run: Run, media: MediaFile, packets: list[Packet]) -> None:
    """Hand on what a file holds in the order of time."""
    sound = deque(packets)
    rested_us = media.start_us
    for picture in media.pictures:
        while sound and sound[0].at_us < picture.slot_us:
            packet = sound.popleft()
            run.audio(packet.at_us, packet.data)
        run.video(
            Codec.H264,
            picture.slot_us,
            picture.data,
            key=picture.key,
            reference_lost=picture.damaged,
            cts_us=picture.cts_us,
        )
        if picture.slot_us - rested_us >= _BREATH_US:
            rested_us = picture.slot_us
            await asyncio.sleep(0)
    for packet in sound:
        run.audio(packet.at_us, packet.data)
