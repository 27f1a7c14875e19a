"""Consultations as the API shows them: rows, words, and the figures of the board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from .board import LegFigures
from .model import MemberKind, ParticipantState, Protocol
from .schemas import ConsultationOut, LayoutOut, ParticipantOut
from .tables import ConsultationRow, ParticipantRow
from .words import reason_text

Figures = Mapping[str, LegFigures]


def participant_out(row: ParticipantRow, legs: Figures) -> ParticipantOut:
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
        speaker_muted=row.speaker_muted,
        in_picture=found is not None and found.is_in_picture,
        joined_at=row.joined_at,
        stats=None if found is None else found.stats,
        site_id=row.site_id,
        team_id=row.team_id,
        camera_id=row.camera_id,
    )


def consultation_out(
    row: ConsultationRow, participants: Sequence[ParticipantRow], legs: Figures
) -> ConsultationOut:
    seats = row.seats
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
        ),
        participants=[participant_out(participant, legs) for participant in participants],
    )
