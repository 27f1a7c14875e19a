"""Which rules hold for whom, and what is dialled by them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sip_gateway.dial_plan import DialPlan, Direction, Inside, Nowhere, Outside, Route, Rule, Way
from sip_gateway.messages import Dial, Rung

from ...security import region_prefix
from ..errors import LocalConsultationError
from . import repository
from .tables import DialPlanRow


def plan_for(rows: Iterable[DialPlanRow], region_code: str | None) -> DialPlan:
    """The rules over a region, the nearest centre's first.

    None stands for a telephone: it belongs to no centre, so every centre's rules hold for it, of
    equal ones the widest centre's.
    """
    reach = {row.region_code: region_prefix(row.region_code) for row in rows}
    rules = {row.region_code: [rule_of(rule) for rule in row.rules] for row in rows}
    if region_code is None:
        order = sorted(reach, key=lambda code: (len(reach[code]), code))
    else:
        over = [code for code in reach if region_code.startswith(reach[code])]
        order = sorted(over, key=lambda code: (-len(reach[code]), code))
    return DialPlan(tuple(rule for code in order for rule in rules[code]))


def rule_of(stored: dict[str, object]) -> Rule:
    """A rule as it is kept. Raises LocalSipError for one without sense."""
    return Rule(
        Direction(str(stored["direction"])),
        str(stored["match"]),
        bool(stored["is_whole"]),
        int(str(stored["strip"])),
        str(stored["add"]),
        Way(str(stored["way"])),
    )


async def plan_of(session: AsyncSession, region_code: str | None) -> DialPlan:
    return plan_for(await repository.plans(session), region_code)


def refuse_nowhere(route: Route) -> Inside | Outside:
    """Raises LocalConsultationError(`number_malformed`, `number_barred`, `number_emptied`)."""
    if isinstance(route, Nowhere):
        raise LocalConsultationError(route.code, number=route.number, match=route.match)
    return route


async def dialled(session: AsyncSession, consultation_id: UUID, dial: Dial) -> Dial:
    """The same call with its numbers as the plan has them; barred telephones are not rung.

    Raises LocalConsultationError as `refuse_nowhere` when the first number leads nowhere.
    """
    if dial.number is None and all(rung.number is None for rung in dial.ladder):
        return dial
    plan = await plan_of(session, await repository.region_of(session, consultation_id))
    ladder = [_rung(plan, rung) for rung in dial.ladder]
    changed: dict[str, object] = {"ladder": [rung for rung in ladder if rung is not None]}
    if dial.number is not None and dial.uri is None:
        changed |= _address(refuse_nowhere(plan.outgoing(dial.number)))
    return dial.model_copy(update=changed)


def _rung(plan: DialPlan, rung: Rung) -> Rung | None:
    if rung.number is None:
        return rung
    route = plan.outgoing(rung.number)
    if isinstance(route, Nowhere):
        return None
    address = _address(route)
    return None if "uri" in address else rung.model_copy(update=address)


def _address(route: Inside | Outside) -> dict[str, object]:
    if isinstance(route, Inside):
        return {"account": route.number, "number": None}
    if route.way is Way.GATEKEEPER:
        return {"uri": f"h323:{route.number}", "number": None}
    return {"number": route.number}
