"""Reads a digital plan from its TOML file, the form in which plans are written and exchanged.

A file holds the plan's head, its source document clause by clause, and the data drawn from it.
Nothing is guessed: an unknown key is an error, and the whole plan is checked before it is returned.
"""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import RemotePlansError
from .checks import check
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

Tier = Literal["province", "city", "county", "town", "enterprise"]
Level = Literal["1", "2", "3", "4", "standby"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Clause(_Part):
    number: str = Field(pattern=r"^\d{1,2}(\.\d{1,2}){0,3}$")
    title: str
    text: str = ""


class _Indicator(_Part):
    expression: str
    weight: int = Field(ge=1, le=100)
    reason: str


class _Level(_Part):
    tier: Tier
    level: Level
    trigger: str = ""
    trigger_text: str
    declared_by: str
    expected_hours: int = Field(ge=1, le=720)
    groups: list[str] = []
    notify: list[str] = []
    clause: str


class _Group(_Part):
    code: str
    name: str
    lead: str
    members: list[str] = []
    duties: str
    clause: str


class _Need(_Part):
    item: str
    quantity: int = Field(ge=1)
    unit: str


class _Card(_Part):
    number: str
    group: str
    text: str
    responsible: str
    deadline_minutes: int = Field(ge=1, le=14400)
    depends_on: list[str] = []
    evidence: str
    clause: str
    tiers: list[Tier] = []
    least_level: Level = "4"
    skills: list[str] = []
    crew_needed: int = Field(default=0, ge=0, le=1000)
    work_minutes: int = Field(default=60, ge=1, le=2880)
    severity: int = Field(default=3, ge=1, le=5)
    condition: str = ""
    needs: list[_Need] = []


class _Contact(_Part):
    group: str = ""
    name: str
    role: str
    unit: str
    phone: str


class _PlanFile(_Part):
    code: str = Field(max_length=64)
    version: str
    name: str
    kind: Literal["overall", "special", "department", "comprehensive", "on_scene"]
    tier: Tier
    region_code: str = Field(pattern=r"^\d{6}(\d{3})?$")
    event_types: list[str]
    status: Literal["draft", "in_force", "superseded", "withdrawn"] = "in_force"
    issued_by: str
    issued_on: date
    filing_number: str = ""
    review_due: date
    summary: str
    is_demo: bool = False
    clause: list[_Clause]
    indicator: list[_Indicator]
    level: list[_Level]
    group: list[_Group]
    card: list[_Card]
    contact: list[_Contact] = []


def read_plan(text: str, plan_id: UUID) -> Plan:
    """The plan of a TOML file, under the id the caller minted.

    Raises RemotePlansError `plan_unreadable` (not TOML, or a field wrong; `where` names it) and
    `plan_invalid` (parts that do not fit together).
    """
    try:
        data = _PlanFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise RemotePlansError("plan_unreadable", where=str(error)) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RemotePlansError("plan_unreadable", where=where, what=first["type"]) from None
    plan = _plan(data, plan_id)
    check(plan)
    return plan


def _plan(data: _PlanFile, plan_id: UUID) -> Plan:
    return Plan(
        id=plan_id,
        code=data.code,
        version=data.version,
        name=data.name,
        kind=data.kind,
        tier=data.tier,
        region_code=data.region_code,
        event_types=tuple(data.event_types),
        status=data.status,
        issued_by=data.issued_by,
        issued_on=data.issued_on,
        filing_number=data.filing_number,
        review_due=data.review_due,
        summary=data.summary,
        is_demo=data.is_demo,
        is_drill=False,
        clauses=tuple(Clause(c.number, c.title, c.text) for c in data.clause),
        indicators=tuple(Indicator(i.expression, i.weight, i.reason) for i in data.indicator),
        levels=tuple(_level(level) for level in data.level),
        groups=tuple(
            Group(g.code, g.name, g.lead, tuple(g.members), g.duties, g.clause) for g in data.group
        ),
        cards=tuple(_card(card) for card in data.card),
        contacts=tuple(Contact(c.group, c.name, c.role, c.unit, c.phone) for c in data.contact),
    )


def _level(data: _Level) -> LevelRule:
    return LevelRule(
        tier=data.tier,
        level=ResponseLevel(data.level),
        trigger=data.trigger,
        trigger_text=data.trigger_text,
        declared_by=data.declared_by,
        expected_hours=data.expected_hours,
        group_codes=tuple(data.groups),
        notify=tuple(data.notify),
        clause=data.clause,
    )


def _card(data: _Card) -> Card:
    return Card(
        number=data.number,
        group_code=data.group,
        text=data.text,
        responsible=data.responsible,
        deadline_minutes=data.deadline_minutes,
        depends_on=tuple(data.depends_on),
        evidence=data.evidence,
        clause=data.clause,
        tiers=tuple(data.tiers),
        least_level=ResponseLevel(data.least_level),
        skills=tuple(data.skills),
        crew_needed=data.crew_needed,
        work_minutes=data.work_minutes,
        severity=data.severity,
        condition=data.condition,
        needs=tuple(Need(n.item, n.quantity, n.unit) for n in data.needs),
    )
