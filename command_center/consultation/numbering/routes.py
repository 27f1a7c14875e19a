"""Routes of the dial plan: a centre's rules, and where a number would lead."""

from __future__ import annotations

import re
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sip_gateway.dial_plan import (
    LOBBY_NUMBER,
    SELF_TEST_NUMBER,
    SERVICE_NUMBERS,
    DialPlan,
    Direction,
    Inside,
    Nowhere,
    Outside,
    Rule,
    Way,
    plain_number,
)
from sip_gateway.errors import LocalSipError

from ...security import Permission, Work, service_call
from ...web import Context, route
from ..errors import LocalConsultationError
from . import repository
from .plans import plan_of
from .tables import DialPlanRow

REGION = re.compile(r"[0-9]{6}([0-9]{3})?")
RULES = 200


class RuleIn(BaseModel):
    """Numbers that begin with `match` lose `strip` signs and gain `add`; with `is_whole` the number
    `match` becomes `add`."""

    model_config = ConfigDict(extra="forbid")

    direction: Direction
    match: str = Field(min_length=1, max_length=32)
    is_whole: bool = False
    strip: int = Field(default=0, ge=0, le=32)
    add: str = Field(default="", max_length=32)
    way: Way = Way.INSIDE
    note: str = Field(default="", max_length=60)

    @field_validator("match", "add")
    @classmethod
    def _as_compared(cls, value: str) -> str:
        return plain_number(value) or value

    @model_validator(mode="after")
    def _has_sense(self) -> Self:
        try:
            self.rule()
        except LocalSipError as error:
            raise ValueError(f"rule_malformed: {error.fields['field']}") from error
        if self.direction is Direction.IN and self.is_whole and self.match in SERVICE_NUMBERS:
            raise ValueError("rule_malformed: a service number has no rule")
        return self

    def rule(self) -> Rule:
        return Rule(self.direction, self.match, self.is_whole, self.strip, self.add, self.way)


class PlanIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rules: list[RuleIn] = Field(max_length=RULES)

    @field_validator("rules")
    @classmethod
    def _has_no_twins(cls, rules: list[RuleIn]) -> list[RuleIn]:
        kinds = [(rule.direction, rule.match, rule.is_whole) for rule in rules]
        if len(set(kinds)) < len(kinds):
            raise ValueError("two rules for one number")
        return rules


class PlanOut(PlanIn):
    region_code: str


class TrialOut(BaseModel):
    """Where a number leads: `kind` is consultation, lobby, self_test, site, trunk, gatekeeper, or
    a code of why it leads nowhere. `name` is of what it leads to."""

    kind: str
    number: str = Field(description="as the rules leave it")
    match: str = Field(description="of the rule that bars it, else empty")
    name: str = ""


@route("GET", "/dial-plan", access=Permission.LIBRARY_READ, reply=PlanOut)
async def get_plan(ctx: Context[None]) -> PlanOut:
    """The rules of the own centre."""
    region_code = ctx.actor.region_code
    kept = {row.region_code: row.rules for row in await repository.plans(ctx.work.session)}
    rules = [RuleIn.model_validate(rule) for rule in kept.get(region_code, [])]
    return PlanOut(region_code=region_code, rules=rules)


@service_call(permission=Permission.ACCOUNT_MANAGE, audit="dial_plan.set")
async def set_plan(work: Work, region_code: str, plan: PlanIn) -> PlanOut:
    """Replace a centre's rules; they hold from the next call on. A matter of who may be called at
    whose cost, hence the administrator's."""
    if not REGION.fullmatch(region_code):
        raise LocalConsultationError("region_unknown", region_code=region_code)
    work.actor.require_region(region_code)
    row = await repository.plan(work.session, region_code)
    if row is None:
        row = DialPlanRow(region_code=region_code, rules=[])
    row.rules = [rule.model_dump(mode="json") for rule in plan.rules]
    work.session.add(row)
    work.concerns("dial_plan", region_code, rules=row.rules)
    return PlanOut(region_code=region_code, rules=plan.rules)


@route("PUT", "/dial-plan", access=set_plan, body=PlanIn, reply=PlanOut)
async def put_plan(ctx: Context[PlanIn]) -> PlanOut:
    """Replace the rules of the own centre."""
    return await set_plan(ctx.work, ctx.actor.region_code, ctx.body)


@route("GET", "/dial-plan/trial", access=Permission.LIBRARY_READ, reply=TrialOut)
async def get_trial(ctx: Context[None]) -> TrialOut:
    """Where a number would lead now (`direction` in or out, `number`); nobody is called."""
    plan = await plan_of(ctx.work.session, ctx.actor.region_code)
    return await tried(ctx.work, plan, ctx.query("direction", "in"), ctx.query("number"))


async def tried(work: Work, plan: DialPlan, direction: str, number: str) -> TrialOut:
    """One number by one plan, and what is there."""
    found = plan.outgoing(number) if direction == Direction.OUT else plan.incoming(number)
    if isinstance(found, Nowhere):
        return TrialOut(kind=found.code, number=found.number, match=found.match)
    if isinstance(found, Outside):
        return TrialOut(kind=found.way.value, number=found.number, match="")
    return await _inside(work, found, is_out=direction == Direction.OUT)


async def _inside(work: Work, found: Inside, *, is_out: bool) -> TrialOut:
    site = await repository.site_of_number(work.session, found.number)
    if site is not None and work.actor.covers(site.region_code):
        return TrialOut(kind="site", number=found.number, match="", name=site.name)
    if not is_out and found.number in SERVICE_NUMBERS:
        return TrialOut(kind=SERVICE_KINDS[found.number], number=found.number, match="")
    title = None if is_out else await repository.title_of_number(work.session, found.number)
    if title is not None:
        return TrialOut(kind="consultation", number=found.number, match="", name=title)
    return TrialOut(kind="number_unknown", number=found.number, match="")


SERVICE_KINDS = {LOBBY_NUMBER: "lobby", SELF_TEST_NUMBER: "self_test"}
ROUTES = [get_plan, put_plan, get_trial]
