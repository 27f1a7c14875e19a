"""A camera that needs no camera: a moving test picture with a clock, and a keyed tone.

`synthetic:NAME` is drawn in the node; the name decides hue and pitch, so that two sources can be
told apart by eye and ear. Drills and the demo use it.
"""

from __future__ import annotations

import colorsys
import hashlib
import itertools
import re
import threading
import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .. import messages as m
from ..codecs.picture import Picture
from ..errors import LocalMediaError
from ..leg import Shown
from ..video.caption import printable, shortened
from ..video.fonts import font
from ..video.layouts import Pane
from ..video.picture import fill, from_rgb, scale_into, view

WIDTH, HEIGHT = 1280, 720
MIN_AGE_S = 0.03  # of a picture before the next is drawn
RATE = 48_000
FRAME_SAMPLES = 960
TONE_ON_S, TONE_OFF_S = 0.3, 0.2
TONE_LEVEL = 0.12
BEIJING_S = 8 * 3600  # the clock in the picture is the province's, whatever the server's zone
_URL = re.compile(r"synthetic:([^\x00-\x1f]{1,100})")
_BARS = [(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0)]
_PERIOD_S = 6.0
_serials = itertools.count(1)


def synthetic_name(url: str) -> str:
    """The name in `synthetic:NAME`. Raises LocalMediaError `camera_url_refused`."""
    match = _URL.fullmatch(url.removesuffix("?silent"))
    if match is None:
        raise LocalMediaError("camera_url_refused", url=url[:200])
    return match[1].strip() or "synthetic"


def is_silent(url: str) -> bool:
    """`synthetic:NAME?silent` is drawn only: rooms that are shown for hours need no tone."""
    return url.endswith("?silent")


def _number(name: str) -> int:
    """A number that tells names apart and is the same on every machine."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")


def tone_hz(name: str) -> int:
    """The pitch of a source's keyed tone: 40 steps from 400 to 1960 Hz by its name."""
    return 400 + 40 * (_number(name) % 40)


class SyntheticMedia:
    """`leg.Media` drawn here. `wall_clock` gives the seconds since 1970 shown in the picture."""

    has_picture = True

    def __init__(
        self,
        name: str,
        *,
        has_tone: bool = True,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._has_tone = has_tone
        self._wall_clock = wall_clock
        self._ground = _ground(name)
        self._clock_text = ""
        self._clock_picture: Picture | None = None
        self._samples = 0
        self._tone = _keyed_tone(tone_hz(name))
        self._frames = 0
        self._shown: Shown | None = None
        self._drawing = threading.Lock()
        self._is_closed = False

    def newest(self, now: float) -> Shown | None:
        """The picture of now: one for all views, each composed in a thread of its own."""
        with self._drawing:
            if self._is_closed:
                return None
            if self._shown is None or now - self._shown.at >= MIN_AGE_S:
                canvas = Picture(*(plane.copy() for plane in _planes(self._ground)))
                self._draw_sweep(canvas, now)
                self._draw_clock(canvas)
                self._frames += 1
                self._shown = Shown(canvas, next(_serials), now)
            return self._shown

    def _draw_sweep(self, canvas: Picture, now: float) -> None:
        """A bar that crosses the lower field, and a dot that circles."""
        phase = now % _PERIOD_S / _PERIOD_S
        x = int(phase * (WIDTH - 48)) & ~1
        fill(canvas, Pane(x, 560, 48, 96), (210, 128, 128))
        angle = 2 * np.pi * (now % 2.0) / 2.0
        centre = (int(1130 + 70 * np.cos(angle)), int(430 + 70 * np.sin(angle)))
        cv2.circle(canvas.y, centre, 16, 235, -1)

    def _draw_clock(self, canvas: Picture) -> None:
        text = time.strftime("%H:%M:%S", time.gmtime(self._wall_clock() + BEIJING_S))
        if text != self._clock_text or self._clock_picture is None:
            self._clock_text = text
            image = Image.new("RGB", (420, 110), (18, 22, 30))
            ImageDraw.Draw(image).text(
                (210, 55), text, fill=(255, 255, 255), font=font(84, bold=True), anchor="mm"
            )
            self._clock_picture = from_rgb(np.asarray(image, dtype=np.uint8))
        scale_into(self._clock_picture, view(canvas, Pane(430, 400, 420, 110)))

    def set_shown(self, is_shown: bool) -> None:
        """Nothing is drawn while nobody asks."""

    def tick_audio(self, now: float) -> NDArray[np.int16] | None:
        """A keyed tone: steady ones are eaten by noise suppression."""
        del now
        if not self._has_tone:
            return None
        start = self._samples % len(self._tone)
        self._samples += FRAME_SAMPLES
        return self._tone[start : start + FRAME_SAMPLES]

    def poll(self, now: float, unix_s: float) -> None:
        """Nothing waits here."""

    def stats(self, now: float) -> list[m.StreamStats]:
        del now
        return [
            m.StreamStats(
                media="video", direction="in", codec="synthetic", width=WIDTH, height=HEIGHT,
                frame_rate=25.0, packets=self._frames,
            ),
            m.StreamStats(media="audio", direction="in", codec="synthetic"),
        ]  # fmt: skip

    async def close(self) -> None:
        """Nothing but memory is held."""
        self._is_closed, self._shown = True, None


def _planes(picture: Picture) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    return picture.y, picture.u, picture.v


def _ground(name: str) -> Picture:
    """Colour bars, the name, and a field of the source's own hue."""
    hue = _number(name) // 40 % 360 / 360
    red, green, blue = (int(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.55, 0.42))
    image = Image.new("RGB", (WIDTH, HEIGHT), (red, green, blue))
    draw = ImageDraw.Draw(image)
    width = WIDTH / len(_BARS)
    for index, colour in enumerate(_BARS):
        draw.rectangle((index * width, 0, (index + 1) * width, 200), fill=colour)
    draw.rectangle((0, 200, WIDTH, 216), fill=(18, 22, 30))
    draw.rectangle((0, 544, WIDTH, 672), fill=(red // 2, green // 2, blue // 2))
    title = shortened(printable(name), 72, WIDTH - 120, bold=True)
    draw.text((WIDTH / 2, 310), title, fill=(255, 255, 255), font=font(72, bold=True), anchor="mm")
    return from_rgb(np.asarray(image, dtype=np.uint8))


def _keyed_tone(hertz: int) -> NDArray[np.int16]:
    """One second of the tone (two keyings), whose end meets its beginning; 50 whole frames."""
    t = np.arange(RATE) / RATE
    phase = t % (TONE_ON_S + TONE_OFF_S)
    ramp = np.clip(np.minimum(phase, TONE_ON_S - phase) / 0.01, 0.0, 1.0)
    return np.asarray(np.sin(2 * np.pi * hertz * t) * ramp * TONE_LEVEL * 32767, dtype=np.int16)
