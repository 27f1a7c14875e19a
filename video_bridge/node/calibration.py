"""How fast this machine encodes, measured when the node starts, in a tenth of a second or two.

Counted in processor time of the measuring thread, so that a busy machine is not taken for a slow
one.
"""

from __future__ import annotations

import time

import numpy as np

from ..codecs.picture import Picture
from ..codecs.video import VideoDecoder, VideoEncoder
from ..errors import RemoteMediaError

WIDTH, HEIGHT, FRAMES = 1280, 720, 8
REFERENCE_MS = 5.8  # a picture encoded and decoded on the reference machine (docs/allocation.md)
SLOWEST, FASTEST = 0.2, 5.0


def measure_speed() -> float:
    """1.0 for the reference machine, 2.0 for one twice as fast."""
    pictures = _moving_pictures()
    encoder = VideoEncoder("H264", WIDTH, HEIGHT, 25, 1_500_000)
    decoder = VideoDecoder("H264")
    _work(encoder, decoder, pictures[0], 0)  # opening and the key frame are no part of it
    began = time.thread_time()
    for number, picture in enumerate(pictures[1:], 1):
        _work(encoder, decoder, picture, number)
    spent_ms = (time.thread_time() - began) * 1000 / (len(pictures) - 1)
    return max(SLOWEST, min(FASTEST, REFERENCE_MS / max(spent_ms, 0.01)))


def _work(encoder: VideoEncoder, decoder: VideoDecoder, picture: Picture, number: int) -> None:
    frame = encoder.encode(picture, number)
    try:
        decoder.decode(frame.data)
    except RemoteMediaError:  # what we encoded ourselves: the time counts all the same
        return


def _moving_pictures() -> list[Picture]:
    """Texture that moves, as faces and hands do: neither noise nor a still."""
    dice = np.random.default_rng(1)
    small = dice.integers(40, 200, (HEIGHT // 8, WIDTH // 8), dtype=np.uint8)
    ground = np.kron(small, np.ones((8, 8), np.uint8))
    pictures = []
    for number in range(FRAMES):
        picture = Picture.blank(WIDTH, HEIGHT, 90, 128, 128)
        picture.y[:] = np.roll(ground, 3 * number, axis=1)
        pictures.append(picture)
    return pictures
