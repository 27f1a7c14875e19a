"""A digital plan in memory: frozen, whole, checked. What activation and the API work on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID


class ResponseLevel(StrEnum):
    """一级 to 四级, one is the highest; `standby` (预警启动) is below all of them.

    A response level is declared by a tier of government. It is not the accident's grade and has no
    colour (突发事件应对法 2024, arts. 71 and 72).
    """

    ONE = "1"
    TWO = "2"
    THREE = "3"
    FOUR = "4"
    STANDBY = "standby"

    @property
    def rank(self) -> int:
        """1 is the most serious, 5 is standby."""
        return 5 if self is ResponseLevel.STANDBY else int(self.value)

    def reaches(self, least: ResponseLevel) -> bool:
        """Whether this level is at least as serious as `least`."""
        return self.rank <= least.rank


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of the source document, anchored by its number."""

    number: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """A sign that the plan fits. The weights of a plan add up to 100."""

    expression: str
    weight: int
    reason: str


@dataclass(frozen=True, slots=True)
class LevelRule:
    """When a tier responds at a level. An empty trigger leaves it to decision alone."""

    tier: str
    level: ResponseLevel
    trigger: str
    trigger_text: str
    declared_by: str
    expected_hours: int
    group_codes: tuple[str, ...]
    notify: tuple[str, ...]
    clause: str


@dataclass(frozen=True, slots=True)
class Group:
    """A working group of the headquarters."""

    code: str
    name: str
    lead_unit: str
    members: tuple[str, ...]
    duties: str
    clause: str


@dataclass(frozen=True, slots=True)
class Need:
    """Material that a card needs."""

    item: str
    quantity: int
    unit: str


@dataclass(frozen=True, slots=True)
class Card:
    """The template of a task card; due `deadline_minutes` after the response starts.

    `skills` and `crew_needed` say what a team must bring; a card with crew 0 is done by the
    responsible unit and goes to no optimiser. `severity` 5 is life in danger.
    """

    number: str
    group_code: str
    text: str
    responsible: str
    deadline_minutes: int
    depends_on: tuple[str, ...]
    evidence: str
    clause: str
    tiers: tuple[str, ...]
    least_level: ResponseLevel
    skills: tuple[str, ...]
    crew_needed: int
    work_minutes: int
    severity: int
    condition: str
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Contact:
    """Who is called for a group."""

    group_code: str
    name: str
    role: str
    unit_name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of one plan, whole."""

    id: UUID
    code: str
    version: str
    name: str
    kind: str
    tier: str
    region_code: str
    event_types: tuple[str, ...]
    status: str
    issued_by: str
    issued_on: date | None
    filing_number: str
    review_due: date | None
    summary: str
    is_demo: bool
    is_drill: bool
    clauses: tuple[Clause, ...]
    indicators: tuple[Indicator, ...]
    levels: tuple[LevelRule, ...]
    groups: tuple[Group, ...]
    cards: tuple[Card, ...]
    contacts: tuple[Contact, ...]

    def group(self, code: str) -> Group:
        """Raises KeyError for a code that the plan does not have."""
        for group in self.groups:
            if group.code == code:
                return group
        raise KeyError(code)

    def level_rule(self, tier: str, level: ResponseLevel) -> LevelRule | None:
        """The rule of this tier and level, or None where the plan has none."""
        for rule in self.levels:
            if rule.tier == tier and rule.level is level:
                return rule
        return None
