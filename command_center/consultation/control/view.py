"""The desk's orders as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ..model import ABSENT, ParticipantState
from ..tables import ConsultationRow, ParticipantRow
from . import repository
from .polling import round_of
from .scene import scene_of
from .schemas import (
    AttendanceOut,
    BroadcastOut,
    ControlOut,
    FloorNameOut,
    OverlayIn,
    OwnDeskOut,
    PictureOut,
    PollingOut,
)
from .staging import Scene, closed_by
from .tables import AttendanceRow, ControlRow, FloorRow


@dataclass(frozen=True, slots=True)
class DeskState:
    """The orders of one consultation with their queue and roll."""

    control: ControlRow
    floor: Sequence[FloorRow]
    roll: Sequence[AttendanceRow]
    scene: Scene


async def state_of(session: AsyncSession, row: ConsultationRow, now: datetime) -> DeskState:
    """Read the orders of one consultation."""
    control = await repository.control_of(session, row)
    floor = await repository.floor_queue(session, row.id)
    has_roll = control.attendance_began_at is not None
    roll = await repository.roll(session, row.id) if has_roll else []
    return DeskState(control, floor, roll, scene_of(row, control, floor, now))


def control_out(state: DeskState) -> ControlOut:
    control, running = state.control, round_of(state.control)
    chair = control.chair_layout
    return ControlOut.model_validate(
        {
            "is_locked": control.is_locked,
            "arrangement": control.arrangement,
            "speaker": control.speaker,
            "chair_layout": None if chair is None else PictureOut.model_validate(chair),
            "chair_id": control.chair_id,
            "chair_since": control.chair_since,
            "broadcast": _broadcast(control),
            "roll_call_id": control.roll_call_id,
            "polling": None
            if running is None
            else PollingOut(
                participant_ids=list(running.sites),
                interval_s=running.interval_s,
                view=running.view,
                participant_id=running.turn.site,
                turned_at=running.turn.since,
            ),
            "floor": [_floor(request) for request in state.floor],
            "floor_mutes_others": control.floor_mutes_others,
            "redial_limit": control.redial_limit,
            "redial_pause_s": control.redial_pause_s,
            "attendance": _attendance(state),
            "overlay": OverlayIn.model_validate(control.overlay or {}),
            "ends_at": control.ends_at,
            "ends_by_itself": control.ends_by_itself,
        }
    )


def _broadcast(control: ControlRow) -> BroadcastOut | None:
    if control.broadcast is None:
        return None
    kind = "site" if control.broadcast == "site" else "mosaic"
    return BroadcastOut.model_validate({"kind": kind, "participant_id": control.broadcast_id})


def _floor(request: FloorRow) -> dict[str, Any]:
    return {
        "participant_id": request.participant_id,
        "state": request.state,
        "origin": request.origin,
        "is_exclusive": request.is_exclusive,
        "requested_at": request.requested_at,
        "decided_at": request.decided_at,
    }


def _attendance(state: DeskState) -> AttendanceOut | None:
    control = state.control
    if control.attendance_began_at is None:
        return None
    return AttendanceOut.model_validate(
        {
            "began_at": control.attendance_began_at,
            "ended_at": control.attendance_ended_at,
            "marks": [
                {
                    "participant_id": mark.participant_id,
                    "mark": mark.mark,
                    "note": mark.note,
                    "marked_at": mark.marked_at,
                    "marked_by": mark.marked_by,
                }
                for mark in state.roll
            ],
        }
    )


def has_given_up(row: ParticipantRow) -> bool:
    """呼叫全部未入会 tried as often as it was told to."""
    is_absent = ParticipantState(row.state) in ABSENT
    return is_absent and row.redial_limit > 0 and not row.is_wanted


def own_desk_out(state: DeskState, member: ParticipantRow, names: dict[UUID, str]) -> OwnDeskOut:
    """What the member's page shows; `names` of everybody on the roster."""
    control, scene = state.control, state.scene
    waiting = [request for request in state.floor if request.state == "waiting"]
    own = next((r for r in state.floor if r.participant_id == member.id), None)
    place = next((n for n, r in enumerate(waiting, 1) if r.participant_id == member.id), None)
    muted_by = closed_by(scene, member.id, is_muted=member.microphone_muted)
    is_chair = control.chair_id == member.id
    shown = scene.forced_id
    running = control.attendance_began_at is not None and control.attendance_ended_at is None
    queue = [
        FloorNameOut.model_validate(
            {
                "participant_id": request.participant_id,
                "name": names.get(request.participant_id, ""),
                "state": request.state,
            }
        )
        for request in state.floor
    ]
    return OwnDeskOut.model_validate(
        {
            "participant_id": member.id,
            "microphone_muted": muted_by is not None,
            "muted_by": muted_by,
            "is_self_muted": member.is_self_muted,
            "chair_name": names.get(control.chair_id) if control.chair_id else None,
            "is_chair": is_chair,
            "floor": None if own is None else own.state,
            "floor_place": place,
            "floor_queue": queue if is_chair else [],
            "broadcast_name": names.get(shown, "")
            if shown is not None
            else ("" if scene.is_mosaic_broadcast else None),
            "is_called": scene.roll_call_id == member.id,
            "is_attendance_running": running,
            "has_signed_in": any(
                mark.participant_id == member.id and mark.mark == "present" for mark in state.roll
            ),
            "message": scene.overlay.message,
        }
    )
