"""A room that goes from one conference to another within its call: channels closed, opened anew.

It is how a hall leaves the lobby, and how a room follows the desk into another consultation. The
call itself stays (H.323 8.4.6, as when a media node was lost).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from video_bridge import CloseReason

from .call import Call
from .h323.call import CallState as H225State
from .h323_house import House
from .h323_restore import restore
from .messages import CallResult, CallState
from .ports import Admission

if TYPE_CHECKING:
    from .h323_room import Room


async def move(house: House, room: Room, admitted: Admission) -> bool:
    """Take the room's leg to where it is admitted; False when its call is not up (any more)."""
    old = room.call
    if old is None or room.is_over or room.core.state is not H225State.ACTIVE:
        return False
    moved = replace(
        old,
        leg_id=admitted.leg_id,
        conference_id=admitted.conference_id,
        name=admitted.name,
        incoming=True,
        state=CallState.DIALLING,
        has_leg=False,
    )
    room.is_restoring = True  # nothing of the old leg is connected any more
    room.call = moved
    _leave(house, old)
    house.announce(moved.changed())
    await restore(room, house.legs, house.now)
    if room.is_over:
        return False
    moved.move(CallState.CONNECTED)
    house.announce(moved.changed())
    return True


def _leave(house: House, old: Call) -> None:
    """The old leg ends for the house and for the node."""
    old.result = CallResult.HUNG_UP
    old.move(CallState.ENDED)
    if old.has_leg:
        old.has_leg = False
        house.spawn(house.legs.remove(old.leg_id, CloseReason.REPLACED))
    house.announce(old.changed())
