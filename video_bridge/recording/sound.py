"""The programme's full mix as AAC, encoded once, in the recorder."""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

RATE = 48_000
FRAME = 1024
BITRATE_BPS = 64_000
APART = RATE // 10  # further apart, samples and clock: silence goes in, or sound is left out
LONGEST_SILENCE = 5 * RATE


class AacEncoder:
    """Feed 16-bit mono samples; AAC frames come out with their time in samples since zero."""

    def __init__(self, zero_us: int) -> None:
        self._zero_us = zero_us
        self._context = _open()
        self._pending: NDArray[np.int16] = np.zeros(0, np.int16)
        self._next: int | None = None  # time of the first pending sample
        self.config = bytes(self._context.extradata or b"")[:2]  # AudioSpecificConfig

    def push(self, samples: NDArray[np.int16], wall_us: int) -> list[tuple[int, bytes]]:
        arrived = max(0, (wall_us - self._zero_us) * 48 // 1000)
        if self._next is None:
            self._next = arrived
        missing = arrived - (self._next + len(self._pending))
        if missing < -APART:
            return []
        if missing > LONGEST_SILENCE:
            self._pending, self._next = np.zeros(0, np.int16), arrived
        elif missing > APART:
            self._pending = np.concatenate((self._pending, np.zeros(missing, np.int16)))
        self._pending = np.concatenate((self._pending, samples))
        return self._encode()

    def _encode(self) -> list[tuple[int, bytes]]:
        frames: list[tuple[int, bytes]] = []
        while len(self._pending) >= FRAME and self._next is not None:
            part = self._pending[:FRAME].astype(np.float32) / 32768.0
            self._pending = self._pending[FRAME:]
            frame = av.AudioFrame.from_ndarray(part.reshape(1, FRAME), "fltp", "mono")
            frame.sample_rate, frame.pts = RATE, self._next
            self._next += FRAME
            for packet in self._context.encode(frame):
                if packet.pts is not None and packet.pts >= 0:
                    frames.append((packet.pts, bytes(packet)))
        return frames


def _open() -> av.AudioCodecContext:
    context = av.CodecContext.create("aac", "w")
    context.sample_rate, context.bit_rate = RATE, BITRATE_BPS
    context.layout, context.format = "mono", "fltp"
    context.open()
    return context
