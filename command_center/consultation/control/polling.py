"""轮询: chosen sites take turns in the halls' picture, or in the chair's alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from video_bridge.messages import View

from ...security import SYSTEM, Desk, Permission, Work, service_call
from .. import repository as rosters
from .. import roster
from ..errors import LocalConsultationError
from ..model import MemberKind
from ..tables import ParticipantRow
from . import ordering, repository
from .ordering import HERE, Orders
from .rotation import Turn, due_at, next_turn
from .tables import ControlRow


@dataclass(frozen=True, slots=True)
class Round:
    """A running rotation as its row has it; no sites: everybody with a picture."""

    sites: tuple[UUID, ...]
    interval_s: float
    view: View
    turn: Turn


def round_of(control: ControlRow) -> Round | None:
    """None: nothing rotates."""
    stored = control.polling
    if stored is None:
        return None
    return Round(
        sites=tuple(UUID(site) for site in stored["sites"]),
        interval_s=float(stored["interval_s"]),
        view="chair" if stored["view"] == "chair" else "hall",
        turn=Turn(control.polling_id, control.polling_turned_at),
    )


def next_look(control: ControlRow, now: datetime) -> datetime | None:
    """When somebody must look at the rotation again; None: nothing rotates."""
    running = round_of(control)
    if running is None or control.roll_call_id is not None:
        return None
    return due_at(running.turn, running.interval_s) or now


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="polling.start")
async def start_polling(
    work: Work, consultation_id: UUID, sites: Sequence[UUID], interval_s: float, view: View
) -> Orders:
    """Begin with the first site that is in; without sites everybody with a picture takes a turn.

    Raises `participant_not_found`, `polling_without_chair` for a chair's polling without a chair.
    """
    orders = await ordering.take(work, consultation_id)
    control = orders.control
    known = {member.id for member in await rosters.participants(work.session, orders.row.id)}
    if set(sites) - known:
        raise LocalConsultationError("participant_not_found")
    if view == "chair" and control.chair_id is None:
        raise LocalConsultationError("polling_without_chair")
    wish = list(dict.fromkeys(str(site) for site in sites))
    control.polling = {"sites": wish, "interval_s": interval_s, "view": view}
    control.polling_id = control.polling_turned_at = None
    await _advance(work, orders)
    ordering.tell(work, orders, "polling", count=len(wish), interval_s=interval_s)
    await roster.note(work, orders.row, "polling", seconds=round(interval_s))
    return orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="polling.stop")
async def stop_polling(work: Work, consultation_id: UUID) -> Orders:
    """The picture is the layout's again."""
    orders = await ordering.take(work, consultation_id)
    control = orders.control
    if control.polling is not None:
        control.polling = control.polling_id = control.polling_turned_at = None
        ordering.tell(work, orders, "polling_stopped")
        await roster.note(work, orders.row, "polling_stopped")
    return orders


def _has_picture(member: ParticipantRow) -> bool:
    return member.kind not in (MemberKind.TELEPHONE.value, MemberKind.OPERATOR.value)


async def _advance(work: Work, orders: Orders) -> bool:
    """Whether another site is shown now."""
    control, running = orders.control, round_of(orders.control)
    if running is None:
        return False
    members = await rosters.participants(work.session, orders.row.id)
    sites = running.sites or tuple(m.id for m in members if _has_picture(m))
    present = {m.id for m in members if m.state in HERE}
    following = next_turn(sites, present, running.turn, running.interval_s, work.now)
    has_changed = following != running.turn.site
    due = due_at(running.turn, running.interval_s)
    if has_changed or due is None or work.now >= due:
        control.polling_turned_at = work.now
    control.polling_id = following
    return has_changed


async def turn(desk: Desk, consultation_id: UUID) -> None:
    """The leader's timer: the next site. It follows from an order that was audited when given."""
    async with desk.work(SYSTEM) as work:
        row = await rosters.consultation(work.session, consultation_id, lock=True)
        orders = Orders(row, await repository.control_of(work.session, row))
        if row.state != "open" or orders.control.polling is None:
            return
        has_turned = await _advance(work, orders)
        if has_turned:
            shown = orders.control.polling_id
            ordering.tell(
                work, orders, "polling_turn", participant_id=None if shown is None else str(shown)
            )
        else:
            work.session.add(orders.control)
