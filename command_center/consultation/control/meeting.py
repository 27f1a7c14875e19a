"""The consultation's own settings: lock, floor, redial, end, what is written over the picture."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from ...security import Permission, Work, service_call
from .. import roster
from ..errors import LocalConsultationError
from . import ordering
from .ordering import Orders

LONGEST = timedelta(days=3)


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="consultation.lock")
async def set_lock(work: Work, consultation_id: UUID, *, is_locked: bool) -> Orders:
    """锁定会议: dial-in and links are refused with the reason, the desk's own dial-out passes."""
    orders = await ordering.take(work, consultation_id)
    if orders.control.is_locked != is_locked:
        orders.control.is_locked = is_locked
        key = "locked" if is_locked else "unlocked"
        ordering.tell(work, orders, key)
        await roster.note(work, orders.row, key)
    return orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="consultation.extend")
async def extend(work: Work, consultation_id: UUID, minutes: int) -> Orders:
    """延长: the end moves on by so many minutes, from now if it has passed or was open.

    Raises `extension_too_long`.
    """
    orders = await ordering.take(work, consultation_id)
    control = orders.control
    start = max(control.ends_at, work.now) if control.ends_at is not None else work.now
    if start + timedelta(minutes=minutes) > work.now + LONGEST:
        raise LocalConsultationError("extension_too_long")
    control.ends_at = start + timedelta(minutes=minutes)
    ordering.tell(work, orders, "extended", ends_at=control.ends_at.isoformat())
    await roster.note(work, orders.row, "extended", minutes=minutes)
    return orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="consultation.overlay")
async def set_overlay(work: Work, consultation_id: UUID, overlay: dict[str, Any]) -> Orders:
    """横幅, 短消息, clock and countdown of the chair, 名称字幕."""
    orders = await ordering.take(work, consultation_id)
    orders.control.overlay = overlay
    ordering.tell(work, orders, "overlay", message=overlay["message"], banner=overlay["banner"])
    return orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="consultation.settings")
async def set_settings(work: Work, consultation_id: UUID, settings: dict[str, Any]) -> Orders:
    """Floor and redial settings; None leaves one as it is."""
    orders = await ordering.take(work, consultation_id)
    for name, value in settings.items():
        if value is not None:
            setattr(orders.control, name, value)
    ordering.tell(work, orders, "settings", **settings)
    return orders
