"""Telephone numbers of persons, for whoever need not ring them (突发事件应对法 2024, art. 85)."""

from __future__ import annotations

from .actor import Actor
from .permissions import Permission

_HEAD, _TAIL = 3, 2


def masked(number: str) -> str:
    """'13812345678' -> '138******78': told apart, but not rung."""
    if len(number) <= _HEAD + _TAIL:
        return "*" * len(number)
    hidden = "".join("*" if c.isalnum() else c for c in number[_HEAD:-_TAIL])
    return number[:_HEAD] + hidden + number[-_TAIL:]


def shown_phone(actor: Actor, number: str) -> str:
    """As it is for those who may ring, else masked."""
    return number if actor.may(Permission.PHONE_READ) else masked(number)
