"""What a self-test hears: everything said is kept for ten seconds, then played once.

While it plays it does not listen, so that nothing goes round in circles.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .. import messages as m
from ..leg import Shown

URL = "echo:"
HEARD_S = 10.0
FRAME_S = 0.020
Frame = NDArray[np.int16]
Tap = Callable[[Frame, float], None]


class EchoMedia:
    """`leg.Media` without a picture. `taps` are the conference's listeners to its full mix."""

    has_picture = False

    def __init__(self, taps: list[Tap], *, heard_s: float = HEARD_S) -> None:
        self._taps = taps
        self._count = round(heard_s / FRAME_S)
        self._heard: list[Frame] = []
        self._played = 0
        self._is_playing = False
        taps.append(self._hear)

    def _hear(self, frame: Frame, now: float) -> None:
        del now
        if self._is_playing:
            return
        self._heard.append(frame.copy())
        if len(self._heard) >= self._count:
            self._is_playing, self._played = True, 0

    def tick_audio(self, now: float) -> Frame | None:
        """The next 20 ms of what was heard; None while listening."""
        del now
        if not self._is_playing:
            return None
        frame = self._heard[self._played]
        self._played += 1
        if self._played >= len(self._heard):
            self._heard, self._is_playing = [], False
        return frame

    def newest(self, now: float) -> Shown | None:
        """No picture."""
        del now
        return None

    def set_shown(self, is_shown: bool) -> None:
        """Nothing to show."""

    def poll(self, now: float, unix_s: float) -> None:
        """Nothing waits here."""

    def stats(self, now: float) -> list[m.StreamStats]:
        del now
        return [m.StreamStats(media="audio", direction="in", codec="echo")]

    async def close(self) -> None:
        self._taps.remove(self._hear)
