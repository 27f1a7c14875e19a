"""Encoded pictures and sound to record: no sockets, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from video_bridge.codecs.picture import Picture
from video_bridge.codecs.video import VideoEncoder

ZERO_US = 1_700_000_000_000_000
FRAME_US = 40_000


@dataclass(frozen=True, slots=True)
class Taken:
    """A picture as a recorder gets it."""

    data: bytes
    is_key: bool
    timestamp: int
    wall_us: int


def pictures(
    codec: str, count: int, *, size: tuple[int, int] = (352, 288), key_every: int = 25
) -> Iterator[Taken]:
    """Grey pictures that grow lighter, 25 a second from ZERO_US on."""
    encoder = VideoEncoder(codec, *size, 25, 300_000)
    for index in range(count):
        luma = np.full((size[1], size[0]), 16 + index % 200, np.uint8)
        chroma = np.full((size[1] // 2, size[0] // 2), 128, np.uint8)
        frame = encoder.encode(
            Picture(luma, chroma, chroma), index, force_keyframe=index % key_every == 0
        )
        yield Taken(frame.data, frame.is_key, index * 3600, ZERO_US + index * FRAME_US)


def tone(index: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """The `index`th 20 ms of a 440 Hz tone."""
    t = np.arange(index * 960, (index + 1) * 960) / 48_000
    return (np.sin(2 * np.pi * 440 * t) * 8000).astype(np.int16)
