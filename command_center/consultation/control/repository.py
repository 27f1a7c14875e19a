"""Queries of the conference desk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from ..errors import LocalConsultationError
from ..tables import ConsultationRow, ParticipantRow
from .tables import AttendanceRow, ControlRow, FloorRow, ReservationRow, TemplateRow

OPEN_REQUESTS = ("waiting", "granted")


async def control_of(session: AsyncSession, row: ConsultationRow) -> ControlRow:
    """The orders of a consultation; a fresh row, not yet stored, before the first order."""
    query = (
        select(ControlRow)
        .where(col(ControlRow.consultation_id) == row.id)
        .execution_options(populate_existing=True)
    )
    found: ControlRow | None = (await session.scalars(query)).one_or_none()
    return found or ControlRow(consultation_id=row.id, is_drill=row.is_drill)


async def is_locked(session: AsyncSession, consultation_id: UUID) -> bool:
    query = select(col(ControlRow.is_locked)).where(
        col(ControlRow.consultation_id) == consultation_id
    )
    return bool((await session.scalars(query)).one_or_none())


async def floor_queue(session: AsyncSession, consultation_id: UUID) -> Sequence[FloorRow]:
    """申请发言 that are open, who came first first."""
    query = (
        select(FloorRow)
        .where(
            col(FloorRow.consultation_id) == consultation_id,
            col(FloorRow.state).in_(OPEN_REQUESTS),
        )
        .order_by(col(FloorRow.requested_at), col(FloorRow.id))
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(query)).all()


async def floor_request(
    session: AsyncSession, consultation_id: UUID, participant_id: UUID
) -> FloorRow | None:
    """The member's open request, locked."""
    query = (
        select(FloorRow)
        .where(
            col(FloorRow.consultation_id) == consultation_id,
            col(FloorRow.participant_id) == participant_id,
            col(FloorRow.state).in_(OPEN_REQUESTS),
        )
        .with_for_update()
    )
    row: FloorRow | None = (await session.scalars(query)).one_or_none()
    return row


async def roll(session: AsyncSession, consultation_id: UUID) -> Sequence[AttendanceRow]:
    query = select(AttendanceRow).where(col(AttendanceRow.consultation_id) == consultation_id)
    return (await session.scalars(query)).all()


async def forget_roll(session: AsyncSession, consultation_id: UUID) -> None:
    for row in await roll(session, consultation_id):
        await session.delete(row)
    await session.flush()


async def set_all_mutes(
    session: AsyncSession, consultation_id: UUID, *, muted: bool, spared: UUID | None = None
) -> None:
    """会控闭音 of everybody on the roster but the one spared."""
    change = update(ParticipantRow).where(
        col(ParticipantRow.consultation_id) == consultation_id,
        col(ParticipantRow.removed_at).is_(None),
    )
    if spared is not None:
        change = change.where(col(ParticipantRow.id) != spared)
    await session.execute(change.values(microphone_muted=muted))


async def watchers_of(
    session: AsyncSession, consultation_id: UUID, participant_id: UUID
) -> Sequence[ParticipantRow]:
    query = select(ParticipantRow).where(
        col(ParticipantRow.consultation_id) == consultation_id,
        col(ParticipantRow.watch_id) == participant_id,
    )
    return (await session.scalars(query)).all()


# --- templates and reservations --------------------------------------------------------------


async def templates(session: AsyncSession, *, region_prefix: str) -> Sequence[TemplateRow]:
    query = (
        select(TemplateRow)
        .where(
            col(TemplateRow.removed_at).is_(None),
            or_(
                col(TemplateRow.region_code).startswith(region_prefix),
                col(TemplateRow.region_code) == "",
            ),
        )
        .order_by(col(TemplateRow.name), col(TemplateRow.id))
    )
    return (await session.scalars(query)).all()


async def template(session: AsyncSession, template_id: UUID) -> TemplateRow:
    """Raises LocalConsultationError(`template_not_found`)."""
    row: TemplateRow | None = await session.get(TemplateRow, template_id, with_for_update=True)
    if row is None or row.removed_at is not None:
        raise LocalConsultationError("template_not_found")
    return row


async def reservations(
    session: AsyncSession, *, region_prefix: str, state: str, limit: int
) -> Sequence[ReservationRow]:
    """The next one first."""
    query = select(ReservationRow).where(
        or_(
            col(ReservationRow.region_code).startswith(region_prefix),
            col(ReservationRow.region_code) == "",
        )
    )
    if state != "all":
        query = query.where(col(ReservationRow.state) == state)
    ordered = query.order_by(col(ReservationRow.starts_at), col(ReservationRow.id)).limit(limit)
    return (await session.scalars(ordered)).all()


async def reservation(session: AsyncSession, reservation_id: UUID) -> ReservationRow:
    """Locked. Raises LocalConsultationError(`reservation_not_found`)."""
    found = await session.get(ReservationRow, reservation_id, with_for_update=True)
    row: ReservationRow | None = found
    if row is None:
        raise LocalConsultationError("reservation_not_found")
    return row


async def due_reservations(session: AsyncSession, now: datetime) -> list[UUID]:
    query = (
        select(col(ReservationRow.id))
        .where(col(ReservationRow.state) == "waiting", col(ReservationRow.starts_at) <= now)
        .order_by(col(ReservationRow.starts_at))
    )
    return list((await session.scalars(query)).all())
