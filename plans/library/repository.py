"""Queries of the plan library; the only place of this package with `select(`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from .model import (
    Card,
    Clause,
    Contact,
    Group,
    Indicator,
    LevelRule,
    Need,
    Plan,
    ResponseLevel,
)
from .tables import (
    PlanCardRow,
    PlanClauseRow,
    PlanContactRow,
    PlanGroupRow,
    PlanIndicatorRow,
    PlanLevelRow,
    PlanNeedRow,
    PlanRow,
)

TIERS = ("province", "city", "county", "town", "enterprise")
Row = TypeVar("Row", bound=SQLModel)


async def plan_rows(
    session: AsyncSession,
    *,
    region_code: str | None = None,
    statuses: Sequence[str] = ("in_force",),
    is_drill: bool | None = None,
) -> Sequence[PlanRow]:
    """Heads of plans, ordered by tier's place in the tree and code."""
    query = select(PlanRow).where(col(PlanRow.status).in_(statuses))
    if region_code is not None:
        query = query.where(col(PlanRow.region_code) == region_code)
    if is_drill is not None:
        query = query.where(col(PlanRow.is_drill) == is_drill)
    query = query.order_by(col(PlanRow.region_code), col(PlanRow.code), col(PlanRow.version))
    return (await session.execute(query)).scalars().all()


async def find_plans(session: AsyncSession, ids: Iterable[UUID]) -> list[Plan]:
    """The whole plans of these ids, in the order of their codes; ids unknown are left out."""
    wanted = list(ids)
    query = select(PlanRow).where(col(PlanRow.id).in_(wanted)).order_by(col(PlanRow.code))
    heads = (await session.execute(query)).scalars().all()
    return await _whole(session, heads)


async def plans_in_force(session: AsyncSession, *, is_drill: bool | None = None) -> list[Plan]:
    """Every plan in force, whole."""
    return await _whole(session, await plan_rows(session, is_drill=is_drill))


async def store(session: AsyncSession, plan: Plan) -> None:
    """Insert a plan with all its parts. The caller has checked it."""
    session.add(_head_row(plan))
    await session.flush()
    session.add_all(_part_rows(plan))
    await session.flush()


async def remove_demo(session: AsyncSession) -> None:
    """Delete the plans that are marked as demonstration, with their parts (cascade)."""
    await session.execute(delete(PlanRow).where(col(PlanRow.is_demo).is_(True)))


async def _parts(
    session: AsyncSession, table: type[Row], ids: Sequence[UUID], order: str
) -> dict[UUID, list[Row]]:
    plan_id = getattr(table, "plan_id")  # noqa: B009 - every part table has the column
    query = select(table).where(plan_id.in_(ids)).order_by(getattr(table, order))
    parts: dict[UUID, list[Row]] = defaultdict(list)
    for row in (await session.execute(query)).scalars():
        parts[getattr(row, "plan_id")].append(row)  # noqa: B009
    return parts


async def _whole(session: AsyncSession, heads: Sequence[PlanRow]) -> list[Plan]:
    ids = [head.id for head in heads]
    clauses = await _parts(session, PlanClauseRow, ids, "ordinal")
    indicators = await _parts(session, PlanIndicatorRow, ids, "ordinal")
    levels = await _parts(session, PlanLevelRow, ids, "level")
    groups = await _parts(session, PlanGroupRow, ids, "ordinal")
    cards = await _parts(session, PlanCardRow, ids, "ordinal")
    needs = await _parts(session, PlanNeedRow, ids, "item")
    contacts = await _parts(session, PlanContactRow, ids, "ordinal")
    return [
        Plan(
            id=head.id,
            code=head.code,
            version=head.version,
            name=head.name,
            kind=head.kind,
            tier=head.tier,
            region_code=head.region_code,
            event_types=tuple(head.event_types),
            status=head.status,
            issued_by=head.issued_by,
            issued_on=head.issued_on,
            filing_number=head.filing_number,
            review_due=head.review_due,
            summary=head.summary,
            is_demo=head.is_demo,
            is_drill=head.is_drill,
            clauses=tuple(Clause(r.number, r.title, r.text) for r in clauses[head.id]),
            indicators=tuple(
                Indicator(r.expression, r.weight, r.reason) for r in indicators[head.id]
            ),
            levels=tuple(sorted(map(_level, levels[head.id]), key=_from_the_top)),
            groups=tuple(_group(r) for r in groups[head.id]),
            cards=tuple(_card(r, needs[head.id]) for r in cards[head.id]),
            contacts=tuple(
                Contact(r.group_code, r.name, r.role, r.unit_name, r.phone)
                for r in contacts[head.id]
            ),
        )
        for head in heads
    ]


def _from_the_top(rule: LevelRule) -> tuple[int, int]:
    return TIERS.index(rule.tier), rule.level.rank


def _level(row: PlanLevelRow) -> LevelRule:
    return LevelRule(
        tier=row.tier,
        level=ResponseLevel(row.level),
        trigger=row.trigger,
        trigger_text=row.trigger_text,
        declared_by=row.declared_by,
        expected_hours=row.expected_hours,
        group_codes=tuple(row.group_codes),
        notify=tuple(row.notify),
        clause=row.clause,
    )


def _group(row: PlanGroupRow) -> Group:
    return Group(row.code, row.name, row.lead_unit, tuple(row.members), row.duties, row.clause)


def _card(row: PlanCardRow, needs: Sequence[PlanNeedRow]) -> Card:
    return Card(
        number=row.number,
        group_code=row.group_code,
        text=row.text,
        responsible=row.responsible,
        deadline_minutes=row.deadline_minutes,
        depends_on=tuple(row.depends_on),
        evidence=row.evidence,
        clause=row.clause,
        tiers=tuple(row.tiers),
        least_level=ResponseLevel(row.least_level),
        skills=tuple(row.skills),
        crew_needed=row.crew_needed,
        work_minutes=row.work_minutes,
        severity=row.severity,
        condition=row.condition,
        needs=tuple(Need(n.item, n.quantity, n.unit) for n in needs if n.card_number == row.number),
    )


def _head_row(plan: Plan) -> PlanRow:
    return PlanRow(
        id=plan.id,
        code=plan.code,
        version=plan.version,
        name=plan.name,
        kind=plan.kind,
        tier=plan.tier,
        region_code=plan.region_code,
        event_types=list(plan.event_types),
        status=plan.status,
        issued_by=plan.issued_by,
        issued_on=plan.issued_on,
        filing_number=plan.filing_number,
        review_due=plan.review_due,
        summary=plan.summary,
        is_demo=plan.is_demo,
        is_drill=plan.is_drill,
    )


def _part_rows(plan: Plan) -> list[SQLModel]:
    return [
        *(_clause_row(plan, at, clause) for at, clause in enumerate(plan.clauses)),
        *(_indicator_row(plan, at, sign) for at, sign in enumerate(plan.indicators)),
        *(_level_row(plan, rule) for rule in plan.levels),
        *(_group_row(plan, at, group) for at, group in enumerate(plan.groups)),
        *(_card_row(plan, at, card) for at, card in enumerate(plan.cards)),
        *(_need_row(plan, card, need) for card in plan.cards for need in card.needs),
        *(_contact_row(plan, at, contact) for at, contact in enumerate(plan.contacts)),
    ]


def _clause_row(plan: Plan, at: int, clause: Clause) -> PlanClauseRow:
    return PlanClauseRow(
        plan_id=plan.id, ordinal=at, number=clause.number, title=clause.title, text=clause.text
    )


def _indicator_row(plan: Plan, at: int, sign: Indicator) -> PlanIndicatorRow:
    return PlanIndicatorRow(
        plan_id=plan.id,
        ordinal=at,
        expression=sign.expression,
        weight=sign.weight,
        reason=sign.reason,
    )


def _group_row(plan: Plan, at: int, group: Group) -> PlanGroupRow:
    return PlanGroupRow(
        plan_id=plan.id,
        ordinal=at,
        code=group.code,
        name=group.name,
        lead_unit=group.lead_unit,
        members=list(group.members),
        duties=group.duties,
        clause=group.clause,
    )


def _need_row(plan: Plan, card: Card, need: Need) -> PlanNeedRow:
    return PlanNeedRow(
        plan_id=plan.id,
        card_number=card.number,
        item=need.item,
        quantity=need.quantity,
        unit=need.unit,
    )


def _contact_row(plan: Plan, at: int, contact: Contact) -> PlanContactRow:
    return PlanContactRow(
        plan_id=plan.id,
        ordinal=at,
        group_code=contact.group_code,
        name=contact.name,
        role=contact.role,
        unit_name=contact.unit_name,
        phone=contact.phone,
    )


def _level_row(plan: Plan, rule: LevelRule) -> PlanLevelRow:
    return PlanLevelRow(
        plan_id=plan.id,
        tier=rule.tier,
        level=rule.level.value,
        trigger=rule.trigger,
        trigger_text=rule.trigger_text,
        declared_by=rule.declared_by,
        expected_hours=rule.expected_hours,
        group_codes=list(rule.group_codes),
        notify=list(rule.notify),
        clause=rule.clause,
    )


def _card_row(plan: Plan, at: int, card: Card) -> PlanCardRow:
    return PlanCardRow(
        plan_id=plan.id,
        ordinal=at,
        number=card.number,
        group_code=card.group_code,
        text=card.text,
        responsible=card.responsible,
        deadline_minutes=card.deadline_minutes,
        depends_on=list(card.depends_on),
        evidence=card.evidence,
        clause=card.clause,
        tiers=list(card.tiers),
        least_level=card.least_level.value,
        skills=list(card.skills),
        crew_needed=card.crew_needed,
        work_minutes=card.work_minutes,
        severity=card.severity,
        condition=card.condition,
    )
