"""The dispatch desk: plans over two incidents, tried under other conditions, accepted by line."""

from __future__ import annotations

import asyncio
import time
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tests.harness.processes import PATIENCE_S, crowding

from .activation import Active, active, library
from .conftest import Person, SignIn
from .reports import report

__all__ = ["active", "library"]  # pytest finds fixtures by their names in the module


async def solved(person: Person, wish: dict[str, Any]) -> dict[str, Any]:
    """Ask for a plan and wait for its answers."""
    answer = await person.post("/dispatch-plans", {"seconds": 0.3, **wish})
    assert answer.status == 201, await answer.text()
    plan: dict[str, Any] = await answer.json()
    return await until_ready(person, plan["id"])


async def until_ready(person: Person, plan_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        plan: dict[str, Any] = await (await person.get(f"/dispatch-plans/{plan_id}")).json()
        if plan["state"] in ("ready", "failed"):
            assert plan["state"] == "ready"
            return plan
        await asyncio.sleep(0.1)
    raise AssertionError("no answer")


@pytest.fixture
async def second(active: Active) -> str:
    """Another incident nearby, its plan activated too."""
    away = report(title="乳源县演示事故", region_code="440232", longitude=113.28, latitude=24.78)
    answer = await active.person.post("/incidents", away)
    incident_id: str = (await answer.json())["incident"]["id"]
    path = f"/incidents/{incident_id}"
    proposed = await (await active.person.get(f"{path}/plan-proposals")).json()
    body = {
        "plan_id": proposed["items"][0]["plan_id"],
        "tier": "province",
        "level": 3,
        "grounds": "跨区域支援",
        "expected_hours": 12,
    }
    answer = await active.person.post(f"{path}/responses", body)
    assert answer.status == 201, await answer.text()
    return incident_id


async def test_two_incidents_are_planned_as_one_and_replanned_around_orders(
    active: Active, second: str
) -> None:
    """Accept two lines, lose a team and a road: orders stay, three answers say what they change."""
    person, both = active.person, [active.incident_id, second]
    plan = await solved(person, {"incident_ids": both})
    first = plan["alternatives"][0]
    assert [a["name"] for a in plan["alternatives"]] == ["first"]
    assert {line["incident_id"] for line in first["lines"]} == set(both)
    assert first["figures"]["served"] == len(first["lines"])
    taken = first["lines"][:2]
    wish = {"alternative": "first", "line_ids": [line["id"] for line in taken]}
    answer = await person.post(f"/dispatch-plans/{plan['id']}/accept", wish)
    assert answer.status == 200, await answer.text()
    orders = (await answer.json())["orders"]
    assert [order["task_id"] for order in orders] == [line["task_id"] for line in taken]
    again = await person.post(f"/dispatch-plans/{plan['id']}/accept", wish)
    assert (again.status, (await again.json())["code"]) == (409, "dispatch_line_ordered")
    left = [line for line in first["lines"][2:] if line["team_id"] != taken[0]["team_id"]]
    lost = left[0]["team_id"] if left else first["lines"][-1]["team_id"]
    middle = taken[0]["route"][len(taken[0]["route"]) // 2]
    near = f"/roads/nearest?longitude={middle[0]}&latitude={middle[1]}"
    road = (await (await person.get(near)).json())["items"][0]
    again_wish = {
        "incident_ids": both,
        "closed_roads": [road["arc"]],
        "lost_team_ids": [lost],
        "previous_plan_id": plan["id"],
        "previous_alternative": "first",
    }
    after = await solved(person, again_wish)
    assert [a["name"] for a in after["alternatives"]] == ["insert_only", "balanced", "free"]
    standing = {order["order_id"]: order for order in after["orders"]}
    assert {order["id"] for order in orders} <= set(standing)
    mine = standing[orders[0]["id"]]
    assert mine["is_cut_off"] or mine["delay_minutes"] >= 0
    for answer_ in after["alternatives"]:
        ordered = {line["task_id"] for line in taken}
        assert ordered.isdisjoint({line["task_id"] for line in answer_["lines"]})
        assert lost not in {line["team_id"] for line in answer_["lines"]}
    assert after["alternatives"][2]["cost"] <= after["alternatives"][1]["cost"]
    for form, magic in (("png", b"\x89PNG"), ("jpg", b"\xff\xd8")):
        slide = await person.get(f"/dispatch-plans/{after['id']}/slide.{form}?alternative=balanced")
        picture = await slide.read()
        assert slide.status == 200
        assert picture.startswith(magic)
        assert Image.open(BytesIO(picture)).size == (1920, 1080)
    newest = await (await person.get("/dispatch-plans/newest")).json()
    assert newest["plan"]["id"] == after["id"]


async def test_choice_by_hand_is_kept_by_every_plan_until_it_is_lifted(active: Active) -> None:
    """Kept, scored, in the timeline, and never silently undone."""
    person, ids = active.person, [active.incident_id]
    plan = await solved(person, {"incident_ids": ids})
    line = plan["alternatives"][0]["lines"][0]
    path = f"/incidents/{active.incident_id}/tasks/{line['task_id']}/recommended-teams"
    answer = await person.get(f"{path}?plan_id={plan['id']}&alternative=first")
    rows = (await answer.json())["items"]
    assert rows[0]["cost_more"] == 0
    assert [row["cost_more"] for row in rows if not row["limits"]] == sorted(
        row["cost_more"] for row in rows if not row["limits"]
    )
    other = next(row for row in rows if row["team_id"] != line["team_id"] and not row["limits"])
    chosen = {
        "incident_id": active.incident_id,
        "task_id": line["task_id"],
        "team_id": other["team_id"],
    }
    answer = await person.post("/dispatch-overrides", chosen)
    assert answer.status == 201, await answer.text()
    override = await answer.json()
    for objective in ("fast", "cover"):
        kept = await solved(person, {"incident_ids": ids, "objective": objective})
        mine = next(
            li for li in kept["alternatives"][0]["lines"] if li["task_id"] == line["task_id"]
        )
        assert (mine["team_id"], mine["is_override"]) == (other["team_id"], True)
        assert mine["runner_up_cost"] is not None
    held = f"/incidents/{active.incident_id}/dispatch-overrides"
    assert len((await (await person.get(held)).json())["items"]) == 1
    timeline = await (await person.get(f"/incidents/{active.incident_id}/timeline")).json()
    assert any("人工指定" in entry["text"] for entry in timeline["items"])
    gone = await person.request("DELETE", f"/dispatch-overrides/{override['id']}")
    assert gone.status == 204
    assert (await (await person.get(held)).json())["items"] == []
    twice = await person.request("DELETE", f"/dispatch-overrides/{override['id']}")
    assert (await twice.json())["code"] == "dispatch_override_not_found"


async def test_search_may_be_cancelled_and_gives_the_best_so_far(active: Active) -> None:
    """The operator need not wait a minute for a better plan."""
    begun = time.monotonic()
    wish = {"incident_ids": [active.incident_id], "seconds": 60}
    plan = await (await active.person.post("/dispatch-plans", wish)).json()
    assert plan["state"] == "solving"
    early = await active.person.post(
        f"/dispatch-plans/{plan['id']}/accept", {"alternative": "first", "line_ids": []}
    )
    assert (await early.json())["code"] == "dispatch_plan_not_ready"
    answer = await active.person.post(f"/dispatch-plans/{plan['id']}/cancel", {})
    assert (await answer.json())["state"] == "cancelling"
    ready = await until_ready(active.person, plan["id"])
    assert time.monotonic() - begun < 40 * crowding()
    assert ready["alternatives"][0]["lines"]


async def test_another_region_sees_no_plan_and_no_incident_of_it(
    active: Active, sign_in: SignIn
) -> None:
    """A city never reads another city's plans."""
    plan = await solved(active.person, {"incident_ids": [active.incident_id]})
    other = await sign_in(region_code="445200", name="揭阳值班")
    answer = await other.get(f"/dispatch-plans/{plan['id']}")
    assert answer.status == 404
    asked = await other.post("/dispatch-plans", {"incident_ids": [active.incident_id]})
    assert asked.status == 404
    assert (await (await other.get("/dispatch-plans/newest")).json())["plan"] is None
