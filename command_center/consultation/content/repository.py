"""Queries of the content token."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from ..tables import ParticipantRow
from .tables import ContentRow


async def content_of(session: AsyncSession, consultation_id: UUID) -> ContentRow | None:
    """None: nobody ever asked."""
    query = select(ContentRow).where(col(ContentRow.consultation_id) == consultation_id)
    row: ContentRow | None = (await session.scalars(query)).one_or_none()
    return row


async def name_of(session: AsyncSession, participant_id: UUID) -> str:
    """Of a member, also of one that was taken off the roster."""
    query = select(col(ParticipantRow.name)).where(col(ParticipantRow.id) == participant_id)
    return str((await session.scalars(query)).one())
