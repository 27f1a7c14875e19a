"""The demo accident as API calls: what the duty officer types, and the desk's next steps."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from tests.harness.processes import wait_until
from tests.harness.product import Api

COUNTY = "440229"  # 翁源县
HALL_TONE, CAMERA_TONE, PHONE_TONE = 500.0, 800.0, 1150.0
TONES = [HALL_TONE, CAMERA_TONE, PHONE_TONE]
HALL, CAMERA, PHONE = 11, 12, 13  # markers

CASUALTIES: dict[str, int | None] = {
    "deaths": 0,
    "missing": 2,
    "trapped": None,
    "endangered": 31,
    "serious_injuries": 0,
    "poisoned_diagnosed": 0,
    "observed": 6,
    "seen": 6,
    "evacuated": 620,
    "direct_loss_wan": None,
}


def report(**changes: Any) -> dict[str, Any]:
    """The county's phone flash at 03:06 (S2 of the story)."""
    now = datetime.now(UTC).isoformat()
    return {
        "title": "翁源“演示精细化工”液氯泄漏",
        "event_type": "hazardous_chemicals",
        "place_name": "翁源县翁城镇演示化工园",
        "region_code": COUNTY,
        "longitude": 113.86,
        "latitude": 24.40,
        "occurred_at": now,
        "received_at": now,
        "sent_at": now,
        "reporter_name": "罗示乙",
        "reporter_phone": "000-12345",
        "channel": "phone",
        "signer": "林示二",
        "course": "3号吨瓶瓶阀断裂，液氯泄漏",
        "measures": "企业已启动现场处置方案，疏散620人",
        "casualties": CASUALTIES,
        "pending": ["trapped"],
        "is_drill": False,
        **changes,
    }


def file_report(api: Api, **changes: Any) -> dict[str, Any]:
    """Report the accident. Returns the incident."""
    return api.post("/incidents", report(**changes))["incident"]


def activate(api: Api, incident: dict[str, Any], level: int = 3) -> list[dict[str, Any]]:
    """Activate the best-fitting plan. Returns its task cards."""
    proposals = api.get(f"/incidents/{incident['id']}/plan-proposals")["items"]
    assert proposals and proposals[0]["reasons"]
    return api.post(
        f"/incidents/{incident['id']}/responses",
        {
            "plan_id": proposals[0]["plan_id"],
            "tier": "province",
            "level": level,
            "grounds": "较大涉险",
            "expected_hours": 12,
        },
    )["tasks"]


def dispatch(api: Api, incident: dict[str, Any]) -> list[dict[str, Any]]:
    """Take the optimiser's proposal whole. Returns the orders."""
    proposal = api.post(f"/incidents/{incident['id']}/dispatch-proposals")
    assert proposal["lines"], proposal
    chosen = [line["id"] for line in proposal["lines"]]
    confirmed = api.post(f"/dispatch-proposals/{proposal['id']}/confirm", {"line_ids": chosen})
    return confirmed["orders"]


def site_of(api: Api, account: str) -> dict[str, Any]:
    for site in api.get(f"/sites?q={account}&limit=50")["items"]:
        if site.get("account") == account:
            return site
    raise AssertionError(f"no site with account {account}")


def members(api: Api, consultation: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/consultations/{consultation['id']}")["participants"]
    return found


def participant(api: Api, consultation: dict[str, Any], name: str) -> dict[str, Any]:
    """A member of the consultation by a part of its name."""
    found = members(api, consultation)
    for member in found:
        if name in member["name"]:
            return member
    raise AssertionError(f"{name} not among {[member['name'] for member in found]}")


def wait_state(
    api: Api, consultation: dict[str, Any], name: str, state: str, timeout_s: float = 20
) -> float:
    """Wait until a member is in this state. Returns the seconds it took."""
    began = time.monotonic()
    wait_until(
        lambda: any(
            name in member["name"] and member["state"] == state
            for member in members(api, consultation)
        ),
        timeout_s,
        lambda: f"{name} is not {state}: {participant(api, consultation, name)}",
        step_s=0.1,
    )
    return time.monotonic() - began
