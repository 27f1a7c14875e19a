"""Gathers what a slide shows: one alternative of a stored plan, its incidents, its closed roads."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

import resource_dispatch as dispatch

from ..incidents.repository import incident
from .errors import DispatchPlanNotReadyError
from .question import incident_ids
from .slide import Scene, Slide
from .tables import DispatchPlanRow


async def slide_of(
    session: AsyncSession,
    row: DispatchPlanRow,
    alternative: str,
    roads: dispatch.RoadNetwork,
) -> Slide:
    """The alternative of that name, else the first. Raises DispatchPlanNotReadyError."""
    answers = row.content.get("alternatives", [])
    if row.state != "ready" or not answers:
        raise DispatchPlanNotReadyError()
    named = [answer for answer in answers if answer["name"] == alternative]
    scenes = [await incident(session, id_) for id_ in incident_ids(row.question)]
    nodes = roads.graph.nodes
    arcs = [arc for arc in row.question["closed_roads"] if roads.graph.has_edge(*arc)]
    return Slide(
        answer=(named or answers)[0],
        orders=row.content["orders"],
        accepted=frozenset(row.content.get("accepted", [])),
        scenes=[Scene(str(s.id), s.title, s.longitude, s.latitude) for s in scenes],
        closed=[[(nodes[n]["longitude"], nodes[n]["latitude"]) for n in arc] for arc in arcs],
        created_at=row.finished_at or row.created_at,
        created_by=row.created_by,
        is_drill=row.is_drill,
    )
