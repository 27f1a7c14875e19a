"""Events of conferences and legs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .words import Body, CloseReason, MediaKind


class LegUp(Body):
    """Media of the leg flows (again)."""

    type: Literal["leg.up"] = "leg.up"
    conference_id: str
    leg_id: str


class LegLost(Body):
    """The leg fell silent although its direction sends; it is freed if it stays so."""

    type: Literal["leg.lost"] = "leg.lost"
    conference_id: str
    leg_id: str
    silent_s: float
    detail: str | None = Field(default=None, description="stable code, e.g. camera_unreachable")


class LegClosed(Body):
    type: Literal["leg.closed"] = "leg.closed"
    conference_id: str
    leg_id: str
    reason: CloseReason
    detail: str | None = None


class DtmfPressed(Body):
    type: Literal["dtmf"] = "dtmf"
    conference_id: str
    leg_id: str
    digit: str


class KeyframeWanted(Body):
    """Ask the far end by signalling: it takes no RTCP feedback."""

    type: Literal["keyframe_wanted"] = "keyframe_wanted"
    conference_id: str
    leg_id: str
    media: MediaKind = "video"


class ContentFlowing(Body):
    """The presenter's first picture of content has come: it is sent to all from now on."""

    type: Literal["content.flowing"] = "content.flowing"
    conference_id: str
    leg_id: str
    width: int
    height: int


class ContentStopped(Body):
    """Content is not shown any more: `cleared` by `content.set`, the presenter's leg `left`."""

    type: Literal["content.stopped"] = "content.stopped"
    conference_id: str
    leg_id: str
    reason: Literal["cleared", "left"]
