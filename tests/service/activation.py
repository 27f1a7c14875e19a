"""An incident whose plan is activated, with teams that can do its work: shared by two modules."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

import plans
from command_center.database import Database
from resource_dispatch import Depot, StockItem, Team
from tests.plans.demo import demo_plan

from .conftest import Person, SignIn
from .reports import report

CASUALTIES = {"deaths": 0, "missing": 2, "poisoned_diagnosed": 11, "seen": 27, "endangered": 31}


@pytest.fixture
async def library(database: Database) -> None:
    """The chemical plan, six teams that can do all of its work, one depot with little lye."""
    plan = demo_plan("hazardous-chemicals")
    skills = sorted({skill for card in plan.cards for skill in card.skills})
    async with database.session() as session, session.begin():
        if any(head.code == plan.code for head in await plans.list_plans(session)):
            return
        await plans.add_plan(session, plan)
        for number in range(6):
            session.add(
                Team(
                    code=f"T{number}",
                    name=f"演示队{number}",
                    region_code="440229",
                    longitude=113.6 + number / 20,
                    latitude=24.4,
                    skills=skills,
                    crew=40,
                    authority="request" if number == 5 else "order",
                )
            )
        depot = Depot(
            code="D1", name="演示储备点", region_code="440200", longitude=113.6, latitude=24.8
        )
        session.add(depot)
        await session.flush()
        for item in {(need.item, need.unit) for card in plan.cards for need in card.needs}:
            session.add(StockItem(depot_id=depot.id, item=item[0], unit=item[1], quantity=20))


@dataclass
class Active:
    person: Person
    incident_id: str
    tasks: list[dict[str, object]]


@pytest.fixture
async def active(library: None, sign_in: SignIn) -> Active:
    """An incident whose plan is activated at level three by the province."""
    person = await sign_in()
    answer = await person.post("/incidents", report(casualties=CASUALTIES))
    incident_id = (await answer.json())["incident"]["id"]
    path = f"/incidents/{incident_id}/plan-proposals"
    proposed = (await (await person.get(path)).json())["items"]
    assert "危险化学品" in proposed[0]["name"]
    assert proposed[0]["reasons"]
    assert proposed[0]["suggested_level"] == 3
    body = {
        "plan_id": proposed[0]["plan_id"],
        "tier": "province",
        "level": 3,
        "grounds": "确诊11人，触发式成立",
        "expected_hours": 12,
    }
    answer = await person.post(f"/incidents/{incident_id}/responses", body)
    assert answer.status == 201, await answer.text()
    tasks = (await answer.json())["tasks"]
    again = await person.post(f"/incidents/{incident_id}/responses", body)
    assert (await again.json())["code"] == "response_exists"
    return Active(person, incident_id, tasks)
