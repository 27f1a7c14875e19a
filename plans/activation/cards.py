"""Activating a plan: its templates become dated task cards. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..errors import LocalPlansError
from ..library.model import Card, Need, Plan, ResponseLevel
from .expression import evaluate, parse
from .facts import Facts


@dataclass(frozen=True, slots=True)
class TaskCard:
    """A card of one activation. `depends_on` names cards of the same activation only."""

    plan_code: str
    number: str
    group_code: str
    group_name: str
    text: str
    responsible: str
    due_at: datetime
    depends_on: tuple[str, ...]
    evidence: str
    clause: str
    skills: tuple[str, ...]
    crew_needed: int
    work_minutes: int
    severity: int
    needs: tuple[Need, ...]


def instantiate(
    plan: Plan,
    level: ResponseLevel,
    activated_at: datetime,
    *,
    tier: str | None = None,
    facts: Facts | None = None,
    already: Sequence[str] = (),
) -> tuple[TaskCard, ...]:
    """The cards that this level adds, due at `activated_at` plus their deadline.

    `tier` is the tier that declares (default: the plan's own). A card whose condition is false by
    the facts is left out; while the facts are unknown it is kept, because a card too many can be
    closed and a forgotten one cannot. `already` names cards that an earlier, lower level of the
    same plan brought: raising the level adds the missing ones and dates nothing anew.

    Raises LocalPlansError `activation_time_naive` without a time zone, `plan_not_in_force` for a
    draft, superseded or withdrawn version.
    """
    if activated_at.tzinfo is None:
        raise LocalPlansError("activation_time_naive")
    if plan.status != "in_force":
        raise LocalPlansError("plan_not_in_force", plan=plan.code, status=plan.status)
    chosen = [card for card in plan.cards if _applies(card, level, tier or plan.tier, facts)]
    present = {card.number for card in chosen} | set(already)
    return tuple(
        _dated(plan, card, activated_at, present) for card in chosen if card.number not in already
    )


def _applies(card: Card, level: ResponseLevel, tier: str, facts: Facts | None) -> bool:
    if not level.reaches(card.least_level):
        return False
    if card.tiers and tier not in card.tiers:
        return False
    if not card.condition or facts is None:
        return True
    return evaluate(parse(card.condition), facts) is not False


def _dated(plan: Plan, card: Card, activated_at: datetime, present: set[str]) -> TaskCard:
    return TaskCard(
        plan_code=plan.code,
        number=card.number,
        group_code=card.group_code,
        group_name=plan.group(card.group_code).name,
        text=card.text,
        responsible=card.responsible,
        due_at=activated_at + timedelta(minutes=card.deadline_minutes),
        depends_on=tuple(number for number in card.depends_on if number in present),
        evidence=card.evidence,
        clause=card.clause,
        skills=card.skills,
        crew_needed=card.crew_needed,
        work_minutes=card.work_minutes,
        severity=card.severity,
        needs=card.needs,
    )
