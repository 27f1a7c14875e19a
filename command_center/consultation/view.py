"""Consultations as the API shows them: rows, words, and the figures of the board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from .board import LegFigures
from .control.alarms import Alarm
from .control.schemas import AlarmOut
from .control.staging import Scene, closed_by
from .control.view import DeskState, control_out, has_given_up
from .line_in_use import Reached
from .model import MemberKind, ParticipantState, Protocol
from .schemas import ConsultationOut, LayoutOut, ParticipantOut
from .tables import ConsultationRow, ParticipantRow
from .words import reason_text

Figures = Mapping[str, LegFigures]
Ways = Mapping[UUID, Reached]  # by participant


def participant_out(
    row: ParticipantRow, legs: Figures, scene: Scene, way: Reached
) -> ParticipantOut:
    found = legs.get(row.leg_id or "") or legs.get(row.viewer_leg_id or "")
    return ParticipantOut(
        id=row.id,
        kind=MemberKind(row.kind),
        name=row.name,
        protocol=Protocol(row.protocol),
        state=ParticipantState(row.state),
        reason_code=row.reason_code,
        reason_text=reason_text(row.reason_code),
        microphone_muted=row.microphone_muted,
        muted_by=closed_by(scene, row.id, is_muted=row.microphone_muted),
        is_self_muted=row.is_self_muted,
        speaker_muted=row.speaker_muted,
        watch_id=row.watch_id,
        attempts=row.attempts,
        redial_limit=row.redial_limit,
        retry_at=row.retry_at,
        has_given_up=has_given_up(row),
        in_picture=found is not None and found.is_in_picture,
        joined_at=row.joined_at,
        stats=None if found is None else found.stats,
        site_id=row.site_id,
        team_id=row.team_id,
        camera_id=row.camera_id,
        signalling=way.signalling,
        link=way.link,
        line=way.line,
    )


def consultation_out(
    row: ConsultationRow,
    participants: Sequence[ParticipantRow],
    legs: Figures,
    state: DeskState,
    alarms: Sequence[Alarm] = (),
    *,
    ways: Ways,
) -> ConsultationOut:
    seats, control = row.seats, control_out(state)
    return ConsultationOut(
        id=row.id,
        number=row.number,
        dial_number=row.dial_number,
        title=row.title,
        incident_id=row.incident_id,
        state=row.state,
        is_drill=row.is_drill,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        layout=LayoutOut(
            panes=row.panes,
            seats=None if seats is None else [UUID(seat) if seat else None for seat in seats],
            arrangement=control.arrangement,
            speaker=control.speaker,
        ),
        control=control,
        alarms=_alarms(participants, alarms),
        participants=[
            participant_out(one, legs, state.scene, ways.get(one.id, Reached()))
            for one in participants
        ],
    )


def _alarms(participants: Sequence[ParticipantRow], alarms: Sequence[Alarm]) -> list[AlarmOut]:
    """Alarms of members who still have the leg, in plain words."""
    owners = {leg: one for one in participants for leg in (one.leg_id, one.viewer_leg_id) if leg}
    return [
        AlarmOut(
            participant_id=owners[alarm.leg_id].id,
            code=alarm.code,
            text=alarm.text(owners[alarm.leg_id].name),
            since=alarm.since,
        )
        for alarm in alarms
        if alarm.leg_id in owners
    ]
