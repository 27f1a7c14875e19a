"""Composes the programme: one canvas of YUV planes that several legs share.

What has not changed since the last picture is not drawn again: a tile is rescaled only when its
source or its captions changed, a strip copied only when it or a tile under it did.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import cv2

from . import words
from .caption import alarm_badge, name_caption, placeholder
from .layouts import (
    CANVAS_HEIGHT,
    CANVAS_WIDTH,
    PICTURE_IN_PICTURE,
    Pane,
    arrangement_for,
    fitted,
    panes_of,
)
from .overlay import Overlay, Strip, strips
from .picture import Picture, blank, fill, scale_into, view

log = logging.getLogger(__name__)

_GROUND = (34, 138, 122)
_BARS = (16, 128, 128)
_SPEAKING = (170, 84, 70)
_INSET_EDGE = (190, 128, 128)
_BORDER = 4
_LINE = 2  # of each pane's own edge: neighbours are four pixels apart


class PaneState(Enum):
    EMPTY = "empty"
    ABSENT = "absent"  # a member without a leg: the desk says why
    WAITING = "waiting"  # the leg has not come up yet
    LIVE = "live"
    INTERRUPTED = "interrupted"  # it was up and its picture stopped
    LOST = "lost"  # nothing at all comes from it
    NO_CAMERA = "no_camera"  # up, and has sent no picture for a while
    AUDIO_ONLY = "audio_only"  # up, and has no picture to send


_NOTES = {
    PaneState.WAITING: words.WAITING,
    PaneState.INTERRUPTED: words.INTERRUPTED,
    PaneState.LOST: words.LOST,
    PaneState.NO_CAMERA: words.NO_CAMERA,
    PaneState.AUDIO_ONLY: words.AUDIO_ONLY,
}
_ALARMING = frozenset({PaneState.INTERRUPTED, PaneState.LOST})


@dataclass(frozen=True, slots=True)
class PaneView:
    """What one pane shows now. `serial` changes whenever `picture` does.

    `note` is why there is no picture, where `state` does not say it.
    """

    state: PaneState = PaneState.EMPTY
    name: str = ""
    picture: Picture | None = None
    serial: int = 0
    is_muted: bool = False
    is_speaking: bool = False
    note: str = ""

    @property
    def drawing_key(self) -> tuple[object, ...]:
        """Equal keys draw equal panes."""
        shown = self.serial if self.picture is not None else None
        return self.state, self.name, shown, self.is_muted, self.is_speaking, self.note

    @property
    def reason(self) -> str:
        """What stands under the name where there is no picture."""
        note = self.note or _NOTES.get(self.state, "")
        if not self.is_muted:
            return note
        return note + words.BETWEEN + words.MUTED_BY_DESK if note else words.MUTED_BY_DESK


class Compositor:
    """Holds the canvas of one programme. Use it from one thread at a time."""

    def __init__(
        self, width: int = CANVAS_WIDTH, height: int = CANVAS_HEIGHT, *, is_drill: bool = False
    ) -> None:
        self.canvas = blank(width, height, _GROUND)
        self.is_drill = is_drill
        self.tiles_drawn = 0
        self._plan: tuple[object, ...] | None = None
        self._panes: list[Pane] = []
        self._drawn: list[tuple[object, ...] | None] = []
        self._written: tuple[object, ...] = ()
        self._strips: list[Strip] = []
        self._has_names = True

    def compose(
        self,
        views: Sequence[PaneView],
        title: str = "",
        *,
        arrangement: str | None = None,
        overlay: Overlay | None = None,
    ) -> Picture:
        """Draw one picture; without `arrangement` the number of views chooses it.

        With nobody in any pane the picture is the slate with `title`. The canvas returned is
        drawn over by the next call.
        """
        if all(shown.state is PaneState.EMPTY for shown in views):
            views = [PaneView(PaneState.ABSENT, title, note=words.EMPTY_CONFERENCE)]
            arrangement = None
        elif arrangement == PICTURE_IN_PICTURE and views[1].state is PaneState.EMPTY:
            views, arrangement = views[:1], None
        has_new_strips = self._write(overlay or Overlay())
        self._arrange(arrangement or arrangement_for(len(views)))
        touched: list[Pane] = []
        empty = [PaneView()] * (len(self._panes) - len(views))
        for index, (pane, shown) in enumerate(zip(self._panes, [*views, *empty], strict=True)):
            is_covered = any(pane.overlaps(below) for below in touched)  # an inset
            if self._drawn[index] != shown.drawing_key or is_covered:
                self._draw(pane, shown, is_inset=self._is_inset(index))
                self._drawn[index] = shown.drawing_key
                touched.append(pane)
        for strip in self._strips:
            if has_new_strips or any(strip.area.overlaps(pane) for pane in touched):
                scale_into(strip.picture, view(self.canvas, strip.area))
        return self.canvas

    def _write(self, overlay: Overlay) -> bool:
        """Whether what is written over the panes is new."""
        written = (overlay, self.is_drill)
        if written == self._written:
            return False
        self._written = written
        self._has_names = overlay.names
        width, height = self.canvas.width, self.canvas.height
        self._strips = strips(overlay, width, height, is_drill=self.is_drill)
        return True

    def _arrange(self, arrangement: str) -> None:
        """Begin anew where panes lie elsewhere, or strips: a strip that goes leaves no trace."""
        plan = (arrangement, self._has_names, *(strip.area for strip in self._strips))
        if plan == self._plan:
            return
        self._plan = plan
        self._panes = panes_of(arrangement, self.canvas.width, self.canvas.height)
        self._drawn = [None] * len(self._panes)
        fill(self.canvas, Pane(0, 0, self.canvas.width, self.canvas.height), _GROUND)

    def _is_inset(self, index: int) -> bool:
        return index > 0 and self._plan is not None and self._plan[0] == PICTURE_IN_PICTURE

    def _draw(self, pane: Pane, shown: PaneView, *, is_inset: bool) -> None:
        self.tiles_drawn += 1
        if shown.picture is None:
            reason, is_alarm = shown.reason, shown.state in _ALARMING
            card = placeholder(shown.name, reason, pane.width, pane.height, alarm=is_alarm)
            scale_into(card, view(self.canvas, pane))
        else:
            self._draw_picture(pane, shown.picture)
            self._draw_marks(pane, shown)
        if len(self._panes) == 1:
            return
        if shown.is_speaking:
            self._draw_border(pane, _SPEAKING, _BORDER)
        else:
            self._draw_border(pane, _INSET_EDGE if is_inset else _GROUND, _LINE)

    def _draw_marks(self, pane: Pane, shown: PaneView) -> None:
        """Name and badges, clear of the strips that will lie over the pane."""
        tile = view(self.canvas, pane)
        over = [strip for strip in self._strips if strip.area.overlaps(pane)]
        name = shown.name if self._has_names else ""
        if name or shown.is_muted:
            foot = pane.y + pane.height
            lift = max((foot - strip.area.y for strip in over if not strip.is_on_top), default=0)
            caption = name_caption(name, pane.width, pane.height, muted=shown.is_muted, lift=lift)
            caption.blend(tile)
        if shown.state in _ALARMING:
            feet = (strip.area.y + strip.area.height for strip in over if strip.is_on_top)
            top = max((foot - pane.y for foot in feet), default=0)
            alarm_badge(_NOTES[shown.state], pane.width, pane.height, top).blend(tile)

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

    def _draw_border(self, pane: Pane, colour: tuple[int, int, int], thickness: int) -> None:
        x, y, width, height = pane.x, pane.y, pane.width, pane.height
        for edge in (
            Pane(x, y, width, thickness),
            Pane(x, y + height - thickness, width, thickness),
            Pane(x, y, thickness, height),
            Pane(x + width - thickness, y, thickness, height),
        ):
            fill(self.canvas, edge, colour)
