"""Composes the programme: one canvas of YUV planes that several legs share.

What has not changed since the last picture is not drawn again: a tile is rescaled only when its
source or its captions changed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import cv2

from . import words
from .caption import drill_stripe, interrupted_badge, name_caption, placeholder
from .layouts import CANVAS_HEIGHT, CANVAS_WIDTH, Pane, fitted, panes_for
from .picture import Picture, blank, fill, scale_into, view

log = logging.getLogger(__name__)

_GROUND = (20, 132, 126)
_BARS = (16, 128, 128)
_SPEAKING = (170, 84, 70)
_BORDER = 4
_STRIPE_HEIGHT = 28


class PaneState(Enum):
    EMPTY = "empty"
    WAITING = "waiting"  # the leg has not come up yet
    LIVE = "live"
    INTERRUPTED = "interrupted"  # it was up and its picture stopped
    NO_CAMERA = "no_camera"  # up, and has sent no picture for a while


@dataclass(frozen=True, slots=True)
class PaneView:
    """What one pane shows now. `serial` changes whenever `picture` does."""

    state: PaneState = PaneState.EMPTY
    name: str = ""
    picture: Picture | None = None
    serial: int = 0
    is_muted: bool = False
    is_speaking: bool = False

    @property
    def drawing_key(self) -> tuple[object, ...]:
        """Equal keys draw equal panes."""
        shown = self.serial if self.picture is not None else None
        return self.state, self.name, shown, self.is_muted, self.is_speaking


class Compositor:
    """Holds the canvas of one programme. Use it from one thread at a time."""

    def __init__(
        self, width: int = CANVAS_WIDTH, height: int = CANVAS_HEIGHT, *, is_drill: bool = False
    ) -> None:
        self.canvas = blank(width, height, _GROUND)
        self.is_drill = is_drill
        self.tiles_drawn = 0
        self._panes: list[Pane] = []
        self._drawn: list[tuple[object, ...] | None] = []
        self._title: str | None = None
        self._had_stripe = False

    def compose(self, views: Sequence[PaneView], title: str = "") -> Picture:
        """Draw one picture; `len(views)` (1 to 9) chooses the layout.

        With nobody in any pane the picture is the slate with `title`. The canvas returned is
        drawn over by the next call.
        """
        if all(shown.state is PaneState.EMPTY for shown in views):
            self._compose_slate(title)
            return self.canvas
        if len(views) != len(self._panes) or self._had_stripe != self.is_drill:
            self._start(len(views))
        top_changed = self._title is not None
        self._title = None
        for index, (pane, shown) in enumerate(zip(self._panes, views, strict=True)):
            if self._drawn[index] != shown.drawing_key:
                self._draw(pane, shown, bordered=len(views) > 1)
                self._drawn[index] = shown.drawing_key
                top_changed = top_changed or pane.y < _STRIPE_HEIGHT
        if self.is_drill and top_changed:
            self._draw_stripe()
        return self.canvas

    def _start(self, count: int) -> None:
        self._panes = panes_for(count, self.canvas.width, self.canvas.height)
        self._drawn = [None] * count
        fill(self.canvas, self._whole, _GROUND)
        self._had_stripe = self.is_drill
        self._title = ""

    @property
    def _whole(self) -> Pane:
        return Pane(0, 0, self.canvas.width, self.canvas.height)

    def _compose_slate(self, title: str) -> None:
        if self._title == title and not self._panes and self._had_stripe == self.is_drill:
            return
        self._panes, self._drawn = [], []
        self._title = title
        self._had_stripe = self.is_drill
        note = words.EMPTY_CONFERENCE
        scale_into(placeholder(title, note, self.canvas.width, self.canvas.height), self.canvas)
        if self.is_drill:
            self._draw_stripe()

    def _draw_stripe(self) -> None:
        area = Pane(0, 0, self.canvas.width, _STRIPE_HEIGHT)
        scale_into(drill_stripe(self.canvas.width, _STRIPE_HEIGHT), view(self.canvas, area))

    def _draw(self, pane: Pane, shown: PaneView, *, bordered: bool) -> None:
        self.tiles_drawn += 1
        tile = view(self.canvas, pane)
        if shown.state is PaneState.EMPTY:
            fill(self.canvas, pane, _GROUND)
            return
        if shown.picture is None:
            note, alarm = _note(shown.state)
            scale_into(placeholder(shown.name, note, pane.width, pane.height, alarm=alarm), tile)
        else:
            self._draw_picture(pane, shown.picture)
            name_caption(shown.name, pane.width, pane.height, muted=shown.is_muted).blend(tile)
            if shown.state is PaneState.INTERRUPTED:
                covered = max(0, _STRIPE_HEIGHT - pane.y) if self.is_drill else 0
                interrupted_badge(pane.width, pane.height, covered).blend(tile)
        if shown.is_speaking and bordered:
            self._draw_border(pane)

    def _draw_picture(self, pane: Pane, picture: Picture) -> None:
        if min(picture.width, picture.height) < 2:
            fill(self.canvas, pane, _BARS)
            return
        part = fitted(picture.width, picture.height, pane)
        if part != pane:
            fill(self.canvas, pane, _BARS)
        try:
            scale_into(picture, view(self.canvas, part))
        except (cv2.error, ValueError):
            log.warning("a picture of %d x %d cannot be drawn", picture.width, picture.height)
            fill(self.canvas, pane, _BARS)

    def _draw_border(self, pane: Pane) -> None:
        x, y, width, height = pane.x, pane.y, pane.width, pane.height
        for edge in (
            Pane(x, y, width, _BORDER),
            Pane(x, y + height - _BORDER, width, _BORDER),
            Pane(x, y, _BORDER, height),
            Pane(x + width - _BORDER, y, _BORDER, height),
        ):
            fill(self.canvas, edge, _SPEAKING)


def _note(state: PaneState) -> tuple[str, bool]:
    if state is PaneState.INTERRUPTED:
        return words.INTERRUPTED, True
    if state is PaneState.NO_CAMERA:
        return words.NO_CAMERA, False
    return words.WAITING, False
