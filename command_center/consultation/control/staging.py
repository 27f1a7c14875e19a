"""What every member sees and whose microphone is open, as it follows from the orders: pure.

Orders lie in layers: roll call over broadcast over polling over the layout, and the floor over the
desk's mutes. Nothing is overwritten, so ending a layer restores exactly what lay beneath.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from video_bridge.messages import (
    Arrangement,
    LayoutSet,
    OverlaySet,
    Placeholder,
    PlaceholdersSet,
    SpeakerSwitch,
    View,
)

from ..model import ParticipantState, Seat

Words = LayoutSet | OverlaySet | PlaceholdersSet
Muted = Literal["desk", "roll_call", "floor"]


@dataclass(frozen=True, slots=True)
class Picture:
    """One view: its arrangement, who sits where, and whether the voice switches its first pane."""

    arrangement: Arrangement | None = None
    panes: int | None = None
    seats: tuple[UUID | None, ...] | None = None
    speaker: SpeakerSwitch | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """横幅, 短消息, clock, countdown, 名称字幕."""

    banner: str = ""
    message: str = ""
    clock: bool = False
    countdown_to_ms: int | None = None
    names: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """The orders of one consultation; ids are participants'."""

    halls: Picture = Picture()
    chair: Picture | None = None
    chair_id: UUID | None = None
    broadcast_id: UUID | None = None
    is_mosaic_broadcast: bool = False
    roll_call_id: UUID | None = None
    polling_id: UUID | None = None
    polling_view: View = "hall"
    speakers: frozenset[UUID] = frozenset()
    waiting: tuple[UUID, ...] = ()  # for the floor, in order
    is_floor_exclusive: bool = False
    overlay: Overlay = field(default_factory=Overlay)

    @property
    def forced_id(self) -> UUID | None:
        """The one site that all others are made to watch."""
        return self.roll_call_id or self.broadcast_id

    @property
    def is_viewing_free(self) -> bool:
        return self.forced_id is None and not self.is_mosaic_broadcast


def alone(site: UUID) -> Picture:
    """One site, as large as the picture."""
    return Picture(arrangement="1", seats=(site,))


def hall_picture(scene: Scene) -> Picture:
    """What the halls see."""
    if scene.forced_id is not None:
        return alone(scene.forced_id)
    polled = scene.polling_id if scene.polling_view == "hall" else None
    if polled is not None and not scene.is_mosaic_broadcast:
        return alone(polled)
    return scene.halls


def chair_picture(scene: Scene) -> Picture | None:
    """What the chair's view shows; None: nobody needs a view of its own."""
    if scene.polling_id is not None and scene.polling_view == "chair":
        return alone(scene.polling_id)
    if scene.chair is not None:
        return scene.chair
    return scene.halls if scene.forced_id is not None else None


def sight(scene: Scene, me: UUID, watched: UUID | None) -> tuple[View, UUID | None]:
    """The view a member is sent, and the site that it watches alone instead.

    `watched` is the site that it chose (观看会场).
    """
    is_chair = me == scene.chair_id
    if me == scene.forced_id:
        # It would see itself: it is shown who speaks with it, or the picture that lies beneath.
        return "chair", None if is_chair else scene.chair_id
    own = watched if watched != me else None
    if is_chair:
        has_view = scene.chair is not None or _is_polled_for_chair(scene)
        return ("chair" if has_view else "hall"), own
    return "hall", own if scene.is_viewing_free else None


def _is_polled_for_chair(scene: Scene) -> bool:
    return scene.polling_id is not None and scene.polling_view == "chair"


def closed_by(scene: Scene, me: UUID, *, is_muted: bool) -> Muted | None:
    """Who keeps the member's microphone closed; None: it is open. `is_muted`: 会控闭音.

    点名 closes every microphone but the chair's and the called site's; whoever has the floor is
    heard although the desk muted it before.
    """
    by_desk: Muted | None = "desk" if is_muted else None
    if scene.roll_call_id is not None:
        if me == scene.roll_call_id:
            return None
        return by_desk if me == scene.chair_id else "roll_call"
    if me in scene.speakers:
        return None
    if scene.is_floor_exclusive and scene.speakers and me != scene.chair_id:
        return "floor"
    return by_desk


def words_for(
    scene: Scene,
    conference_id: str,
    members: Sequence[Seat],
    legs: Collection[str],
    notes: Mapping[ParticipantState, str],
) -> dict[str, Words]:
    """What the node is to be told of the conference, by key, in the order to send it.

    A seat names the member's leg; a member without one is named by a placeholder with its state.
    """
    halls, chair = hall_picture(scene), chair_picture(scene)
    named = {seat for picture in (halls, chair) if picture for seat in picture.seats or () if seat}
    seats: dict[UUID, str] = {}
    absent: list[Placeholder] = []
    for member in members:
        if member.leg_id in legs and member.leg_id is not None:
            seats[member.participant_id] = member.leg_id
        elif member.participant_id in named:
            seats[member.participant_id] = str(member.participant_id)
            note = notes.get(member.state, "")
            seat_id = str(member.participant_id)
            absent.append(Placeholder(seat_id=seat_id, name=member.name, note=note))
    overlay = scene.overlay
    words: dict[str, Words] = {
        "placeholders": PlaceholdersSet(conference_id=conference_id, items=absent),
        "layout:hall": _layout(conference_id, "hall", halls, seats),
        "overlay": OverlaySet(
            conference_id=conference_id,
            banner=overlay.banner,
            message=overlay.message,
            clock=overlay.clock,
            countdown_to_ms=overlay.countdown_to_ms,
            names=overlay.names,
        ),
    }
    if chair is not None:
        words["layout:chair"] = _layout(conference_id, "chair", chair, seats)
    return words


def _layout(
    conference_id: str, view: View, picture: Picture, seats: Mapping[UUID, str]
) -> LayoutSet:
    given = picture.seats
    return LayoutSet(
        conference_id=conference_id,
        view=view,
        arrangement=picture.arrangement,
        panes=picture.panes,
        seats=None if given is None else [seats.get(s) if s else None for s in given],
        speaker=picture.speaker,
    )
