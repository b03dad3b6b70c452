"""Somebody in a LiveKit room, by LiveKit's own SDK, who shares barcodes and beeps.

Run as a process of its own, because the SDK has native threads: `python -m tests.support.livekit_participant URL`, with
the token in the environment variable TOKEN. It takes commands as lines of JSON, `{"do": "publish", ...}`, answers each
with `{"reply": ...}` or `{"error": ...}`, and prints what it hears in the room as `{"event": ...}`. It leaves and ends
with its standard input. The pictures' numbers and the beeps' seconds follow one clock, over mutes and republications.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from fractions import Fraction
from typing import Any

import av
from av.video.frame import PictureType
from livekit import rtc

from tests.support.pictures import AUDIO_RATE, barcoded, beeping

FPS = 30
_AUDIO_SAMPLES = 480  # 10 ms, what the SDK sends without queueing
_SOURCES = {
    "screen": (rtc.TrackSource.SOURCE_SCREENSHARE, rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO),
    "camera": (rtc.TrackSource.SOURCE_CAMERA, rtc.TrackSource.SOURCE_MICROPHONE),
}
_ENCODERS = {
    "h264": (
        rtc.VideoCodec.H264,
        "libx264",
        {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "forced-idr": "1"},
    ),
    "vp8": (rtc.VideoCodec.VP8, "libvpx", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}),
}


class Clock:
    """Time since the participant came: which picture and which sample it is."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.began_us = time.time_ns() // 1000

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    async def reach(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds - self.seconds))


class Pictures:
    """Encodes numbered pictures here and hands them to the SDK, which only sends them."""

    def __init__(self, codec: str, width: int, height: int) -> None:
        self._codec = codec
        self.source = rtc.EncodedVideoSource(width, height)
        self.muted = False
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """Go on in another size, as a shared window does."""
        _, name, options = _ENCODERS[self._codec]
        encoder: Any = av.CodecContext.create(name, "w")
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
        encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
        encoder.bit_rate, encoder.gop_size, encoder.options = 800_000, 60 * FPS, options
        self._encoder, self._size, self._key_wanted = encoder, (width, height), True

    async def play(self, clock: Clock) -> None:
        """Send a picture every 1/FPS s; key frames come when they are asked for."""
        number = int(clock.seconds * FPS)
        while True:
            await clock.reach(number / FPS)
            self._key_wanted |= self.source.take_feedback().keyframe_requested or self.muted
            if not self.muted:
                self._send(number, clock.began_us + number * 1_000_000 // FPS)
            number += 1

    def _send(self, number: int, timestamp_us: int) -> None:
        picture = barcoded(number, *self._size)
        picture.pts = number
        if self._key_wanted:
            picture.pict_type = PictureType.I
            self._key_wanted = False
        kinds = rtc.EncodedFrameType
        for packet in self._encoder.encode(picture):
            kind = kinds.ENCODED_FRAME_KEY if packet.is_keyframe else kinds.ENCODED_FRAME_DELTA
            codec = _ENCODERS[self._codec][0]
            self.source.capture_frame(rtc.EncodedVideoFrame(bytes(packet), *self._size, codec, kind, timestamp_us))


class Share:
    """A published video track and the audio track beside it, until they are unpublished."""

    def __init__(self, room: rtc.Room, clock: Clock, what: str, wanted: dict[str, Any]) -> None:
        self._room, self._clock, self._what, self._wanted = room, clock, what, wanted
        self.pictures = Pictures(wanted["codec"], wanted["width"], wanted["height"])
        self._video = rtc.LocalVideoTrack.create_video_track(f"{what}-video", self.pictures.source)
        self._sound = rtc.AudioSource(AUDIO_RATE, 2, queue_size_ms=0)
        self._audio = rtc.LocalAudioTrack.create_audio_track(f"{what}-audio", self._sound)
        self._playing: list[asyncio.Task[None]] = []

    async def publish(self) -> dict[str, str]:
        """Publish and start to play; return the tracks' ids."""
        video, audio = _SOURCES[self._what]
        codec = _ENCODERS[self._wanted["codec"]][0]
        options = rtc.TrackPublishOptions(
            source=video,
            simulcast=False,
            video_codec=codec,
            # Else the SDK paces everything at 400 kbit/s, and a key frame is half a second late.
            video_encoding=rtc.VideoEncoding(max_bitrate=4_000_000, max_framerate=FPS),
            video_encoder=rtc.VideoEncoderBackend.ENCODER_BACKEND_PRE_ENCODED,
        )
        sids = {"video": await self._publish(self._video, options)}
        if self._wanted["audio"]:
            more = {key: self._wanted[key] for key in ("dtx", "red")}
            sids["audio"] = await self._publish(self._audio, rtc.TrackPublishOptions(source=audio, **more))
        self._playing = [
            asyncio.create_task(self.pictures.play(self._clock)),
            asyncio.create_task(self._beep()),
        ]
        return sids

    async def unpublish(self) -> None:
        """Take both tracks back."""
        for task in self._playing:
            task.cancel()
        await asyncio.wait(self._playing)
        for track in (self._video, self._audio):
            if track.sid in self._room.local_participant.track_publications:
                await self._room.local_participant.unpublish_track(track.sid)

    def mute(self, *, muted: bool) -> None:
        """Mute or unmute the video track."""
        self.pictures.muted = muted
        if muted:
            self._video.mute()
        else:
            self._video.unmute()

    async def _publish(self, track: rtc.LocalVideoTrack | rtc.LocalAudioTrack, options: rtc.TrackPublishOptions) -> str:
        return (await self._room.local_participant.publish_track(track, options)).sid

    async def _beep(self) -> None:
        sample = int(self._clock.seconds * AUDIO_RATE)
        while True:
            await self._clock.reach(sample / AUDIO_RATE)
            sound = beeping(sample, _AUDIO_SAMPLES).to_ndarray().tobytes()
            await self._sound.capture_frame(rtc.AudioFrame(sound, AUDIO_RATE, 2, _AUDIO_SAMPLES))
            sample += _AUDIO_SAMPLES


class Participant:
    """Carries out commands; their names are those of its methods."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token
        self._room = rtc.Room()
        self._clock = Clock()
        self._shares: dict[str, Share] = {}
        self._room.on("data_received", lambda d: tell(event="data", topic=d.topic, data=d.data.decode()))
        self._room.on("disconnected", lambda reason: tell(event="disconnected", reason=str(reason)))
        self._room.on("reconnected", lambda: tell(event="reconnected"))
        self._room.on("participant_connected", lambda who: tell(event="joined", identity=who.identity))
        self._room.on("participant_disconnected", lambda who: tell(event="left", identity=who.identity))
        self._room.on("room_updated", lambda: tell(event="room", recording=self._room.is_recording))

    async def join(self, *, passphrase: str = "") -> dict[str, Any]:
        """Join; with a passphrase everything is end-to-end encrypted. Tells when its clock began, in UTC us."""
        key = rtc.E2EEOptions(key_provider_options=rtc.KeyProviderOptions(shared_key=passphrase.encode()))
        options = rtc.RoomOptions(auto_subscribe=False, encryption=key if passphrase else None)
        await self._room.connect(self._url, self._token, options)
        return {"beganUs": self._clock.began_us, "sid": self._room.local_participant.sid}

    async def publish(self, what: str, **wanted: Any) -> dict[str, str]:
        share = self._shares[what] = Share(self._room, self._clock, what, wanted)
        return await share.publish()

    async def unpublish(self, what: str) -> None:
        await self._shares.pop(what).unpublish()

    async def mute(self, what: str, *, muted: bool) -> None:
        self._shares[what].mute(muted=muted)

    async def freeze(self, what: str, *, frozen: bool) -> None:
        self._shares[what].pictures.muted = frozen

    async def resize(self, what: str, width: int, height: int) -> None:
        self._shares[what].pictures.resize(width, height)

    async def attributes(self, values: dict[str, str]) -> None:
        await self._room.local_participant.set_attributes(values)

    async def seen(self) -> dict[str, Any]:
        """What the SDK says about the room: the others, and whether it is being recorded."""
        return {"others": sorted(self._room.remote_participants), "recording": self._room.is_recording}

    async def leave(self) -> None:
        await self._room.disconnect()


def tell(**message: Any) -> None:
    """Print a line for whoever started us."""
    print(json.dumps(message), flush=True)  # noqa: T201


async def main() -> None:
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    participant = Participant(sys.argv[1], os.environ["TOKEN"])
    async for line in commands:
        command = json.loads(line)
        try:
            tell(reply=await getattr(participant, command.pop("do"))(**command))
        except Exception as error:  # noqa: BLE001 - whoever asked decides what it means
            tell(error=repr(error))
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            await participant.leave()


if __name__ == "__main__":
    asyncio.run(main())
