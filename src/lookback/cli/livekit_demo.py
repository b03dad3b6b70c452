"""Share the generated screen in a LiveKit room, as somebody's client would.

This needs LiveKit's own SDK, which the server does not: it is imported when the command is used.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn, cast

import av

from lookback.errors import MalformedError, SettingsError
from lookback.livekit.tokens import join_token
from lookback.media.h264 import nal_units
from lookback.media.samples import Codec
from lookback.recorder.synthetic_pipe import read_frame
from lookback.recorder.synthetic_source import generator_command

try:
    from livekit import rtc
except ImportError as error:
    raise SettingsError(
        "The demo in a LiveKit room needs LiveKit's SDK: install the package livekit beside the server"
    ) from error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from lookback.livekit.tokens import Credentials
    from lookback.recorder.synthetic_pipe import SourceFrame

WIDTH, HEIGHT, FPS = 1280, 720, 30
_RATE, _CHANNELS = 48_000, 2
_SENT_SAMPLES = 480  # 10 ms, what the SDK takes without a queue
_START_CODE = b"\0\0\0\1"
_CONNECT_S = 10
_PIPE_BYTES = 1 << 20


async def share_until_stopped(
    credentials: Credentials, room_name: str, identity: str, shared: Callable[[], None]
) -> None:
    """Share until SIGINT or SIGTERM; `shared` is called, in a thread, once others see it. Raises SettingsError."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with _joined(credentials, room_name, identity) as room, _generated() as frames:
        screen = await _Screen.publish(room)
        playing = asyncio.create_task(screen.play(frames))
        telling = asyncio.create_task(asyncio.to_thread(shared))
        waiting = asyncio.create_task(stopped.wait())
        done, _ = await asyncio.wait({playing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        playing.cancel()
        await telling
        if playing in done:
            raise SettingsError("The generated screen ended unexpectedly.") from playing.exception()


def end_process() -> NoReturn:
    """End with status 0, past the interpreter's own end, in which the SDK's threads abort the process now and then.

    They call into Python as it goes, and Python before 3.14 ends such a thread in a way native code does not survive.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class _Screen:
    """A published screen with its sound."""

    def __init__(self) -> None:
        self._pictures = rtc.EncodedVideoSource(WIDTH, HEIGHT)
        self._sound = rtc.AudioSource(_RATE, _CHANNELS, queue_size_ms=0)
        self._decoder: Any = av.CodecContext.create("libopus", "r")
        self._plain = av.AudioResampler("s16", "stereo", _RATE, frame_size=_SENT_SAMPLES)

    @classmethod
    async def publish(cls, room: rtc.Room) -> _Screen:
        """Publish both tracks."""
        screen = cls()
        video = rtc.LocalVideoTrack.create_video_track("screen", screen._pictures)
        audio = rtc.LocalAudioTrack.create_audio_track("screen-audio", screen._sound)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_SCREENSHARE,
            simulcast=False,
            video_codec=rtc.VideoCodec.H264,
            video_encoder=rtc.VideoEncoderBackend.ENCODER_BACKEND_PRE_ENCODED,
        )
        await room.local_participant.publish_track(video, options)
        sound = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO)
        await room.local_participant.publish_track(audio, sound)
        return screen

    async def play(self, frames: asyncio.StreamReader) -> None:
        """Hand on what is generated, until it ends."""
        while (frame := await read_frame(frames)) is not None:
            if frame.codec is Codec.OPUS:
                await self._hear(frame)
            else:
                self._show(frame)

    def _show(self, frame: SourceFrame) -> None:
        kinds = rtc.EncodedFrameType
        kind = kinds.ENCODED_FRAME_KEY if frame.key else kinds.ENCODED_FRAME_DELTA
        picture = b"".join(_START_CODE + unit for unit in nal_units(frame.data))
        self._pictures.capture_frame(
            rtc.EncodedVideoFrame(picture, WIDTH, HEIGHT, rtc.VideoCodec.H264, kind, frame.dts_us)
        )

    async def _hear(self, frame: SourceFrame) -> None:
        for decoded in self._decoder.decode(av.Packet(frame.data)):
            for sound in self._plain.resample(decoded):
                data = sound.to_ndarray().tobytes()
                await self._sound.capture_frame(rtc.AudioFrame(data, _RATE, _CHANNELS, sound.samples))


@asynccontextmanager
async def _joined(credentials: Credentials, room_name: str, identity: str) -> AsyncIterator[rtc.Room]:
    room = rtc.Room()
    token = join_token(credentials, room_name, identity, identity.title())
    try:
        async with asyncio.timeout(_CONNECT_S):
            await room.connect(credentials.websocket_url, token, rtc.RoomOptions(auto_subscribe=False))
    except (TimeoutError, rtc.ConnectError) as error:
        raise SettingsError("LiveKit lets nobody in: check LIVEKIT_URL, its key and its secret.") from error
    try:
        yield room
    finally:
        await room.disconnect()


@asynccontextmanager
async def _generated() -> AsyncIterator[asyncio.StreamReader]:
    """What the generating process writes."""
    process = await asyncio.create_subprocess_exec(
        *generator_command(Codec.H264, WIDTH, HEIGHT, FPS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_PIPE_BYTES,
    )
    try:
        yield cast("asyncio.StreamReader", process.stdout)
    except MalformedError as error:
        raise SettingsError("The generated screen cannot be read.") from error
    finally:
        process.kill()
        await process.wait()
