"""A hall with an H.323 room: our own stack in a thread, with a marker picture, slides and a tone.

What it saw are the newest decoded pictures, of the conference and of the second stream.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import cv2
import numpy as np

from sip_gateway.h323 import h245_events as ev
from tests.sip_gateway.h323.endpoint import Endpoint
from tests.video_bridge.node.room import Room
from video_bridge.codecs.picture import Picture
from video_bridge.codecs.video import VideoDecoder
from video_bridge.errors import RemoteMediaError

from . import markers, tones
from .tones import Samples

T = TypeVar("T")
SOUND_S = 6


class _Tolerant:
    """Media may flow before the room listens: what cannot be decoded yet is left out."""

    def __init__(self) -> None:
        self._decoder = VideoDecoder("H264")

    def decode(self, unit: bytes) -> list[Picture]:
        try:
            return self._decoder.decode(unit)
        except RemoteMediaError:
            return []


class _MarkerRoom(Room):
    """Shows a marker, keeps only the newest of what it gets."""

    def __init__(self, marker: int, tone_hz: float) -> None:
        super().__init__(colour=(0, 0, 0), tone_hz=tone_hz)
        self._picture = _planes(marker, *self._size)
        self.pictures = deque(maxlen=2)  # type: ignore[assignment]
        self.sound = deque(maxlen=SOUND_S * 50)  # type: ignore[assignment]
        self._decoder = _Tolerant()  # type: ignore[assignment]

    def seen(self) -> dict[int, tuple[float, float]]:
        newest = list(self.pictures)[-1:]
        return markers.find_markers(newest[0].y) if newest else {}


def _planes(marker: int, width: int, height: int) -> Picture:
    bgr = markers.marker_picture(marker, width, height)
    yuv = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
    chroma = yuv[height:].reshape(2, height // 2, width // 2)
    return Picture(yuv[:height].copy(), chroma[0].copy(), chroma[1].copy())


class H323Hall:
    """Waits for calls at `uri`; everything of it runs in a thread and loop of its own."""

    def __init__(self, name: str, *, marker: int, slide: int, tone_hz: float) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._media, self._slides, self.endpoint = self._run(
            self._made(name, marker, slide, tone_hz)
        )
        self.uri = f"h323:127.0.0.1:{self._run(self.endpoint.listen())}"

    async def _made(
        self, name: str, marker: int, slide: int, tone_hz: float
    ) -> tuple[_MarkerRoom, _MarkerRoom, Endpoint]:
        media, slides = _MarkerRoom(marker, tone_hz), _MarkerRoom(slide, 300.0)
        return media, slides, Endpoint(name, media, content=slides)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def _call(self, step: Callable[[], T]) -> T:
        async def work() -> T:
            return step()

        return self._run(work())

    def dial(self, number: str, port: int = 1720) -> None:
        self._run(self.endpoint.call(number, port))

    def hang_up(self) -> None:
        self._call(self.endpoint.hang_up)

    def present(self) -> None:
        """Ask for the token; its slides flow once it is granted."""
        self._call(self.endpoint.present)

    def stop_slides(self) -> None:
        """The bridge closed its channel: nothing more is sent on it."""
        self._run(self._slides.stop())

    def was_asked_to_stop(self) -> bool:
        return bool(self._call(lambda: self.endpoint.of(ev.CloseAsked)))

    def seen(self) -> dict[int, tuple[float, float]]:
        """The markers in the conference's picture."""
        return self._call(self._media.seen)

    def slides_seen(self) -> dict[int, tuple[float, float]]:
        """The markers in the second stream."""
        return self._call(self._slides.seen)

    def heard(self, frequencies: list[float], last_s: float = 3.0) -> set[float]:
        """Which tones are in the last seconds of its sound."""
        blocks: list[Samples] = self._call(lambda: list(self._media.sound))
        if not blocks:
            return set()
        samples = np.concatenate(blocks)[-int(48_000 * last_s) :]
        return tones.heard(samples, 48_000, frequencies)

    def close(self) -> None:
        async def work() -> None:
            self.endpoint.close()
            for room in (self._media, self._slides):
                await room.stop()
                room.close()

        self._run(work())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
