"""Dial plans, and the halls and consultations that numbers lead to."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from ...directory.tables import SiteRow
from ..model import ParticipantState
from ..tables import ConsultationRow, ParticipantRow
from .tables import DialPlanRow


async def plans(session: AsyncSession) -> Sequence[DialPlanRow]:
    """Every centre's, in the order of their regions."""
    return (await session.scalars(select(DialPlanRow).order_by(col(DialPlanRow.region_code)))).all()


async def plan(session: AsyncSession, region_code: str) -> DialPlanRow | None:
    """One centre's, locked for a change."""
    query = select(DialPlanRow).where(col(DialPlanRow.region_code) == region_code)
    row: DialPlanRow | None = (await session.scalars(query.with_for_update())).one_or_none()
    return row


async def site_of_number(session: AsyncSession, number: str) -> SiteRow | None:
    """The hall whose number this is: its account."""
    return (
        await session.scalars(select(SiteRow).where(col(SiteRow.account) == number))
    ).one_or_none()


async def consultation_of_site(session: AsyncSession, site_id: UUID) -> ConsultationRow | None:
    """The open consultation that a hall is in; the newest of several."""
    query = (
        select(ConsultationRow)
        .join(ParticipantRow, col(ParticipantRow.consultation_id) == col(ConsultationRow.id))
        .where(
            col(ConsultationRow.state) == "open",
            col(ParticipantRow.site_id) == site_id,
            col(ParticipantRow.removed_at).is_(None),
            col(ParticipantRow.state) == ParticipantState.JOINED.value,
        )
        .order_by(col(ConsultationRow.opened_at).desc())
    )
    row: ConsultationRow | None = (
        await session.scalars(query.limit(1).with_for_update(of=ConsultationRow))
    ).one_or_none()
    return row


async def title_of_number(session: AsyncSession, number: str) -> str | None:
    """The title of the open consultation with this dial number."""
    query = select(ConsultationRow.title).where(
        col(ConsultationRow.dial_number) == number, col(ConsultationRow.state) == "open"
    )
    title: str | None = (await session.scalars(query)).one_or_none()
    return title


async def region_of(session: AsyncSession, consultation_id: UUID) -> str:
    row = await session.get(ConsultationRow, consultation_id)
    return "" if row is None else row.region_code
