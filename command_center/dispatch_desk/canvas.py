"""A page to draw on: the hall's colours, Chinese type, text cut to its width."""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIMPLIFIED_CHINESE = 2  # in the Noto Sans CJK collections: JP, KR, SC, TC, HK
SYSTEM_FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
WHEEL = "noto_cjk_sans_otc"

GROUND, SURFACE, RAISED, LINE = "#0B1B2B", "#12263A", "#1A3149", "#2B4560"
TEXT, MUTED, LAND, SEA, BORDER = "#E6EDF3", "#A3B5C7", "#16304A", "#0A1623", "#46688A"
ACCENT, ORANGE, YELLOW, RED, GREEN, BLUE, VIOLET = (
    "#2F81F7",
    "#F0883E",
    "#E3B341",
    "#F85149",
    "#56D364",
    "#58A6FF",
    "#B48CF2",
)

Box = tuple[float, float, float, float]
Point = tuple[float, float]


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Chinese type `size` pixels high: the system's, else that of the wheel."""
    path = SYSTEM_FONT
    if not path.is_file():
        path = Path(str(importlib.resources.files(WHEEL).joinpath(SYSTEM_FONT.name)))
    return ImageFont.truetype(str(path), size, index=SIMPLIFIED_CHINESE)


class Canvas:
    """One picture being drawn."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width, height), GROUND)
        self._draw = ImageDraw.Draw(self.image)

    def box(self, box: Box, fill: str, *, outline: str | None = None, radius: int = 0) -> None:
        self._draw.rounded_rectangle(box, radius, fill, outline)

    def line(self, points: Sequence[Point], fill: str, width: int = 1) -> None:
        if len(points) > 1:
            self._draw.line(list(points), fill, width, joint="curve")

    def polygon(self, points: Sequence[Point], fill: str, outline: str) -> None:
        if len(points) > 2:
            self._draw.polygon(list(points), fill, outline)

    def dot(self, at: Point, radius: float, fill: str, outline: str = TEXT) -> None:
        x, y = at
        self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill, outline, 2)

    def text(
        self,
        at: Point,
        words: str,
        size: int,
        fill: str = TEXT,
        *,
        width: float | None = None,
        anchor: str = "la",
        halo: str | None = None,
    ) -> float:
        """Write one line, cut to `width` with an ellipsis; returns the pixels it took."""
        face = font(size)
        shown = " ".join(words.split())
        if width is not None and face.getlength(shown) > width:
            while shown and face.getlength(shown + "…") > width:
                shown = shown[:-1]
            shown += "…"
        self._draw.text(
            at,
            shown,
            fill,
            face,
            anchor,
            stroke_width=3 if halo else 0,
            stroke_fill=halo,
        )
        return face.getlength(shown)
