"""From the plan to orders: proposals with reasons, task cards, the optimiser, who accepts first."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from command_center.database import new_id
from command_center.incidents.tables import IncidentRow, OrderRow
from command_center.security import SYSTEM, Desk

from .activation import Active, active, library
from .conftest import SignIn

__all__ = ["active", "library"]  # pytest finds fixtures by their names in the module
ROUNDS = int(os.environ.get("ACCEPT_ROUNDS", "10"))


async def test_activation_brings_cards_and_raising_the_level_adds_only_new_ones(
    active: Active,
) -> None:
    """Each card has its clause, its deadline and its evidence; none comes twice."""
    assert active.tasks
    assert all(task["clause"] and task["due_at"] for task in active.tasks)
    incident = await (await active.person.get(f"/incidents/{active.incident_id}")).json()
    response = incident["responses"][0]
    body = {
        "plan_id": response["plan_id"],
        "tier": "province",
        "level": 2,
        "grounds": "死亡3且跨市",
        "expected_hours": 12,
    }
    answer = await active.person.post(f"/incidents/{active.incident_id}/responses", body)
    assert answer.status == 201, await answer.text()
    added = {task["number"] for task in (await answer.json())["tasks"]}
    assert added.isdisjoint({task["number"] for task in active.tasks})
    incident = await (await active.person.get(f"/incidents/{active.incident_id}")).json()
    levels = [(r["level"], r["ended_at"] is None) for r in incident["responses"]]
    assert levels == [(3, False), (2, True)]


async def test_a_plan_is_read_whole_with_its_clauses(active: Active) -> None:
    """Each card opens its paragraph of the source document."""
    heads = (await (await active.person.get("/plans")).json())["items"]
    plan = await (await active.person.get(f"/plans/{heads[0]['id']}")).json()
    numbers = {clause["number"] for clause in plan["clauses"]}
    assert {card["clause"] for card in plan["cards"]} <= numbers
    unknown = await active.person.get(f"/plans/{uuid4()}")
    assert (unknown.status, (await unknown.json())["code"]) == (404, "plan_not_found")


async def test_a_card_needs_its_evidence_and_its_predecessors(active: Active) -> None:
    """Story section 8: 证据缺则不能办结."""
    path = f"/incidents/{active.incident_id}/tasks"
    dependent = next(task for task in active.tasks if task["depends_on"] and task["evidence"])
    card = f"{path}/{dependent['id']}"
    refused = await active.person.request("PATCH", card, json={"state": "doing"})
    assert refused.status == 200
    refused = await active.person.request("PATCH", card, json={"state": "done"})
    assert (await refused.json())["code"] == "evidence_missing"
    done = {"state": "done", "evidence_text": "照片2张"}
    refused = await active.person.request("PATCH", card, json=done)
    assert (await refused.json())["code"] == "task_blocked"
    free = next(task for task in active.tasks if not task["depends_on"])
    answer = await active.person.request("PATCH", f"{path}/{free['id']}", json=done)
    assert answer.status == 200, await answer.text()
    assert (await answer.json())["done_by"] == "陈示一"
    again = await active.person.request("PATCH", f"{path}/{free['id']}", json={"state": "todo"})
    assert (await again.json())["code"] == "task_state_conflict"


async def test_confirmed_lines_become_orders_and_a_team_is_never_in_two_places(
    active: Active,
) -> None:
    """The optimiser proposes, a person confirms; a second confirmation finds the first's name."""
    path = f"/incidents/{active.incident_id}/dispatch-proposals"
    answer = await active.person.post(path, {})
    assert answer.status == 201, await answer.text()
    proposal = await answer.json()
    assert proposal["lines"], proposal["unassigned"]
    line = proposal["lines"][0]
    assert line["reason"]
    assert line["arrive_at"] >= line["depart_at"]
    assert len(line["route"]) >= 2
    stale = await (await active.person.post(path, {"objective": "fast"})).json()
    read = await (await active.person.get(f"{path}/{proposal['id']}")).json()
    assert read["lines"] == proposal["lines"]
    unknown = await active.person.post(
        f"/dispatch-proposals/{proposal['id']}/confirm", {"line_ids": [str(uuid4())]}
    )
    assert (await unknown.json())["code"] == "proposal_lines_unknown"
    chosen = {"line_ids": [item["id"] for item in proposal["lines"]]}
    confirm = f"/dispatch-proposals/{proposal['id']}/confirm"
    answer = await active.person.post(confirm, chosen)
    assert answer.status == 200, await answer.text()
    orders = (await answer.json())["orders"]
    assert len(orders) == len(proposal["lines"])
    assert {order["state"] for order in orders} == {"issued"}
    again = await active.person.post(confirm, chosen)
    body = await again.json()
    assert (again.status, body["code"], body["fields"]["winner"]) == (
        409,
        "proposal_used",
        "陈示一",
    )
    late = await active.person.post(
        f"/dispatch-proposals/{stale['id']}/confirm",
        {"line_ids": [item["id"] for item in stale["lines"]]},
    )
    assert (late.status, (await late.json())["code"]) == (409, "team_taken")
    listed = (await (await active.person.get(f"/incidents/{active.incident_id}/orders")).json())[
        "items"
    ]
    assert [order["id"] for order in listed] == [order["id"] for order in orders]
    rest = await (await active.person.post(path, {})).json()
    ordered = {order["task_id"] for order in orders}
    assert ordered.isdisjoint({item["task_id"] for item in rest["lines"]})


async def issued_order(desk: Desk, incident_id: str, kind: str = "order") -> str:
    """An order straight in the database: these tests are about what happens to it."""
    async with desk.work(SYSTEM) as work:
        incident = await work.session.get(IncidentRow, incident_id)
        assert incident is not None
        order = OrderRow(
            number=f"T-{new_id()}"[:32],
            incident_id=incident.id,
            task_text="侦检",
            team_id=new_id(),
            team_name="翁城专职消防站",
            kind=kind,
            issued_at=work.now,
            issued_by="陈示一",
            due_at=datetime.now(UTC) + timedelta(hours=1),
            region_code="440229",
        )
        work.session.add(order)
        return str(order.id)


async def test_an_order_goes_its_way_and_a_request_may_be_declined_with_a_reason(
    active: Active, desk: Desk
) -> None:
    """命令 binds; 商请 may be declined (婉拒), with a reason, before it is accepted."""
    post = active.person.post
    order = await issued_order(desk, active.incident_id)
    assert (await (await post(f"/orders/{order}/done", {})).json())[
        "code"
    ] == "order_state_conflict"
    refused = await post(f"/orders/{order}/decline", {"note": "检修"})
    assert (await refused.json())["code"] == "order_is_binding"
    for action in ("receive", "accept", "arrive", "done"):
        answer = await post(f"/orders/{order}/{action}", {})
        assert answer.status == 200, await answer.text()
    final = await answer.json()
    assert final["state"] == "done"
    assert final["received_at"] <= final["accepted_at"] <= final["arrived_at"] <= final["done_at"]
    request = await issued_order(desk, active.incident_id, "request")
    assert (await (await post(f"/orders/{request}/decline", {})).json())["code"] == "reason_missing"
    declined = await post(f"/orders/{request}/decline", {"note": "本企业检修值守"})
    assert (await declined.json())["state"] == "declined"


async def test_of_fifty_who_accept_at_once_exactly_one_wins(
    active: Active, sign_in: SignIn, desk: Desk
) -> None:
    """F13: one winner each round, the others get 409 with the winner's name."""
    people = [await sign_in(name=f"值班{number}") for number in range(10)]
    for _ in range(ROUNDS):
        order = await issued_order(desk, active.incident_id)
        answers = await asyncio.gather(
            *(people[n % 10].post(f"/orders/{order}/accept", {}) for n in range(50))
        )
        winners = [await a.json() for a in answers if a.status == 200]
        losers = [await a.json() for a in answers if a.status != 200]
        assert len(winners) == 1
        assert {loser["code"] for loser in losers} == {"order_state_conflict"}
        assert {loser["fields"]["winner"] for loser in losers} == {winners[0]["accepted_by"]}
