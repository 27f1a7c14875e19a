"""Where the panes of a picture lie: pure geometry, no pixels.

Every pane is 16:9 within rounding, has even edges (4:2:0 chroma) and never overlaps another. Pane
0 is the one that matters most: where panes differ in size it is the largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CANVAS_WIDTH = 1280
CANVAS_HEIGHT = 720
GAP = 4
AUTOMATIC_PANES = (1, 2, 4, 6, 9)
MAX_PANES = 9


@dataclass(frozen=True, slots=True)
class Pane:
    """A rectangle of the canvas in pixels; all four numbers are even."""

    x: int
    y: int
    width: int
    height: int


# Cells as (x, y, width, height) on a canvas of 12 by 12 units; a cell w units wide is w units
# high, so that each is exactly 16:9 on a 16:9 canvas.
_CELLS: dict[int, tuple[tuple[int, int, int], ...]] = {
    1: ((0, 0, 12),),
    2: ((0, 3, 6), (6, 3, 6)),
    3: ((0, 0, 6), (6, 0, 6), (3, 6, 6)),
    4: ((0, 0, 6), (6, 0, 6), (0, 6, 6), (6, 6, 6)),
    5: ((0, 1, 6), (6, 1, 6), (0, 7, 4), (4, 7, 4), (8, 7, 4)),
    6: ((0, 0, 8), (8, 0, 4), (8, 4, 4), (0, 8, 4), (4, 8, 4), (8, 8, 4)),
    7: ((0, 0, 6), (6, 0, 6), (0, 6, 6), (6, 6, 3), (9, 6, 3), (6, 9, 3), (9, 9, 3)),
    8: (
        *((0, 0, 9), (9, 0, 3), (9, 3, 3), (9, 6, 3)),
        *((0, 9, 3), (3, 9, 3), (6, 9, 3), (9, 9, 3)),
    ),
    9: tuple((4 * column, 4 * row, 4) for row in range(3) for column in range(3)),
}


def panes_for(
    count: int, width: int = CANVAS_WIDTH, height: int = CANVAS_HEIGHT, gap: int = GAP
) -> list[Pane]:
    """The panes of the layout with `count` panes, most important first.

    `count` is 1 to 9; `width` and `height` are the canvas in pixels, both even. A single pane
    fills the canvas, others keep `gap` pixels between each other. Raises ValueError.
    """
    if count not in _CELLS:
        raise ValueError(f"no layout with {count} panes")
    return [_pane(cell, width, height, gap) for cell in _CELLS[count]]


def _pane(cell: tuple[int, int, int], width: int, height: int, gap: int) -> Pane:
    x, y, size = cell
    if size == 12:
        return Pane(0, 0, width, height)
    left, right = x * width // 12, (x + size) * width // 12
    top, bottom = y * height // 12, (y + size) * height // 12
    half = gap // 2
    inner_width = right - left - 2 * half
    inner_height = inner_width * 9 // 16 & ~1
    inner_width &= ~1
    middle = (top + bottom) // 2
    return Pane((left + half) & ~1, (middle - inner_height // 2) & ~1, inner_width, inner_height)


def automatic_panes(publishing: int) -> int:
    """The smallest of the layouts 1, 2, 4, 6 (1+5) and 9 that holds `publishing` legs."""
    return next((panes for panes in AUTOMATIC_PANES if panes >= publishing), MAX_PANES)


def seat_legs(
    publishing: Sequence[str], panes: int | None, seats: Sequence[str | None] | None
) -> tuple[int, list[str | None]]:
    """How many panes the picture has and which leg sits in each; None is an empty pane.

    `publishing` are the legs with a picture in the order in which they were added. Explicit
    `seats` win over it; fewer seats than panes leave the rest empty, more are not shown.
    """
    if seats is None:
        count = panes or automatic_panes(len(publishing))
        chosen: list[str | None] = list(publishing[:count])
    else:
        count = panes or automatic_panes(len(seats))
        chosen = list(seats[:count])
    return count, chosen + [None] * (count - len(chosen))


def fitted(
    source_width: int, source_height: int, pane: Pane, ratio_tolerance: float = 0.03
) -> Pane:
    """The part of `pane` that a picture of this size fills without being distorted.

    A picture whose shape is within `ratio_tolerance` of the pane's fills it wholly.
    """
    shape = source_width / source_height
    if abs(shape - 11 / 9) < 0.002:
        shape = 4 / 3  # CIF and its kin have pixels wider than high
    if abs(shape * pane.height / pane.width - 1) <= ratio_tolerance:
        return pane
    width = min(pane.width, round(pane.height * shape)) & ~1
    height = min(pane.height, round(pane.width / shape)) & ~1
    width, height = max(width, 2), max(height, 2)
    return Pane(
        (pane.x + (pane.width - width) // 2) & ~1,
        (pane.y + (pane.height - height) // 2) & ~1,
        width,
        height,
    )
