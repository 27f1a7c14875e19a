"""WHIP and WHEP clients written from RFC 9725 alone: any standard client looks like this.

POST an offer with a bearer token, take the answer and the Location, DELETE it to leave.
"""

from __future__ import annotations

import asyncio
import fractions
import time
from typing import Any
from urllib.parse import urljoin

import aiohttp
import av
import cv2
import numpy as np
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamError

from . import markers, tones
from .loop import LoopThread


class MarkerTrack(VideoStreamTrack):
    """A marker at 25 frames a second."""

    def __init__(self, marker: int) -> None:
        super().__init__()
        picture = cv2.cvtColor(markers.marker_picture(marker), cv2.COLOR_BGR2YUV_I420)
        self._picture, self._n, self._began = picture, 0, time.monotonic()

    async def recv(self) -> av.VideoFrame:
        self._n += 1
        await asyncio.sleep(max(0.0, self._began + self._n / 25 - time.monotonic()))
        frame = av.VideoFrame.from_ndarray(self._picture, format="yuv420p")
        frame.pts, frame.time_base = self._n * 3600, fractions.Fraction(1, 90000)
        return frame


class ToneTrack(AudioStreamTrack):
    """A keyed tone in 20 ms blocks."""

    def __init__(self, frequency: float) -> None:
        super().__init__()
        self._tone = tones.keyed_tone(frequency, 48000, 10.0)
        self._n, self._began = 0, time.monotonic()

    async def recv(self) -> av.AudioFrame:
        await asyncio.sleep(max(0.0, self._began + self._n / 50 - time.monotonic()))
        start = self._n * 960 % len(self._tone)
        frame = av.AudioFrame.from_ndarray(
            self._tone[None, start : start + 960], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = 48000, self._n * 960
        frame.time_base = fractions.Fraction(1, 48000)
        self._n += 1
        return frame


class Client:
    """One WHIP (publishing) or WHEP (playing) session, on an event loop of its own thread."""

    def __init__(self, endpoint: str, token: str) -> None:
        self._endpoint, self._token = endpoint, token
        self._loop = LoopThread()
        self.location = ""
        self.headers: dict[str, str] = {}  # names in lower case
        self.frames = 0
        self.first_frame_s: float | None = None
        self._picture: np.ndarray | None = None
        self._sound: list[np.ndarray] = []
        self._tasks: list[asyncio.Task[None]] = []

    def publish(self, marker: int, tone_hz: float) -> None:
        self._loop.do(self._open([ToneTrack(tone_hz), MarkerTrack(marker)]))

    def play(self) -> None:
        self._loop.do(self._open([]))

    def seen(self) -> dict[int, tuple[float, float]]:
        return {} if self._picture is None else markers.find_markers(self._picture)

    def heard(self, frequencies: list[float], last_s: float = 3.0) -> set[float]:
        blocks = self._sound[-int(last_s * 50) :]
        return tones.heard(np.concatenate(blocks), 48000, frequencies) if blocks else set()

    def leave(self) -> int:
        """DELETE the session's URL. Returns the HTTP status."""
        status = self._loop.do(self._leave())
        self._loop.close()
        return status

    async def _open(self, tracks: list[MediaStreamTrack]) -> None:
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for track in tracks:
            self._connection.addTransceiver(track, direction="sendonly")
        if not tracks:
            self._connection.addTransceiver("audio", direction="recvonly")
            self._connection.addTransceiver("video", direction="recvonly")
            self._connection.on("track", self._receive)
        self._began = time.monotonic()
        await self._connection.setLocalDescription(await self._connection.createOffer())
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/sdp"}
        async with (
            aiohttp.ClientSession() as http,
            http.post(
                self._endpoint, data=self._connection.localDescription.sdp, headers=headers
            ) as reply,
        ):
            answer = await reply.text()
            assert reply.status == 201, (reply.status, answer)
            assert reply.content_type == "application/sdp"
            self.headers = {name.lower(): value for name, value in reply.headers.items()}
            self.location = urljoin(self._endpoint, reply.headers["Location"])
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def _leave(self) -> int:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with (
            aiohttp.ClientSession() as http,
            http.delete(self.location, headers=headers) as reply,
        ):
            status = reply.status
        for task in self._tasks:
            task.cancel()
        await self._connection.close()
        return status

    def _receive(self, track: MediaStreamTrack) -> None:
        take = self._take_video if track.kind == "video" else self._take_audio
        self._tasks.append(asyncio.ensure_future(take(track)))

    async def _take_video(self, track: MediaStreamTrack) -> None:
        while (frame := await _next(track)) is not None:
            self._picture = frame.to_ndarray(format="bgr24")
            self.frames += 1
            if self.first_frame_s is None:
                self.first_frame_s = time.monotonic() - self._began

    async def _take_audio(self, track: MediaStreamTrack) -> None:
        resampler = av.AudioResampler("s16", "mono", 48000, 960)
        while (frame := await _next(track)) is not None:
            for block in resampler.resample(frame):
                self._sound.append(block.to_ndarray().flatten())


async def _next(track: MediaStreamTrack) -> Any:
    """The next frame, None when the track has ended."""
    try:
        return await track.recv()
    except MediaStreamError:
        return None
