"""A conference: open, close, what is seen, what is written over it, whose content is shown."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .words import Body, View


class ConferenceOpen(Body):
    """Idempotent: opening an open conference updates its title and mark."""

    type: Literal["conference.open"] = "conference.open"
    conference_id: str
    title: str = Field(max_length=200)
    is_drill: bool = Field(default=False, description="draws the 演练 stripe on every picture")


class ConferenceClose(Body):
    type: Literal["conference.close"] = "conference.close"
    conference_id: str


Arrangement = Literal[
    "auto", "1", "2", "3", "4", "1+5", "1+7", "9", "13", "16", "20", "25", "pip"
]  # fmt: skip


class SpeakerSwitch(Body):
    """声控切换: pane 0 follows the loudest site, unless a seat is fixed there."""

    sensitivity_db: float = Field(
        default=25.0, ge=0, le=60, description="how far below full speech (-20 dBov) still counts"
    )
    hold_s: float = Field(default=3.0, ge=0, le=60, description="least time between two switches")


class LayoutSet(Body):
    """Which legs are seen, and how large. `seats[i]` is who sits in pane i, None an empty pane.

    A seat is a leg id, or the `seat_id` of a `placeholders.set` for a member without a leg. With
    `seats=None` the node fills panes in the order in which publishing legs were added. Without
    arrangement and panes it chooses the smallest arrangement that holds all. `arrangement` wins
    over `panes`, which means the smallest arrangement with at least so many.

    Halls and chair have a layout each; until the chair's is set, it sees the halls'.
    """

    type: Literal["layout.set"] = "layout.set"
    conference_id: str
    view: View = "hall"
    arrangement: Arrangement | None = None
    panes: int | None = Field(default=None, ge=1, le=25, description="1 to 25; None: automatic")
    seats: list[str | None] | None = Field(default=None, max_length=25)
    speaker: SpeakerSwitch | None = Field(default=None, description="None: nobody is followed")


class OverlaySet(Body):
    """What is written over pictures: names, 横幅 and 短消息 for all, the clocks for the chair only.

    Each call replaces the whole; an empty text takes it away.
    """

    type: Literal["overlay.set"] = "overlay.set"
    conference_id: str
    banner: str = Field(default="", max_length=60, description="横幅, on top")
    message: str = Field(default="", max_length=120, description="短消息, at the foot, two lines")
    clock: bool = Field(default=False, description="Beijing time, in the chair's view only")
    countdown_to_ms: int | None = Field(
        default=None, description="milliseconds since 1970 counted down to, chair's view only"
    )
    names: bool = Field(default=True, description="名称字幕: site names in the panes")


class Placeholder(Body):
    """A member without a leg: what its pane says."""

    seat_id: str = Field(max_length=64)
    name: str = Field(max_length=120)
    note: str = Field(default="", max_length=40, description="e.g. 未入会, 呼叫中")


class PlaceholdersSet(Body):
    """Who may sit in a pane without a leg. Each call replaces the whole list."""

    type: Literal["placeholders.set"] = "placeholders.set"
    conference_id: str
    items: list[Placeholder] = Field(max_length=2000)


class ContentSet(Body):
    """Whose second stream is shown to all; None: nobody's, and what others send is not decoded.

    The roof owns the one content token and names its holder here. The same again changes nothing.
    Errors: `leg_unknown`, `content_not_negotiated` (the leg sends no content).
    """

    type: Literal["content.set"] = "content.set"
    conference_id: str
    leg_id: str | None = None


class PictureGet(Body):
    """A JPEG of a view as it is now, or as `preview` would make it, base64 in the reply."""

    type: Literal["picture"] = "picture"
    conference_id: str
    width: int = Field(default=640, ge=64, le=1280)
    view: View = "hall"
    preview: LayoutSet | None = Field(default=None, description="shown to nobody, changes nothing")


class Picture(Body):
    jpeg_base64: str
    width: int
    height: int
