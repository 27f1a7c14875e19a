"""From a report to the incident, its grade, its clocks and its timeline, over HTTP."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from command_center.security import Role

from .conftest import Person, SignIn
from .reports import report


async def test_a_report_makes_an_incident_with_grade_and_clocks(sign_in: SignIn) -> None:
    """The main job's first step: what the duty officer sees the moment the report is saved."""
    person = await sign_in()
    answer = await person.post("/incidents", report())
    assert answer.status == 201, await answer.text()
    incident = (await answer.json())["incident"]
    assert incident["number"].startswith("INC-")
    assert incident["grade"]["value"] == "general"
    assert incident["near_accident"] == {
        "recognised": True,
        "criteria": ["涉险31≥10", "疏散620≥500"],
    }
    assert {clock["state"] for clock in incident["clocks"]} == {"running"}
    read = await (await person.get(f"/incidents/{incident['id']}")).json()
    assert read["casualties"]["direct_loss_wan"] is None
    timeline = (await (await person.get(f"/incidents/{incident['id']}/timeline")).json())["items"]
    assert [entry["kind"] for entry in timeline] == [
        "report.first",
        "grade.set",
        "near_accident.changed",
    ]
    assert timeline[0]["actor_name"] == "陈示一"


async def test_a_downward_correction_keeps_the_old_row(sign_in: SignIn) -> None:
    """Story S5 to S6: 51 becomes 47, 重大 becomes 较大, and both stay on record."""
    person = await sign_in()
    high = report(casualties={"deaths": 3, "poisoned_diagnosed": 51, "seen": 126})
    incident = (await (await person.post("/incidents", high)).json())["incident"]
    assert incident["grade"]["value"] == "major"
    low = report(casualties={"deaths": 3, "poisoned_diagnosed": 47, "seen": 122})
    answer = await person.post(f"/incidents/{incident['id']}/reports", low)
    assert answer.status == 201, await answer.text()
    after = await answer.json()
    assert after["report"]["kind"] == "续报一"
    assert after["incident"]["grade"]["value"] == "larger"
    closed = [c["label"] for c in after["incident"]["clocks"] if c["state"] == "closed"]
    assert "省→国家 书面上报" in closed
    reports = (await (await person.get(f"/incidents/{incident['id']}/reports")).json())["items"]
    assert [r["casualties"]["poisoned_diagnosed"] for r in reports] == [51, 47]
    assert [r["grade"] for r in reports] == ["major", "larger"]


async def test_drills_are_numbered_apart_and_never_mix(sign_in: SignIn) -> None:
    """A drill's follow-up must not reach a real incident."""
    person = await sign_in()
    drill = (await (await person.post("/incidents", report(is_drill=True))).json())["incident"]
    assert drill["number"].startswith("DRL-")
    answer = await person.post(f"/incidents/{drill['id']}/reports", report())
    assert answer.status == 409
    assert (await answer.json())["code"] == "drill_mismatch"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"casualties": {"deaths": -1}}, 422, "casualties_impossible"),
        ({"casualties": {"deaths": 10**9}}, 422, "casualties_impossible"),
        ({"casualties": {"deaths": 9, "endangered": 3}}, 422, "casualties_impossible"),
        ({"casualties": {"deaths": "3"}}, 422, "validation_failed"),
        ({"casualties": {"deaths": 1.5}}, 422, "validation_failed"),
        ({"casualties": {"deaths": True}}, 422, "validation_failed"),
        ({"signer": "  "}, 422, "signer_missing"),
        ({"title": ""}, 422, "validation_failed"),
        ({"occurred_at": "2026-01-01T00:00:00"}, 422, "validation_failed"),
        ({"occurred_at": "0001-01-01T00:00:00+23:59"}, 422, "times_impossible"),
        ({"received_at": "9999-12-31T23:59:59-23:59"}, 422, "times_impossible"),
        ({"longitude": 0.0}, 422, "validation_failed"),
        ({"region_code": "44０229"}, 422, "validation_failed"),
        ({"region_code": "110000"}, 403, "region_not_yours"),
        ({"title": "倒\u202e写"}, 422, "validation_failed"),
        ({"unknown": 1}, 422, "validation_failed"),
    ],
)
async def test_an_impossible_report_is_refused_and_nothing_is_stored(
    sign_in: SignIn, change: dict[str, object], status: int, code: str
) -> None:
    """Each with a stable code; half an incident would be worse than none."""
    person = await sign_in()
    before = len((await (await person.get("/incidents?state=all")).json())["items"])
    answer = await person.post("/incidents", report(**change))
    assert (answer.status, (await answer.json())["code"]) == (status, code)
    after = len((await (await person.get("/incidents?state=all")).json())["items"])
    assert after == before


async def test_rare_characters_and_long_addresses_are_kept(sign_in: SignIn) -> None:
    """英德下𱳪镇 (extension H) and 500 characters of address are names, not errors."""
    person = await sign_in()
    place = "英德市下𱳪镇" + "长" * 490
    answer = await person.post("/incidents", report(place_name=place))
    assert answer.status == 201, await answer.text()
    assert (await answer.json())["incident"]["place_name"] == place


async def test_a_late_clock_wants_its_explanation_and_stays_late(sign_in: SignIn) -> None:
    """迟报 is shown red and logged with its explanation, never hidden."""
    person = await sign_in()
    received = datetime.now(UTC) - timedelta(hours=5)
    body = report(
        received_at=received.isoformat(),
        occurred_at=(received - timedelta(minutes=5)).isoformat(),
    )
    incident = (await (await person.post("/incidents", body)).json())["incident"]
    clock = next(c for c in incident["clocks"] if c["label"].startswith("县→市"))
    assert clock["state"] == "late"
    path = f"/incidents/{incident['id']}/clocks/{clock['id']}/done"
    refused = await person.post(path, {})
    assert (await refused.json())["code"] == "explanation_missing"
    at = (received + timedelta(hours=2, minutes=23)).isoformat()
    done = await person.post(path, {"at": at, "explanation": "待市领导审签"})
    assert (await done.json())["state"] == "late"
    again = await person.post(path, {"explanation": "再次"})
    assert (await again.json())["code"] == "clock_not_running"
    timeline = (await (await person.get(f"/incidents/{incident['id']}/timeline")).json())["items"]
    assert "迟报23分钟，说明：待市领导审签" in timeline[-1]["text"]


async def test_a_city_never_sees_another_citys_incident(sign_in: SignIn) -> None:
    """Row-level scope: the other city's row is not found, not forbidden."""
    province = await sign_in()
    incident = (await (await province.post("/incidents", report())).json())["incident"]
    shaoguan = await sign_in(region_code="440200")
    qingyuan = await sign_in(region_code="441800")
    assert (await shaoguan.get(f"/incidents/{incident['id']}")).status == 200
    other = await qingyuan.get(f"/incidents/{incident['id']}")
    assert (other.status, (await other.json())["code"]) == (404, "not_found")
    listed = (await (await qingyuan.get("/incidents?state=all")).json())["items"]
    assert incident["id"] not in [item["id"] for item in listed]
    refused = await qingyuan.post(f"/incidents/{incident['id']}/timeline", {"text": "x"})
    assert refused.status == 404


async def test_a_repeated_key_gets_the_first_answer(sign_in: SignIn) -> None:
    """F12: ten retries of one request are one incident."""
    person = await sign_in()
    body, headers = report(), {"Idempotency-Key": str(uuid4())}
    answers = [await person.post("/incidents", body, headers=headers) for _ in range(3)]
    assert {answer.status for answer in answers} == {201}
    assert len({(await answer.json())["incident"]["id"] for answer in answers}) == 1
    other = await person.post("/incidents", report(title="另一起"), headers=headers)
    assert (await other.json())["code"] == "idempotency_key_reused"


async def test_closing_ends_the_clocks_and_refuses_changes(sign_in: SignIn) -> None:
    """Only a leader closes; what is closed stays as it is."""
    officer, leader = await sign_in(), await sign_in(Role.DUTY_LEADER)
    incident = (await (await officer.post("/incidents", report())).json())["incident"]
    path = f"/incidents/{incident['id']}/close"
    assert (await officer.post(path, {"grounds": "险情消除"})).status == 403
    closed = await leader.post(path, {"grounds": "险情消除"})
    assert closed.status == 200, await closed.text()
    assert (await closed.json())["state"] == "closed"
    after = await officer.post(f"/incidents/{incident['id']}/reports", report())
    assert (await after.json())["code"] == "incident_closed"


async def test_events_can_be_replayed_from_a_number(sign_in: SignIn) -> None:
    """F10: a page that was offline asks for what it missed, in order, without doubles."""
    person: Person = await sign_in()
    newest = (await (await person.get("/events?after=0&limit=1")).json())["newest"]
    incident = (await (await person.post("/incidents", report())).json())["incident"]
    items = (await (await person.get(f"/events?after={newest}")).json())["items"]
    mine = [item for item in items if item["incident_id"] == incident["id"]]
    assert "incident.created" in [item["type"] for item in mine]
    numbers = [item["seq"] for item in items]
    assert numbers == sorted(set(numbers))


async def test_the_same_request_twice_at_once_is_done_once(sign_in: SignIn) -> None:
    """Two clicks on a slow evening: the second waits for the first and gets its answer."""
    person = await sign_in()
    body, headers = report(), {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(
        *(person.post("/incidents", body, headers=headers) for _ in range(6))
    )
    done = [answer for answer in answers if answer.status == 201]
    assert done
    assert len({(await answer.json())["incident"]["id"] for answer in done}) == 1
    others = {(await answer.json())["code"] for answer in answers if answer.status != 201}
    assert others <= {"request_in_progress"}
