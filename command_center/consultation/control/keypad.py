"""Keys that a room presses to speak to the desk: * and one digit. Pure.

Two keys within a few seconds; anything else forgets what was begun, so that numbers dialled for
another purpose ask for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

PATIENCE = timedelta(seconds=4)


class KeyOrder(StrEnum):
    ASK_FLOOR = "ask_floor"
    WITHDRAW = "withdraw"
    SIGN_IN = "sign_in"
    SELF_MUTE = "self_mute"  # and again: open
    CHAIR = "chair"  # and again: given back
    MUTE_ALL = "mute_all"  # the chair alone
    UNMUTE_ALL = "unmute_all"  # the chair alone


ORDERS = {
    "9": KeyOrder.ASK_FLOOR,
    "0": KeyOrder.WITHDRAW,
    "1": KeyOrder.SIGN_IN,
    "6": KeyOrder.SELF_MUTE,
    "3": KeyOrder.CHAIR,
    "5": KeyOrder.MUTE_ALL,
    "8": KeyOrder.UNMUTE_ALL,
}


@dataclass(frozen=True, slots=True)
class Keypad:
    """What one room has pressed so far."""

    star_at: datetime | None = None


def press(keypad: Keypad, key: str, now: datetime) -> tuple[Keypad, KeyOrder | None]:
    """The keypad after one key, and the order that it completes."""
    if key == "*":
        return replace(keypad, star_at=now), None
    is_timely = keypad.star_at is not None and now - keypad.star_at <= PATIENCE
    return Keypad(), ORDERS.get(key) if is_timely else None
