"""Keeps the alarms of every consultation from the figures of each second, and tells changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from ...security import SYSTEM, Desk
from .. import repository as rosters
from .. import roster
from ..board import LegFigures
from .alarms import Alarm, Gauges, alarms, changes, feed


class AlarmDesk:
    """One in each web process; only the leading one writes events."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._gauges: dict[UUID, Gauges] = {}

    def standing(self, consultation_id: UUID) -> list[Alarm]:
        return alarms(self._gauges.get(consultation_id, {}))

    async def feed(
        self, board: Mapping[UUID, Mapping[str, LegFigures]], now: datetime, *, is_leader: bool
    ) -> None:
        """Take one second's figures. Raises what the database raises when it is away."""
        before, self._gauges = self._gauges, {}
        for consultation_id, legs in board.items():
            stats = {leg_id: leg.stats for leg_id, leg in legs.items()}
            self._gauges[consultation_id] = feed(before.get(consultation_id, {}), stats, now)
        if not is_leader:
            return
        for consultation_id in before.keys() | self._gauges.keys():
            raised, cleared = changes(
                before.get(consultation_id, {}), self._gauges.get(consultation_id, {})
            )
            if raised or cleared:
                await self._tell(consultation_id, raised, cleared)

    async def _tell(self, consultation_id: UUID, raised: list[Alarm], cleared: list[Alarm]) -> None:
        async with self._desk.work(SYSTEM) as work:
            row = await rosters.consultation(work.session, consultation_id)
            names = {
                leg_id: member
                for member in await rosters.participants(work.session, consultation_id)
                for leg_id in (member.leg_id, member.viewer_leg_id)
                if leg_id is not None
            }
            for kind, found in (("alarm.raised", raised), ("alarm.cleared", cleared)):
                for alarm in found:
                    member = names.get(alarm.leg_id)
                    if member is None:
                        continue
                    text = alarm.text(member.name)
                    body = {"participant_id": str(member.id), "code": alarm.code, "text": text}
                    roster.tell(work, row, kind, body)
