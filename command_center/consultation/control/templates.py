"""模板: members and orders of a meeting that is held again and again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ...security import Permission, Work, service_call
from ...security.actor import ActorKind
from .. import repository as rosters
from ..errors import LocalConsultationError
from ..model import MemberKind
from ..schemas import MemberIn
from ..service import require_sight
from ..tables import ConsultationRow, ParticipantRow
from . import repository
from .planning_schemas import TemplateIn
from .tables import ControlRow, TemplateRow

KEPT = ("is_locked", "floor_mutes_others", "arrangement", "speaker", "redial_limit")
"""What a template remembers of the orders; who sits where belongs to one meeting."""


def actor_id(work: Work) -> UUID | None:
    return UUID(work.actor.id) if work.actor.kind is ActorKind.USER else None


def tell_planning(
    work: Work, type_: str, row_id: UUID, region_code: str, *, is_drill: bool
) -> None:
    """A live event of a template or reservation."""
    work.emit(type_, {"id": str(row_id)}, region_code=region_code or None, is_drill=is_drill)


@service_call(permission=Permission.CONSULTATION_OPEN, audit="template.make")
async def make_template(work: Work, wish: TemplateIn) -> TemplateRow:
    """From a list of members, or of a consultation as it stands.

    Raises `consultation_not_found`.
    """
    row = TemplateRow(
        name=wish.name,
        title=wish.title or wish.name,
        region_code=work.actor.region_code,
        members=[member_json(member) for member in wish.members],
        orders={"is_locked": wish.is_locked, "floor_mutes_others": wish.floor_mutes_others},
        made_at=work.now,
        made_by=actor_id(work),
    )
    if wish.consultation_id is not None:
        source = await rosters.consultation(work.session, wish.consultation_id)
        require_sight(work.actor, source)
        members = await rosters.participants(work.session, source.id)
        control = await repository.control_of(work.session, source)
        row.members = [_of_roster(m) for m in members if m.kind != MemberKind.OPERATOR.value]
        row.orders = {name: getattr(control, name) for name in KEPT}
        row.title = wish.title or source.title
        row.is_drill = source.is_drill
    work.session.add(row)
    tell_planning(work, "template.updated", row.id, row.region_code, is_drill=row.is_drill)
    work.concerns("template", row.id, is_drill=row.is_drill, name=row.name)
    return row


@service_call(permission=Permission.CONSULTATION_OPEN, audit="template.remove")
async def remove_template(work: Work, template_id: UUID) -> None:
    """Reservations made of it keep their members. Raises `template_not_found`."""
    row = await visible_template(work, template_id)
    row.removed_at = work.now
    work.session.add(row)
    tell_planning(work, "template.updated", row.id, row.region_code, is_drill=row.is_drill)
    work.concerns("template", row.id, is_drill=row.is_drill, name=row.name)


async def visible_template(work: Work, template_id: UUID) -> TemplateRow:
    """Raises `template_not_found`, also for those of other regions."""
    row = await repository.template(work.session, template_id)
    if row.region_code and not work.actor.covers(row.region_code):
        raise LocalConsultationError("template_not_found")
    return row


def member_json(member: MemberIn) -> dict[str, Any]:
    """As it is stored: only what brings it in."""
    kept = {"kind", "site_id", "team_id", "camera_id", "name", "number", "url"}
    return member.model_dump(mode="json", include=kept, exclude_none=True)


def _of_roster(member: ParticipantRow) -> dict[str, Any]:
    found = {
        "kind": member.kind,
        "site_id": member.site_id,
        "team_id": member.team_id,
        "camera_id": member.camera_id,
        "name": member.name,
        "number": member.number,
        "url": member.url,
    }
    return {
        name: str(value) if isinstance(value, UUID) else value
        for name, value in found.items()
        if value is not None
    }


def apply_orders(control: ControlRow, orders: dict[str, Any], row: ConsultationRow) -> None:
    """What a template or reservation says, for a new consultation."""
    control.is_drill = row.is_drill
    for name in KEPT:
        if orders.get(name) is not None:
            setattr(control, name, orders[name])
