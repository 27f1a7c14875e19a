"""Pushes the board's figures to open pages, as the socket event `stats`. Nothing is stored."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from aiohttp import web

from ..security import Desk, Permission
from ..web.app import LIVE
from . import repository
from .board import LegFigures
from .switchboard import Push


def push_figures(app: web.Application, desk: Desk) -> Push:
    """What the switchboard calls each second with the figures of every leg."""

    async def push(board: dict[UUID, dict[str, LegFigures]]) -> None:
        async with desk.database.session() as session:
            held = await repository.legs_of_open(session)
        lines: dict[UUID, list[dict[str, Any]]] = {}
        regions: dict[UUID, str] = {}
        for leg in held:
            legs = board.get(leg.consultation_id, {})
            found = legs.get(leg.leg_id or "") or legs.get(leg.viewer_leg_id or "")
            regions[leg.consultation_id] = leg.region_code
            if found is not None:
                lines.setdefault(leg.consultation_id, []).append(
                    {
                        "participant_id": str(leg.participant_id),
                        "in_picture": found.is_in_picture,
                        "stats": found.stats.model_dump(mode="json", by_alias=True),
                    }
                )
        for consultation_id, participants in lines.items():
            await app[LIVE].push(
                "stats",
                {"consultation_id": str(consultation_id), "participants": participants},
                consultation_id=consultation_id,
                region_code=regions[consultation_id],
                permission=Permission.CONSULTATION_READ,
            )

    return push
