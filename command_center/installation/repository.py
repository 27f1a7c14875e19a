"""Figures that the database gives of itself."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from ..directory import SipAccountRow


@dataclass(frozen=True, slots=True)
class DatabaseFigures:
    version: str
    schema_revision: str
    size_bytes: int


async def database_figures(session: AsyncSession) -> DatabaseFigures:
    """Version of the server, revision of the schema, size on disk."""
    row = (
        await session.execute(
            text(
                "SELECT current_setting('server_version'), pg_database_size(current_database()),"
                " (SELECT version_num FROM alembic_version LIMIT 1)"
            )
        )
    ).one()
    return DatabaseFigures(str(row[0]), str(row[2] or ""), int(row[1]))


async def registered_halls(session: AsyncSession) -> tuple[int, int]:
    """Accounts of halls, and how many of them are registered now."""
    query = select(
        func.count(), func.count().filter(col(SipAccountRow.is_registered).is_(True))
    ).select_from(SipAccountRow)
    row = (await session.execute(query)).one()
    return int(row[0]), int(row[1])
