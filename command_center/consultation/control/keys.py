"""Keys of rooms (DTMF, from node and gateway) as orders: *9 申请发言, *0 取消, *1 签到."""

from __future__ import annotations

from uuid import UUID

from ...security import Actor, ActorKind, Desk
from .. import repository as rosters
from .attendance import mark_attendance
from .floor import request_floor_for, withdraw_floor_for
from .keypad import KeyOrder, Keypad, press


class Keys:
    """The keypads of one consultation's rooms."""

    def __init__(self, desk: Desk, consultation_id: UUID) -> None:
        self._desk = desk
        self._id = consultation_id
        self._keypads: dict[str, Keypad] = {}

    async def pressed(self, leg_id: str, key: str) -> None:
        """Raises what the ordered services raise."""
        now = self._desk.clock()
        keypad, order = press(self._keypads.get(leg_id, Keypad()), key, now)
        self._keypads.pop(leg_id, None)
        if keypad.star_at is not None:
            self._keypads[leg_id] = keypad
        if order is not None:
            await self._obey(leg_id, order)

    async def _obey(self, leg_id: str, order: KeyOrder) -> None:
        async with self._desk.database.session() as session:
            member = await rosters.participant_of_leg(session, leg_id)
        if member is None or member.consultation_id != self._id:
            return
        actor = Actor(id=f"keys:{member.id}"[:64], name=member.name, kind=ActorKind.SYSTEM)
        async with self._desk.work(actor) as work:
            if order is KeyOrder.ASK_FLOOR:
                await request_floor_for(work, self._id, member.id, "key")
            elif order is KeyOrder.WITHDRAW:
                await withdraw_floor_for(work, self._id, member.id)
            else:
                await mark_attendance(work, self._id, member.id, "present", "")
