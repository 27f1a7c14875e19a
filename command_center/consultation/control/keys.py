"""Keys of rooms (DTMF, from node and gateway) as orders, each confirmed aloud to that room alone.

*9 申请发言, *0 取消, *1 签到, *6 本端闭麦 and open, *3 主席 and back; of the chair *5 全体闭音 and
*8 取消全体闭音.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

from video_bridge import VideoBridgeError

from ...security import Actor, ActorKind, Desk, Work
from .. import repository as rosters
from ..errors import ConsultationError, LocalConsultationError
from ..tables import ParticipantRow
from . import chair, muting, repository
from .attendance import mark_attendance
from .floor import request_floor_for, withdraw_floor_for
from .keypad import KeyOrder, Keypad, press

_log = structlog.get_logger("command_center.keys")
Say = Callable[[str, str], Awaitable[object]]  # leg, prompt


class Keys:
    """The keypads of one consultation's rooms. `say` speaks to one leg."""

    def __init__(self, desk: Desk, consultation_id: UUID, say: Say) -> None:
        self._desk, self._say = desk, say
        self._id = consultation_id
        self._keypads: dict[str, Keypad] = {}

    async def pressed(self, leg_id: str, key: str) -> None:
        """Do what the keys order; what is refused is said to the room too."""
        now = self._desk.clock()
        keypad, order = press(self._keypads.get(leg_id, Keypad()), key, now)
        self._keypads.pop(leg_id, None)
        if keypad.star_at is not None:
            self._keypads[leg_id] = keypad
        if order is None:
            return
        try:
            prompt = await self._obey(leg_id, order)
        except ConsultationError as error:
            _log.info("key_order_refused", order=order.value, code=error.code)
            prompt = "not_allowed"
        if prompt is not None:
            await self._confirm(leg_id, prompt)

    async def _confirm(self, leg_id: str, prompt: str) -> None:
        try:
            await self._say(leg_id, prompt)
        except VideoBridgeError as error:  # it hung up, or the node is away
            _log.info("key_not_confirmed", leg_id=leg_id, code=error.code)

    async def _obey(self, leg_id: str, order: KeyOrder) -> str | None:
        """The prompt that confirms it; None for a leg of nobody here. Raises ConsultationError."""
        async with self._desk.database.session() as session:
            member = await rosters.participant_of_leg(session, leg_id)
        if member is None or member.consultation_id != self._id:
            return None
        actor = Actor(id=f"keys:{member.id}"[:64], name=member.name, kind=ActorKind.SYSTEM)
        async with self._desk.work(actor) as work:
            return await _do(work, member, order)


async def _do(work: Work, member: ParticipantRow, order: KeyOrder) -> str:
    id_ = member.consultation_id
    match order:
        case KeyOrder.ASK_FLOOR:
            await request_floor_for(work, id_, member.id, "key")
            return "floor_asked"
        case KeyOrder.WITHDRAW:
            await withdraw_floor_for(work, id_, member.id)
            return "floor_withdrawn"
        case KeyOrder.SIGN_IN:
            await mark_attendance(work, id_, member.id, "present", "")
            return "signed_in"
        case KeyOrder.SELF_MUTE:
            return "muted" if await muting.turn_self_mute(work, id_, member.id) else "unmuted"
    row = await rosters.consultation(work.session, id_)
    is_chair = (await repository.control_of(work.session, row)).chair_id == member.id
    if order is KeyOrder.CHAIR:
        if is_chair:
            await chair.take_back_chair(work, id_)
            return "chair_released"
        await chair.appoint_chair(work, id_, member.id)
        return "chair_taken"
    if not is_chair:
        raise LocalConsultationError("chair_not_held")
    if order is KeyOrder.MUTE_ALL:
        await muting.mute_all(work, id_)
        return "all_muted"
    await muting.unmute_all(work, id_)
    return "all_unmuted"
