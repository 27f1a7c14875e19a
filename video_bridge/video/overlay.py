"""What is written over the panes: 横幅 on top, 短消息 at the foot, and the chair's clocks.

All of it lies on opaque strips, so that a strip is copied when a pane under it was drawn again and
never thickens. Strips are drawn once per text. Times are arguments.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from PIL import Image, ImageDraw

from . import words
from .caption import drill_stripe, printable, shortened
from .fonts import font
from .layouts import Pane
from .picture import Picture, from_rgb

BEIJING = timedelta(hours=8)  # the province's clock, whatever the server's zone
STRIPE_HEIGHT = 28
MAX_LINES = 2
Colour = tuple[int, int, int]
_INK: Colour = (255, 255, 255)
_BANNER: Colour = (18, 62, 126)
_FOOT: Colour = (10, 20, 38)
_CLOCK: Colour = (10, 20, 38)
_CALM: Colour = (255, 208, 112)
_ALARM: Colour = (255, 120, 104)


@dataclass(frozen=True, slots=True)
class Overlay:
    """The texts of one moment; equal overlays draw equal strips."""

    banner: str = ""
    message: str = ""
    clock: str = ""
    countdown: str = ""
    is_overdue: bool = False
    names: bool = True


@dataclass(frozen=True, slots=True)
class Wording:
    """What the desk asked to be written; `at` makes it the overlay of a moment."""

    banner: str = ""
    message: str = ""
    clock: bool = False
    countdown_to_ms: int | None = None
    names: bool = True

    @property
    def has_clocks(self) -> bool:
        """Whether the chair's picture differs from the halls' by it."""
        return self.clock or self.countdown_to_ms is not None

    def at(self, unix_s: float, *, is_chair: bool) -> Overlay:
        """Clock and countdown are the chair's only: halls are told by 横幅 and 短消息."""
        clock = countdown = ""
        is_overdue = False
        if is_chair and self.clock:
            now = datetime.fromtimestamp(int(unix_s), UTC) + BEIJING
            clock = now.strftime("%Y-%m-%d %H:%M:%S")
        if is_chair and self.countdown_to_ms is not None:
            left_s = self.countdown_to_ms / 1000 - unix_s
            is_overdue = left_s < 0
            label = words.OVERDUE if is_overdue else words.COUNTDOWN
            countdown = f"{label} {_duration(left_s)}"
        return Overlay(
            printable(self.banner),
            printable(self.message),
            clock,
            countdown,
            is_overdue,
            self.names,
        )


def _duration(seconds: float) -> str:
    """Whole seconds as h:mm:ss: what is left rounded up, what is over rounded down."""
    total = math.ceil(seconds) if seconds >= 0 else math.floor(-seconds)
    return f"{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d}"


@dataclass(frozen=True, slots=True)
class Strip:
    """An opaque drawing at its place on the canvas."""

    area: Pane
    picture: Picture
    is_on_top: bool = True  # panes keep their badges clear of it, else their captions


def strips(overlay: Overlay, width: int, height: int, *, is_drill: bool = False) -> list[Strip]:
    """All strips over a canvas of this size, the drill's first; none where nothing is written."""
    found = []
    top = 0
    if is_drill:
        found.append(Strip(Pane(0, 0, width, STRIPE_HEIGHT), drill_stripe(width, STRIPE_HEIGHT)))
        top = STRIPE_HEIGHT
    line = round(height * 0.066) & ~1
    right = width
    for text, ink in (
        (overlay.clock, _INK),
        (overlay.countdown, _ALARM if overlay.is_overdue else _CALM),
    ):
        if text:
            box = _clock(text, line, ink)
            right -= box.width
            found.append(Strip(Pane(right, top, box.width, line), box))
    if overlay.banner:
        found.append(Strip(Pane(0, top, right, line), _banner(overlay.banner, right, line)))
    if overlay.message:
        foot = _foot(overlay.message, width, line)
        found.append(
            Strip(Pane(0, height - foot.height, width, foot.height), foot, is_on_top=False)
        )
    return found


def _drawn(
    lines: list[str],
    width: int,
    height: int,
    size: int,
    colours: tuple[Colour, Colour],
    *,
    bold: bool,
) -> Picture:
    ground, ink = colours
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)
    step = height / len(lines) if len(lines) == 1 else size * 1.32
    first = height / 2 - step * (len(lines) - 1) / 2
    for number, text in enumerate(lines):
        place = (width / 2, first + number * step)
        draw.text(place, text, fill=ink, font=font(size, bold=bold), anchor="mm")
    return from_rgb(np.asarray(image, dtype=np.uint8))


@functools.lru_cache(maxsize=16)
def _banner(text: str, width: int, height: int) -> Picture:
    size = round(height * 0.62)
    shown = shortened(text, size, width - 2 * size, bold=True)
    return _drawn([shown], width, height, size, (_BANNER, _INK), bold=True)


@functools.lru_cache(maxsize=16)
def _clock(text: str, height: int, ink: Colour) -> Picture:
    """As wide as the text with the widest digits, so that its box does not breathe."""
    size = round(height * 0.52)
    widest = "".join("0" if c.isdigit() else c for c in text)
    width = (round(font(size).getlength(widest) + size * 1.4) + 1) & ~1
    return _drawn([text], width, height, size, (_CLOCK, ink), bold=False)


@functools.lru_cache(maxsize=16)
def _foot(text: str, width: int, line: int) -> Picture:
    size = round(line * 0.58)
    lines = wrapped(text, size, width - 2 * size, MAX_LINES)
    height = (round(size * (1.32 * len(lines) + 0.5)) + 1) & ~1
    return _drawn(lines, width, height, size, (_FOOT, _INK), bold=False)


def wrapped(text: str, size: int, width: int, max_lines: int) -> list[str]:
    """`text` in lines at most `width` pixels wide, broken anywhere as Chinese is; what is too much
    ends in an ellipsis."""
    face = font(size)
    lines: list[str] = []
    while text and len(lines) < max_lines - 1:
        end = len(text)
        while end > 1 and face.getlength(text[:end]) > width:
            end -= 1
        lines.append(text[:end].strip())
        text = text[end:].lstrip()
    if text:
        lines.append(shortened(text, size, width))
    return lines
