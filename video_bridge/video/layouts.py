"""Where the panes of a picture lie and who sits in them: pure geometry, no pixels.

Every pane is 16:9 within a pixel, has even edges (4:2:0 chroma) and overlaps no other; only the
inset of picture-in-picture lies over its main pane. Pane 0 is the one that matters most: where
panes differ in size it is the largest. Arrangements 1, 4, 1+5, 1+7, 9, 13, 16, 25 and pip cover
the canvas wholly; 2, 3 and 20 leave ground that no picture of this shape could fill.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CANVAS_WIDTH = 1280
CANVAS_HEIGHT = 720
PICTURE_IN_PICTURE = "pip"


@dataclass(frozen=True, slots=True)
class Pane:
    """A rectangle of the canvas in pixels; all four numbers are even."""

    x: int
    y: int
    width: int
    height: int

    def overlaps(self, other: Pane) -> bool:
        """Whether any pixel belongs to both."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


Cell = tuple[int, int, int]  # x, y, size: w units wide are w units high, so each is exactly 16:9


def _grid(columns: int, rows: int, size: int = 1, top: int = 0) -> tuple[Cell, ...]:
    return tuple((c * size, top + r * size, size) for r in range(rows) for c in range(columns))


def _around(units: int, large: Cell) -> tuple[Cell, ...]:
    """One large cell, then every small one that it leaves free, in reading order."""
    left, top, size = large
    free = (
        (x, y, 1)
        for x, y, _ in _grid(units, units)
        if not (left <= x < left + size and top <= y < top + size)
    )
    return (large, *free)


# Canvas edge in units, then the cells.
_ARRANGED: dict[str, tuple[int, tuple[Cell, ...]]] = {
    "1": (1, _grid(1, 1)),
    "2": (4, _grid(2, 1, 2, top=1)),
    "3": (4, ((0, 0, 2), (2, 0, 2), (1, 2, 2))),
    "4": (2, _grid(2, 2)),
    "1+5": (3, _around(3, (0, 0, 2))),
    "1+7": (4, _around(4, (0, 0, 3))),
    "9": (3, _grid(3, 3)),
    "13": (4, _around(4, (1, 1, 2))),
    "16": (4, _grid(4, 4)),
    "20": (10, _grid(5, 4, 2, top=1)),
    "25": (5, _grid(5, 5)),
    PICTURE_IN_PICTURE: (20, ((0, 0, 20), (14, 14, 5))),
}
ARRANGEMENTS = tuple(_ARRANGED)
AUTOMATIC = tuple(name for name in ARRANGEMENTS if name != PICTURE_IN_PICTURE)
MAX_PANES = 25


def pane_count(arrangement: str) -> int:
    """How many panes it has. Raises ValueError."""
    return len(_cells(arrangement)[1])


def _cells(arrangement: str) -> tuple[int, tuple[Cell, ...]]:
    if arrangement not in _ARRANGED:
        raise ValueError(f"no arrangement {arrangement!r}")
    return _ARRANGED[arrangement]


def arrangement_for(panes: int) -> str:
    """The smallest arrangement with at least `panes` panes; 25 where none has so many."""
    return next((name for name in AUTOMATIC if pane_count(name) >= panes), AUTOMATIC[-1])


def panes_of(
    arrangement: str, width: int = CANVAS_WIDTH, height: int = CANVAS_HEIGHT
) -> list[Pane]:
    """The panes of an arrangement, most important first.

    `width` and `height` are the canvas in pixels, both even. Neighbours share their edge: who
    draws them keeps them apart. Raises ValueError for an unknown arrangement.
    """
    units, cells = _cells(arrangement)
    panes = []
    for x, y, size in cells:
        left, right = _cut(x, units, width), _cut(x + size, units, width)
        top, bottom = _cut(y, units, height), _cut(y + size, units, height)
        panes.append(Pane(left, top, right - left, bottom - top))
    return panes


def _cut(position: int, units: int, length: int) -> int:
    """The even pixel nearest to a line of the grid."""
    return (2 * position * (length // 2) + units) // (2 * units) * 2


@dataclass(frozen=True, slots=True)
class Layout:
    """What the desk asked for; `arrangement` None chooses by how many there are.

    `seats` None fills panes in order of joining. `follows_voice` gives pane 0 to who speaks.
    """

    arrangement: str | None = None
    seats: tuple[str | None, ...] | None = None
    follows_voice: bool = False


@dataclass(frozen=True, slots=True)
class Seating:
    """What the picture looks like now: one seat for each pane of `arrangement`, None is empty."""

    arrangement: str
    seats: tuple[str | None, ...]


def seated(layout: Layout, publishing: Sequence[str], speaker: str | None = None) -> Seating:
    """Who sits where. `publishing` are the legs with a picture in the order of joining.

    Explicit seats win over that order and over the voice; fewer seats than panes leave the rest
    empty, more are not shown.
    """
    wanted = publishing if layout.seats is None else layout.seats
    arrangement = layout.arrangement or arrangement_for(len(wanted))
    count = pane_count(arrangement)
    seats: list[str | None] = [*wanted[:count]]
    seats += [None] * (count - len(seats))
    if layout.follows_voice:
        is_fixed = layout.seats is not None
        _give_to_speaker(seats, publishing, speaker, is_fixed=is_fixed)
    return Seating(arrangement, tuple(seats))


def _give_to_speaker(
    seats: list[str | None], publishing: Sequence[str], speaker: str | None, *, is_fixed: bool
) -> None:
    """Pane 0 to the speaker: he changes places with who sits there, all others stay."""
    if is_fixed:
        if seats[0] is None:
            waiting = (leg for leg in publishing if leg not in seats)
            seats[0] = speaker if speaker in publishing else next(waiting, None)
        return
    if speaker not in publishing:
        return
    if speaker in seats:
        seats[seats.index(speaker)] = seats[0]
    seats[0] = speaker


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
