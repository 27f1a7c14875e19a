"""Queries of major hazard sources."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from .tables import MajorHazardRow

MOST = 5_000
NAMES = cast("$[*].name", JSONPATH)


async def list_hazards(
    session: AsyncSession,
    *,
    q: str = "",
    window: tuple[float, float, float, float] | None = None,
    region_prefix: str = "",
    is_drill: bool = False,
    limit: int = 500,
) -> Sequence[MajorHazardRow]:
    """Hazards whose name, code, enterprise or substance holds `q`, inside the window.

    `region_prefix` '4402' is a city's. `window` is west, south, east, north in WGS-84 degrees. The
    most serious levels come first, units that are no major hazard last.
    """
    query = select(MajorHazardRow).where(col(MajorHazardRow.is_drill) == is_drill)
    if region_prefix:
        region = col(MajorHazardRow.region_code)
        query = query.where(region.startswith(region_prefix, autoescape=True))
    if q:
        pattern = "%" + q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        fields = (
            col(MajorHazardRow.name),
            col(MajorHazardRow.code),
            col(MajorHazardRow.enterprise_name),
            cast(func.jsonb_path_query_array(col(MajorHazardRow.substances), NAMES), String),
        )
        query = query.where(or_(*(field.ilike(pattern, escape="\\") for field in fields)))
    if window is not None:
        west, south, east, north = window
        query = query.where(
            col(MajorHazardRow.longitude).between(west, east),
            col(MajorHazardRow.latitude).between(south, north),
        )
    query = query.order_by(col(MajorHazardRow.level).nulls_last(), col(MajorHazardRow.code))
    return (await session.scalars(query.limit(max(1, min(limit, MOST))))).all()
