"""What must hold in a plan before it may be used; a broken plan is refused, not repaired."""

from __future__ import annotations

from collections.abc import Iterator

from ..activation.expression import parse
from ..errors import PlansError, RemotePlansError
from .model import Plan

TIERS = frozenset({"province", "city", "county", "town", "enterprise"})


def check(plan: Plan) -> None:
    """Raises RemotePlansError `plan_invalid` naming the first thing that is wrong."""
    for where, what in faults(plan):
        raise RemotePlansError("plan_invalid", plan=plan.code, where=where, what=what)


def faults(plan: Plan) -> Iterator[tuple[str, str]]:
    """Everything that is wrong, as (where, what)."""
    clauses = {clause.number for clause in plan.clauses}
    groups = {group.code for group in plan.groups}
    yield from _indicator_faults(plan)
    for rule in plan.levels:
        where = f"level {rule.tier} {rule.level}"
        yield from _expression_faults(where, rule.trigger)
        if rule.tier not in TIERS:
            yield where, "tier_unknown"
        if rule.clause not in clauses:
            yield where, "clause_missing"
        if not set(rule.group_codes) <= groups:
            yield where, "group_missing"
    yield from _card_faults(plan, clauses, groups)
    for group in plan.groups:
        if group.clause not in clauses:
            yield f"group {group.code}", "clause_missing"
    for contact in plan.contacts:
        if contact.group_code and contact.group_code not in groups:
            yield f"contact {contact.name}", "group_missing"


def _indicator_faults(plan: Plan) -> Iterator[tuple[str, str]]:
    for indicator in plan.indicators:
        yield from _expression_faults(f"indicator {indicator.reason}", indicator.expression)
    if sum(indicator.weight for indicator in plan.indicators) != 100:
        yield "indicators", "weights_do_not_add_up_to_100"


def _card_faults(plan: Plan, clauses: set[str], groups: set[str]) -> Iterator[tuple[str, str]]:
    numbers = [card.number for card in plan.cards]
    if len(numbers) != len(set(numbers)):
        yield "cards", "number_twice"
    for card in plan.cards:
        where = f"card {card.number}"
        if card.group_code not in groups:
            yield where, "group_missing"
        if card.clause not in clauses:
            yield where, "clause_missing"
        if not set(card.depends_on) <= set(numbers):
            yield where, "predecessor_missing"
        if not set(card.tiers) <= TIERS:
            yield where, "tier_unknown"
        if bool(card.skills) != (card.crew_needed > 0):
            yield where, "skills_without_crew"
        yield from _expression_faults(where, card.condition)
    if _has_cycle({card.number: card.depends_on for card in plan.cards}):
        yield "cards", "predecessors_in_a_circle"


def _expression_faults(where: str, text: str) -> Iterator[tuple[str, str]]:
    if not text:
        return
    try:
        parse(text)
    except PlansError as error:
        yield where, error.code


def _has_cycle(depends_on: dict[str, tuple[str, ...]]) -> bool:
    """Takes away cards without open predecessors until none or only a circle is left."""
    left = dict(depends_on)
    while left:
        free = [n for n, before in left.items() if not set(before) & left.keys()]
        if not free:
            return True
        for number in free:
            del left[number]
    return False
