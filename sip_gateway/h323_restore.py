"""A call whose media node was lost: its channels are closed, and opened again onto another leg.

The empty capability set makes the room stop and close what it sends, the full set makes it open
anew (H.323 8.4.6); our own channels are closed and opened with the new addresses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from video_bridge import CloseReason, VideoBridgeError

from .call import Call
from .h323.call import CallState, H323Call
from .legs import Legs
from .messages import CallResult

RESTORE_S = 10.0  # how long a leg is asked for
CLOSING_S = 1.0  # what a room has not closed by then, it does not close for an empty set
STEP_S = 0.02
RETRY_S = 0.2  # until the conference is opened again


class Room(Protocol):
    """What restoring needs of a room."""

    call: Call | None
    core: H323Call
    is_over: bool

    @property
    def has_channels(self) -> bool: ...
    def suspend(self) -> None: ...
    def forget_channels(self) -> None: ...
    def resume(self) -> None: ...
    def release(self, reason: str, result: CallResult) -> None: ...


async def restore(room: Room, legs: Legs, now: Callable[[], float]) -> None:
    """Ends the call when no node takes its leg within RESTORE_S, or when it was not up yet."""
    call = room.call
    if call is None or room.is_over:
        return
    if room.core.state is not CallState.ACTIVE or call.local_media is None:
        room.release("gatewayResources", CallResult.MEDIA_FAILED)
        return
    room.suspend()
    began = now()
    while not await _has_leg(call, legs):
        if now() - began > RESTORE_S:
            room.release("gatewayResources", CallResult.MEDIA_FAILED)
        if room.is_over:
            return
        await asyncio.sleep(RETRY_S)
    await _closed(room, began + CLOSING_S, now)
    if room.is_over:
        call.has_leg = False
        await legs.remove(call.leg_id, CloseReason.HUNG_UP)
        return
    room.forget_channels()
    room.resume()


async def _closed(room: Room, until: float, now: Callable[[], float]) -> None:
    while room.has_channels and now() < until and not room.is_over:  # noqa: ASYNC110 - seldom
        await asyncio.sleep(STEP_S)


async def _has_leg(call: Call, legs: Legs) -> bool:
    media = call.local_media
    try:
        await legs.add(call, media.kinds() if media is not None else [])
    except VideoBridgeError:
        return False
    return True
