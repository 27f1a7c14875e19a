"""The dial plan over the API: who may change it, and where halls and the desk are led by it."""

from __future__ import annotations

from typing import Any

from command_center.consultation.gateway_directory import GatewayDirectory
from command_center.security import Desk, Role
from sip_gateway.messages import CallState
from sip_gateway.ports import Admission, Refusal
from tests.service.conftest import SignIn
from tests.service.consultation_fixtures import gateway, node, server, stage, switchboard
from tests.service.consultation_stage import Stage, site_member

__all__ = ["gateway", "node", "server", "stage", "switchboard"]


def rule(direction: str, match: str, **more: Any) -> dict[str, Any]:
    return {"direction": direction, "match": match, **more}


async def test_administrators_set_the_plan_of_their_own_centre(
    stage: Stage, sign_in: SignIn
) -> None:
    """The duty desk reads it and tries numbers; rules without sense are refused by field."""
    administrator = await sign_in(Role.SYSTEM_ADMIN)
    assert (await stage.officer.request("PUT", "/dial-plan", json={"rules": []})).status == 403
    for wrong in (
        rule("in", "0", way="trunk"),
        rule("in", "8888", is_whole=True, way="barred"),
        rule("out", "1;2"),
    ):
        answer = await administrator.request("PUT", "/dial-plan", json={"rules": [wrong]})
        assert answer.status == 422, wrong
    rules = [rule("out", "００", way="barred", note="国际"), rule("in", "119", strip=3, add="9001")]
    answer = await administrator.request("PUT", "/dial-plan", json={"rules": rules})
    assert answer.status == 200, await answer.text()
    kept = await (await stage.officer.request("GET", "/dial-plan")).json()
    assert [one["match"] for one in kept["rules"]] == ["00", "119"]
    hall = await stage.registered_hall()
    for direction, number, kind in (
        ("out", "0085212345678", "number_barred"),
        ("out", "13800001234", "trunk"),
        ("in", "8888", "self_test"),
        ("in", "9000", "lobby"),
        ("in", hall.account or "", "site"),
        ("in", "4711", "number_unknown"),
    ):
        path = f"/dial-plan/trial?direction={direction}&number={number}"
        tried = await (await stage.officer.request("GET", path)).json()
        assert tried["kind"] == kind, (number, tried)


async def test_a_hall_is_led_by_alias_and_by_another_halls_number(
    stage: Stage, sign_in: SignIn, desk: Desk
) -> None:
    """Into the consultation; what leads nowhere is told with the number and the reason."""
    hall, other = await stage.registered_hall(), await stage.registered_hall("新丰县应急管理局")
    directory = GatewayDirectory(desk)
    opened = await stage.open(site_member(hall))
    alias = rule("in", "会商室", is_whole=True, add=opened["dial_number"])
    administrator = await sign_in(Role.SYSTEM_ADMIN)
    plan = {"rules": [alias, rule("in", "7", way="barred")]}
    assert (await administrator.request("PUT", "/dial-plan", json=plan)).status == 200
    account, called = other.account or "", hall.account or ""
    early = await directory.admit(account, called)
    assert isinstance(early, Refusal)
    assert (early.sip_status, early.code) == (480, "site_not_in_consultation")
    stage.gateway.call(await stage.dialled_leg(opened), opened["id"], CallState.CONNECTED)
    await stage.reaches(opened, "joined")
    led = await directory.admit(account, called)
    assert isinstance(led, Admission) and led.conference_id == opened["id"]
    admitted = await directory.admit(account, "会商室")
    assert isinstance(admitted, Admission) and admitted.conference_id == opened["id"]
    for number, status, code in (
        ("4711", 404, "number_unknown"),
        ("7001", 403, "number_barred"),
        ("a;b", 404, "number_malformed"),
    ):
        refused = await directory.admit(account, number)
        assert isinstance(refused, Refusal)
        assert (refused.sip_status, refused.code) == (status, code)
    assert "4711 is no consultation" in Refusal(404, "number_unknown", "4711").words


async def test_the_desk_dials_by_the_plan(stage: Stage, sign_in: SignIn) -> None:
    """A hall by its number, a telephone with its prefix, an H.323 number by the gatekeeper."""
    hall = await stage.registered_hall()
    account = hall.account or ""
    plan = {
        "rules": [
            rule("out", "0", add="9", way="trunk"),
            rule("out", "44"),
            rule("out", "119", is_whole=True, add=account),
            rule("out", "86", strip=2, way="gatekeeper"),
            rule("out", "00", way="barred"),
        ]
    }
    administrator = await sign_in(Role.SYSTEM_ADMIN)
    assert (await administrator.request("PUT", "/dial-plan", json=plan)).status == 200
    opened = await stage.open()
    path = f"/consultations/{opened['id']}/participants"

    async def add(number: str) -> Any:
        body = {"kind": "telephone", "number": number}
        return await stage.officer.request("POST", path, json=body)

    barred = await add("0085212345678")
    assert (barred.status, (await barred.json())["code"]) == (422, "number_barred")
    unknown = await add("449999")
    assert (unknown.status, (await unknown.json())["code"]) == (404, "number_unknown")
    for number in ("0751-2271234", "8612345", "119"):
        answer = await add(number)
        assert answer.status == 201, await answer.text()
    assert (await answer.json())["name"] == hall.name
    await stage.dialled_leg(opened, 3)
    assert {(one.number, one.uri, one.account) for one in stage.gateway.dialled()} == {
        ("907512271234", None, None),
        (None, "h323:12345", None),
        (None, None, account),
    }
