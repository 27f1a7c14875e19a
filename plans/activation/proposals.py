"""Which plan fits an incident, why, and which level its triggers suggest. Pure.

The score is the share of a plan's indicator weights that hold: 0.93 means that signs weighing 93
of 100 were found. A person decides; the proposal only says what speaks for a plan, what is not yet
known, and which trigger holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..library.model import LevelRule, Plan, ResponseLevel
from ..words import sentence, word
from .expression import evaluate, parse, unknown_facts
from .facts import FACT_NAMES, Facts


@dataclass(frozen=True, slots=True)
class Trigger:
    """A level rule whose trigger holds or is still open; `unknown` are facts nobody has yet."""

    tier: str
    level: ResponseLevel
    text: str
    declared_by: str
    clause: str
    expected_hours: int
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """`reasons` are sentences for the operator. `suggested_level` is that of the plan's own tier.

    `open_triggers` are levels above the suggested one that only unknown facts keep from deciding.
    """

    plan: Plan
    score: float
    reasons: tuple[str, ...]
    suggested_level: ResponseLevel | None
    triggers: tuple[Trigger, ...]
    open_triggers: tuple[Trigger, ...]


LEAST_SCORE = 0.2
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def propose(facts: Facts, plans: Iterable[Plan]) -> tuple[Proposal, ...]:
    """Plans in force that fit at all, best first. Equal scores keep the order of codes."""
    proposals = [_proposal(facts, plan) for plan in plans if plan.status == "in_force"]
    fitting = [p for p in proposals if p.score >= LEAST_SCORE]
    return tuple(sorted(fitting, key=lambda p: (-p.score, p.plan.code)))


def _proposal(facts: Facts, plan: Plan) -> Proposal:
    weight = 0
    reasons: list[str] = []
    for indicator in plan.indicators:
        if evaluate(parse(indicator.expression), facts):
            weight += indicator.weight
            reasons.append(_filled(indicator.reason, facts))
    holding, undecided = _triggers(facts, plan)
    own = [t for t in holding if t.tier == plan.tier]
    suggested = min((t.level for t in own), key=lambda level: level.rank, default=None)
    above = tuple(
        t
        for t in undecided
        if t.tier == plan.tier and (suggested is None or t.level.rank < suggested.rank)
    )
    best = next((t for t in own if t.level is suggested), None)
    if best is not None:
        reasons.append(sentence("trigger_holds", clause=best.clause, text=best.text))
    reasons += [_open_reason(trigger) for trigger in above]
    return Proposal(plan, weight / 100, tuple(reasons), suggested, tuple(holding), above)


def _triggers(facts: Facts, plan: Plan) -> tuple[list[Trigger], list[Trigger]]:
    """Rules whose trigger holds, and rules that are undecided."""
    holding: list[Trigger] = []
    undecided: list[Trigger] = []
    for rule in sorted(plan.levels, key=lambda rule: rule.level.rank):
        if not rule.trigger:
            continue
        expression = parse(rule.trigger)
        outcome = evaluate(expression, facts)
        if outcome:
            holding.append(_trigger(rule))
        elif outcome is None:
            undecided.append(_trigger(rule, unknown_facts(expression, facts)))
    return holding, undecided


def _trigger(rule: LevelRule, unknown: tuple[str, ...] = ()) -> Trigger:
    return Trigger(
        rule.tier,
        rule.level,
        rule.trigger_text,
        rule.declared_by,
        rule.clause,
        rule.expected_hours,
        unknown,
    )


def _filled(reason: str, facts: Facts) -> str:
    """The plan's sentence with `{fact}` replaced by what is known."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in FACT_NAMES:
            return match[0]
        known = getattr(facts, match[1])
        if known is None:
            return word("reasons", "unknown")
        return f"{known:g}" if isinstance(known, float) else str(known)

    return PLACEHOLDER.sub(value, reason)


def _open_reason(trigger: Trigger) -> str:
    facts = word("reasons", "separator").join(word("facts", name) for name in trigger.unknown)
    return sentence("trigger_open", level=word("levels", trigger.level.value), facts=facts)
