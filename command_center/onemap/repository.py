"""Queries over the directory for lists and map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from ..directory import CameraRow, ExpertRow, OrganisationRow, SipAccountRow, SiteRow

Window = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is asked for, and by whom: rows below `prefix`, and those of `above`."""

    q: str
    limit: int
    window: Window | None
    prefix: str
    above: tuple[str, ...]


async def region_names(session: AsyncSession) -> dict[str, str]:
    """Names of the regions that have an office of the line, by code."""
    query = select(col(OrganisationRow.region_code), col(OrganisationRow.region_name)).where(
        col(OrganisationRow.line) == "emergency_management"
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def organisations(
    session: AsyncSession, asked: Asked, under: UUID | str | None
) -> Sequence[OrganisationRow]:
    """`under` is the parent's id, or a region code whose whole region is meant."""
    fields = (OrganisationRow.name, OrganisationRow.region_code)
    query = select(OrganisationRow).where(*_where(asked, OrganisationRow, fields))
    if isinstance(under, UUID):
        query = query.where(col(OrganisationRow.parent_id) == under)
    elif under:
        prefix = under[:-4] if under.endswith("0000") else under.removesuffix("00")
        query = query.where(col(OrganisationRow.region_code).startswith(prefix, autoescape=True))
    is_beside = col(OrganisationRow.line) != "emergency_management"
    query = query.order_by(
        col(OrganisationRow.region_code),
        is_beside,
        col(OrganisationRow.line),
        col(OrganisationRow.name),
    )
    return (await session.scalars(query.limit(asked.limit))).all()


async def sites(
    session: AsyncSession, asked: Asked
) -> Sequence[tuple[SiteRow, OrganisationRow, str | None]]:
    """Sites with their organisation and where their account is registered now, if it is."""
    fields = (SiteRow.name, SiteRow.account, OrganisationRow.name)
    query = (
        select(
            SiteRow,
            OrganisationRow,
            col(SipAccountRow.is_registered),
            col(SipAccountRow.contact),
        )
        .join(OrganisationRow, col(OrganisationRow.id) == col(SiteRow.organisation_id))
        .outerjoin(SipAccountRow, col(SipAccountRow.account) == col(SiteRow.account))
        .where(*_where(asked, SiteRow, fields))
        .order_by(col(SiteRow.region_code), col(SiteRow.account), col(SiteRow.name))
        .limit(asked.limit)
    )
    return [
        (site, owner, (contact or "") if is_registered else None)
        for site, owner, is_registered, contact in await session.execute(query)
    ]


async def experts(session: AsyncSession, asked: Asked) -> Sequence[ExpertRow]:
    """Experts by name, field or unit."""
    fields = (ExpertRow.name, ExpertRow.field, ExpertRow.unit_name)
    query = select(ExpertRow).where(*_where(asked, ExpertRow, fields))
    query = query.order_by(col(ExpertRow.field), col(ExpertRow.id))
    return (await session.scalars(query.limit(asked.limit))).all()


async def cameras(session: AsyncSession, asked: Asked) -> Sequence[CameraRow]:
    """Cameras by name."""
    query = select(CameraRow).where(*_where(asked, CameraRow, (CameraRow.name,)))
    query = query.order_by(col(CameraRow.region_code), col(CameraRow.name))
    return (await session.scalars(query.limit(asked.limit))).all()


def _where(asked: Asked, table: Any, fields: Sequence[Any]) -> list[ColumnElement[bool]]:
    """Within the asker's region, any of the fields holds `q` (case aside), inside the window."""
    region = col(table.region_code)
    conditions: list[ColumnElement[bool]] = [
        col(table.is_drill).is_(False),
        or_(region.startswith(asked.prefix, autoescape=True), region.in_(asked.above)),
    ]
    if asked.q:
        escaped = asked.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = f"%{escaped}%"
        conditions.append(or_(*(col(field).ilike(pattern, escape="\\") for field in fields)))
    if asked.window is not None:
        west, south, east, north = asked.window
        conditions.append(col(table.longitude).between(west, east))
        conditions.append(col(table.latitude).between(south, north))
    return conditions
