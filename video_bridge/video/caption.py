"""Text drawn once, as YUV patches with an alpha that compositors blend into their canvas."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from . import words
from .fonts import font, has_glyph
from .layouts import Pane
from .picture import Picture, from_rgb, plane_areas, planes

_INK = (255, 255, 255, 255)
_BAR = (8, 16, 30, 176)
_ALARM = (196, 32, 32, 235)
_MUTED = (236, 92, 80, 255)
_DRILL_GROUND = (178, 18, 18)
_CARD_TOP = (26, 44, 72)
_CARD_BOTTOM = (12, 22, 40)
_CARD_QUIET = (146, 166, 196, 255)
_CARD_ALARM = (255, 120, 104, 255)


@dataclass(frozen=True, slots=True)
class Patch:
    """A drawing at an even (x, y) of its pane, already weighted by its alpha (0 to 256)."""

    area: Pane
    weighted: tuple[NDArray[np.uint16], ...]
    remaining: tuple[NDArray[np.uint16], ...]

    def blend(self, target: Picture) -> None:
        """Draw the patch into `target`, of which it must be wholly a part."""
        parts = zip(planes(target), plane_areas(self.area), strict=True)
        for (plane, part), ink, rest in zip(parts, self.weighted, self.remaining, strict=True):
            under = plane[part].astype(np.uint16)
            plane[part] = (under * rest + ink) >> 8


def _patch(image: Image.Image, x: int, y: int) -> Patch:
    rgba = np.asarray(image, dtype=np.uint8)
    height, width = rgba.shape[:2]
    picture = from_rgb(np.ascontiguousarray(rgba[:, :, :3]))
    alpha = np.ascontiguousarray(rgba[:, :, 3])
    half = np.asarray(
        cv2.resize(alpha, (width // 2, height // 2), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )
    # Of 256 rather than 255: the sum stays within 16 bits and is divided by a shift.
    alphas = tuple(
        (plane.astype(np.uint32) * 257 >> 8).astype(np.uint16) for plane in (alpha, half, half)
    )
    weighted = tuple(
        plane.astype(np.uint16) * weight
        for plane, weight in zip(planes(picture), alphas, strict=True)
    )
    remaining = tuple((256 - weight).astype(np.uint16) for weight in alphas)
    return Patch(Pane(x, y, width, height), weighted, remaining)


def shortened(text: str, size: int, width: int, *, bold: bool = False) -> str:
    """`text` cut with an ellipsis so that it is at most `width` pixels wide at this size."""
    face = font(size, bold=bold)
    if face.getlength(text) <= width:
        return text
    while text and face.getlength(text + words.ELLIPSIS) > width:
        text = text[:-1]
    return text + words.ELLIPSIS


@functools.lru_cache(maxsize=1024)
def printable(text: str) -> str:
    """One line without control, bidirectional or private characters.

    A character that the font has not is shown by its number: as a box, two villages look alike.
    """
    one_line = "".join(c for c in " ".join(text.split()) if c.isprintable())
    return "".join(c if has_glyph(c) else words.code_point(c) for c in one_line)


def caption_size(pane_height: int) -> int:
    """Letter height in a pane of this height: legible on a wall and in a thumbnail."""
    return max(16, min(30, round(pane_height * 0.06)))


def _even(value: float) -> int:
    return (int(value) + 1) & ~1


def _label(
    text: str, size: int, ground: tuple[int, int, int, int], *, bold: bool, muted: bool = False
) -> Image.Image:
    face = font(size, bold=bold)
    pad = round(size * 0.55)
    icon = round(size * 1.25) if muted else 0
    width = _even(face.getlength(text) + 2 * pad + icon)
    height = _even(size * 1.62)
    big = Image.new("RGBA", (width * 2, height * 2), (*ground[:3], 0))
    ImageDraw.Draw(big).rounded_rectangle(
        (0, 0, width * 2 - 1, height * 2 - 1), radius=size * 0.7, fill=ground
    )
    image = big.resize((width, height), Image.Resampling.BOX)
    solid = Image.new("RGBA", (width, height), (*ground[:3], 255))
    ink = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(ink)
    draw.text((pad + icon, height / 2), text, fill=255, font=face, anchor="lm")
    coloured = Image.composite(Image.new("RGBA", (width, height), _INK), solid, ink)
    coloured.putalpha(_lighter(image.getchannel("A"), ink))
    if muted:
        _draw_muted(coloured, pad, height, size)
    return coloured


def _lighter(a: Image.Image, b: Image.Image) -> Image.Image:
    return Image.fromarray(np.maximum(np.asarray(a), np.asarray(b)))


def _draw_muted(image: Image.Image, left: int, height: int, size: int) -> None:
    """A microphone with a stroke through it, as wide as a letter."""
    draw = ImageDraw.Draw(image)
    middle, centre = height / 2, left + size * 0.42
    line = max(2, size // 10)
    body = size * 0.16
    draw.rounded_rectangle(
        (centre - body, middle - size * 0.46, centre + body, middle + size * 0.1),
        radius=body,
        fill=_MUTED,
    )
    draw.arc(
        (centre - size * 0.3, middle - size * 0.3, centre + size * 0.3, middle + size * 0.27),
        0,
        180,
        fill=_MUTED,
        width=line,
    )
    draw.line((centre, middle + size * 0.27, centre, middle + size * 0.46), fill=_MUTED, width=line)
    draw.line(
        (centre - size * 0.36, middle - size * 0.42, centre + size * 0.36, middle + size * 0.42),
        fill=_INK,
        width=line,
    )


@functools.lru_cache(maxsize=256)
def name_caption(
    name: str, pane_width: int, pane_height: int, *, muted: bool = False, lift: int = 0
) -> Patch:
    """The site's name at the lower left of its pane, with a struck microphone when muted.

    `lift` is how much of the pane's foot is covered by something else. Without a name it is the
    microphone alone.
    """
    size = caption_size(pane_height)
    margin = max(6, pane_height // 40) & ~1
    room = pane_width - 2 * margin - round(size * 2.6)
    image = _label(shortened(printable(name), size, room), size, _BAR, bold=False, muted=muted)
    return _patch(image, margin, (pane_height - image.height - margin - lift) & ~1)


@functools.lru_cache(maxsize=32)
def alarm_badge(text: str, pane_width: int, pane_height: int, top: int = 0) -> Patch:
    """The mark on a picture that has stopped, at the upper right, `top` pixels lower if given."""
    image = _label(text, caption_size(pane_height), _ALARM, bold=True)
    margin = max(6, pane_height // 40) & ~1
    return _patch(image, (pane_width - image.width - margin) & ~1, margin + (top & ~1))


@functools.lru_cache(maxsize=40)  # of up to 1.4 MB each
def placeholder(name: str, note: str, width: int, height: int, *, alarm: bool = False) -> Picture:
    """What stands in a pane without a picture: the site's name, and why in a word."""
    shade = np.linspace(0.0, 1.0, height)[:, None, None]
    ground = np.array(_CARD_TOP) * (1 - shade) + np.array(_CARD_BOTTOM) * shade
    rgb = np.broadcast_to(ground, (height, width, 3)).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(rgb)).convert("RGBA")
    draw = ImageDraw.Draw(image)
    size = max(18, min(54, round(height * 0.092)))
    title = shortened(printable(name), size, round(width * 0.9), bold=True)
    small = max(14, round(size * 0.56))
    note = shortened(printable(note), small, round(width * 0.9))
    offset = size * 0.42 if note else 0
    draw.text(
        (width / 2, height / 2 - offset), title, fill=_INK, font=font(size, bold=True), anchor="mm"
    )
    if note:
        draw.text(
            (width / 2, height / 2 + size * 0.78),
            note,
            fill=_CARD_ALARM if alarm else _CARD_QUIET,
            font=font(small),
            anchor="mm",
        )
    return from_rgb(np.ascontiguousarray(np.asarray(image)[:, :, :3]))


@functools.lru_cache(maxsize=8)
def drill_stripe(width: int, height: int = 28) -> Picture:
    """The opaque stripe that says 演练 over the whole width of every picture of a drill."""
    image = Image.new("RGB", (width, height), _DRILL_GROUND)
    draw = ImageDraw.Draw(image)
    slant = height
    for left in range(-height, width, height * 6):
        draw.polygon(
            (
                (left, height),
                (left + slant, 0),
                (left + slant + height // 2, 0),
                (left + height // 2, height),
            ),
            fill=(228, 168, 24),
        )
        draw.text(
            (left + height * 3.6, height / 2),
            " ".join(words.DRILL),
            fill=(255, 255, 255),
            font=font(round(height * 0.68), bold=True),
            anchor="mm",
        )
    return from_rgb(np.asarray(image, dtype=np.uint8))
