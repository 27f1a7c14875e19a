"""A drill is dispatched like the real thing, with copies that no real order ever reaches."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from command_center.database import Database
from command_center.security import Role

from .activation import CASUALTIES, library
from .conftest import Person, SignIn
from .reports import report

__all__ = ["library"]  # pytest finds the fixture by its name in the module


async def dispatched(person: Person, *, is_drill: bool) -> tuple[str, list[dict[str, Any]]]:
    """An incident from report to orders; its id and what was ordered."""
    body = report(casualties=CASUALTIES, is_drill=is_drill)
    incident = (await (await person.post("/incidents", body)).json())["incident"]
    path = f"/incidents/{incident['id']}"
    plans = (await (await person.get(f"{path}/plan-proposals")).json())["items"]
    wish = {"plan_id": plans[0]["plan_id"], "tier": "province", "level": 3}
    wish |= {"grounds": "演练" if is_drill else "实战", "expected_hours": 8}
    assert (await person.post(f"{path}/responses", wish)).status == 201
    answer = await person.post(f"{path}/dispatch-proposals", {})
    proposal = await answer.json()
    assert answer.status == 201, proposal
    chosen = {"line_ids": [line["id"] for line in proposal["lines"][:2]]}
    confirmed = await person.post(f"/dispatch-proposals/{proposal['id']}/confirm", chosen)
    assert confirmed.status == 200, await confirmed.text()
    orders: list[dict[str, Any]] = (await confirmed.json())["orders"]
    return incident["id"], orders


async def count(database: Database, sql: str) -> int:
    async with database.session() as session:
        return int((await session.execute(text(sql))).scalar_one())


REAL_TAKEN = "SELECT count(*) FROM team_assignment WHERE NOT is_drill AND state = 'active'"
REAL_STOCK = "SELECT coalesce(sum(reserved), 0) FROM stock_item WHERE NOT is_drill"


async def test_a_drill_is_dispatched_with_copies_and_touches_nothing_real(
    library: None, sign_in: SignIn, database: Database
) -> None:
    """Orders are numbered and marked apart; real teams and stock are as before."""
    person = await sign_in(Role.DUTY_LEADER)
    drill, orders = await dispatched(person, is_drill=True)
    assert len(orders) == 2
    for order in orders:
        assert order["is_drill"]
        assert order["number"].startswith("DRL-ORD-")
        assert order["team_name"].startswith("【演练】")
    assert await count(database, REAL_TAKEN) == 0
    assert await count(database, REAL_STOCK) == 0
    assert await count(database, "SELECT count(*) FROM team WHERE is_drill AND phone <> ''") == 0
    entries = (await (await person.get(f"/incidents/{drill}/timeline")).json())["items"]
    assert any("6 支队伍、1 个储备点" in entry["text"] for entry in entries)
    listed = (await (await person.get("/teams")).json())["items"]
    assert [team for team in listed if "演练】" in team["name"]] == []

    for action in ("receive", "accept", "arrive", "done"):
        answer = await person.post(f"/orders/{orders[0]['id']}/{action}", {})
        assert answer.status == 200, await answer.text()

    _, real = await dispatched(person, is_drill=False)
    assert {order["team_id"] for order in real}.isdisjoint(o["team_id"] for o in orders)
    assert await count(database, REAL_TAKEN) == len(real)
    await person.post(f"/incidents/{drill}/close", {"grounds": "演练结束"})


async def test_the_next_drill_begins_with_everybody_at_home(
    library: None, sign_in: SignIn, database: Database
) -> None:
    """Copies are renewed once no other drill goes on; a second one beside it shares them."""
    person = await sign_in(Role.DUTY_LEADER)
    out = "SELECT count(*) FROM team_assignment WHERE is_drill AND state = 'active'"
    first, _ = await dispatched(person, is_drill=True)
    assert await count(database, out) == 2
    beside = (await (await person.post("/incidents", report(is_drill=True))).json())["incident"]
    assert await count(database, out) == 2
    for incident_id in (first, beside["id"]):
        closed = await person.post(f"/incidents/{incident_id}/close", {"grounds": "演练结束"})
        assert closed.status == 200, await closed.text()
    teams = await count(database, "SELECT count(*) FROM team")
    await person.post("/incidents", report(is_drill=True))
    assert await count(database, out) == 0
    assert await count(database, "SELECT count(*) FROM team") == teams


async def test_a_link_of_a_drill_shows_the_drills_orders_only(
    library: None, sign_in: SignIn
) -> None:
    """A real team that is asked into a drill's consultation plays as its copy."""
    person = await sign_in(Role.DUTY_LEADER)
    teams = (await (await person.get("/teams")).json())["items"]
    drill = (await (await person.post("/incidents", report(is_drill=True))).json())["incident"]
    real = (await (await person.post("/incidents", report())).json())["incident"]
    members = [{"kind": "team", "team_id": teams[0]["id"]}]
    names = []
    for incident in (drill, real):
        answer = await person.post(
            f"/incidents/{incident['id']}/consultations", {"title": "会商", "members": members}
        )
        assert answer.status == 201, await answer.text()
        found = await answer.json()
        names.append([(p["team_id"], p["name"]) for p in found["participants"] if p["team_id"]])
    (copy,), (itself,) = names
    assert itself == (teams[0]["id"], teams[0]["name"])
    assert copy[0] != itself[0]
    assert copy[1] == f"【演练】{teams[0]['name']}"
    answer = await person.post(
        f"/incidents/{real['id']}/consultations",
        {"title": "会商", "members": [{"kind": "team", "team_id": copy[0]}]},
    )
    assert answer.status in (404, 409, 422)
