"""多画面 and 声控切换: how each of the two views is arranged and who sits where."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from video_bridge.messages import Arrangement, LayoutSet

from ...security import Permission, Work, service_call
from .. import repository as rosters
from ..errors import LocalConsultationError
from ..schemas import LayoutIn
from ..tables import ConsultationRow, ParticipantRow
from . import ordering

PANES: dict[Arrangement, int] = {
    "1": 1,
    "2": 2,
    "3": 3,
    "4": 4,
    "1+5": 6,
    "1+7": 8,
    "9": 9,
    "13": 13,
    "16": 16,
    "20": 20,
    "25": 25,
    "pip": 2,
}


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="consultation.layout")
async def set_layout(work: Work, consultation_id: UUID, layout: LayoutIn) -> ConsultationRow:
    """Arrange the halls' view or the chair's. Raises `layout_malformed`."""
    orders = await ordering.take(work, consultation_id)
    members = await rosters.participants(work.session, consultation_id)
    check(layout, {member.id for member in members})
    row, control = orders.row, orders.control
    seats = None if layout.seats is None else [str(s) if s else None for s in layout.seats]
    speaker = None if layout.speaker is None else layout.speaker.model_dump(mode="json")
    if layout.view == "hall":
        row.panes, row.seats = layout.panes, seats
        control.arrangement, control.speaker = layout.arrangement, speaker
        work.session.add(row)
    else:
        control.chair_layout = {
            "arrangement": layout.arrangement,
            "panes": layout.panes,
            "seats": seats,
            "speaker": speaker,
        }
    ordering.tell(work, orders, "layout", view=layout.view)
    return row


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="consultation.chair_layout_end")
async def follow_halls(work: Work, consultation_id: UUID) -> ConsultationRow:
    """The chair sees what the halls see."""
    orders = await ordering.take(work, consultation_id)
    orders.control.chair_layout = None
    ordering.tell(work, orders, "layout", view="chair")
    return orders.row


def check(layout: LayoutIn, known: set[UUID]) -> None:
    """Raises `layout_malformed`: a stranger, somebody twice, or more seats than panes."""
    if layout.seats is None:
        return
    taken = [seat for seat in layout.seats if seat is not None]
    if set(taken) - known:
        raise LocalConsultationError("layout_malformed", reason="participant")
    if len(set(taken)) != len(taken):
        raise LocalConsultationError("layout_malformed", reason="twice")
    most = PANES.get(layout.arrangement, 25) if layout.arrangement else layout.panes
    if most is not None and len(layout.seats) > most:
        raise LocalConsultationError("layout_malformed", reason="panes")


def preview_of(
    consultation_id: UUID, layout: LayoutIn, members: Sequence[ParticipantRow]
) -> LayoutSet:
    """The layout in the node's words, to be drawn for the desk alone (观看预览)."""
    check(layout, {member.id for member in members})
    legs = {member.id: member.leg_id for member in members}
    seats = layout.seats
    return LayoutSet(
        conference_id=str(consultation_id),
        view=layout.view,
        arrangement=layout.arrangement,
        panes=layout.panes,
        seats=None if seats is None else [legs.get(s) if s else None for s in seats],
        speaker=layout.speaker,
    )
