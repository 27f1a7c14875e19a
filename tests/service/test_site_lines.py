"""A hall's second line and call ladder, its self-test, and the alarm of a scan."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from command_center.consultation.gateway_directory import GatewayDirectory
from command_center.database.tables import EventRow
from command_center.directory.tables import SiteRow
from command_center.security import Desk
from sip_gateway.dial_plan import SELF_TEST_NUMBER
from sip_gateway.messages import SelfTestDone, SourceBanned, SrtpPolicy
from sip_gateway.ports import Admission
from tests.service.consultation_fixtures import gateway, node, server, stage, switchboard
from tests.service.consultation_stage import Stage, site_member, until

__all__ = ["gateway", "node", "server", "stage", "switchboard"]
INTERNET = "sip:room@203.0.113.7:5060"


async def set_lines(stage: Stage, site: SiteRow, **lines: Any) -> int:
    answer = await stage.officer.request("PUT", f"/sites/{site.id}/lines", json=lines)
    return int(answer.status)


async def test_a_hall_is_dialled_with_its_other_line_and_its_duty_phone(stage: Stage) -> None:
    """The gateway gets the ladder with the first call; a bad number or address is refused."""
    hall = await stage.registered_hall()
    ladder = [{"name": "值班室", "number": "0751-2871 234", "ring_timeout_s": 20}]
    assert await set_lines(stage, hall, backup_uri="http://nonsense") == 422
    assert await set_lines(stage, hall, ladder=[{"name": "x", "number": "无"}]) == 422
    assert await set_lines(stage, hall, backup_uri=INTERNET, ladder=ladder) == 200
    opened = await stage.open(site_member(hall))
    await stage.dialled_leg(opened)
    line, phone = stage.gateway.dialled()[-1].ladder
    assert (line.uri, line.is_same_room) == (INTERNET, True)
    assert (phone.number, phone.audio_only, phone.ring_timeout_s) == ("07512871234", True, 20)


async def test_a_hall_that_dials_in_is_known_with_its_lines(stage: Stage, desk: Desk) -> None:
    """So that the gateway can take the other one when the line it came by is cut."""
    hall = await stage.registered_hall()
    await set_lines(stage, hall, backup_uri=INTERNET)
    opened = await stage.open(site_member(hall))
    admitted = await GatewayDirectory(desk).admit(hall.account or "", opened["dial_number"])
    assert isinstance(admitted, Admission) and admitted.lines == (INTERNET,)


async def test_the_self_test_number_admits_and_its_result_is_kept(stage: Stage, desk: Desk) -> None:
    """Any hall may test itself; the newest result stands in the list of sites."""
    hall = await stage.registered_hall("新丰县应急管理局")
    admitted = await GatewayDirectory(desk).admit(hall.account or "", SELF_TEST_NUMBER)
    assert isinstance(admitted, Admission) and admitted.self_test_contact is not None
    assert admitted.name == "新丰县应急管理局"
    stage.gateway._broadcast(
        "self_test.done",
        SelfTestDone(
            leg_id=admitted.leg_id, account=hall.account or "", codes=["quiet"], video="H264"
        ),
    )

    async def is_kept() -> bool:
        found = await stage.officer.get("/sites?q=新丰县应急管理局")
        items = [one for one in (await found.json())["items"] if one["id"] == str(hall.id)]
        return bool(items and items[0]["self_test"] and items[0]["self_test"]["codes"] == ["quiet"])

    await until(is_kept)


async def test_a_banned_scanner_is_an_alarm(stage: Stage, desk: Desk) -> None:
    """Audited, and told to whoever may see consultations."""
    stage.gateway._broadcast(
        "source.banned", SourceBanned(host="198.51.100.66", offence="scanner", ban_s=900)
    )

    async def is_told() -> bool:
        query = select(EventRow).where(col(EventRow.type) == "source.banned")
        async with desk.database.session() as session:
            rows = (await session.scalars(query)).all()
        return any(row.body["host"] == "198.51.100.66" for row in rows)

    await until(is_told)


async def test_a_hall_has_its_own_policy_of_encryption(stage: Stage, desk: Desk) -> None:
    """The gateway gets it with each call out and each admission; None is the gateway's own."""
    hall = await stage.registered_hall()
    path = f"/sites/{hall.id}/srtp-policy"
    answer = await stage.officer.request("PUT", path, json={"srtp_policy": "sometimes"})
    assert answer.status == 422
    answer = await stage.officer.request("PUT", path, json={"srtp_policy": "required"})
    assert (answer.status, (await answer.json())["srtp_policy"]) == (200, "required")
    listed = await (await stage.officer.get(f"/sites?q={hall.account}")).json()
    assert [one["srtp_policy"] for one in listed["items"]] == ["required"]
    opened = await stage.open(site_member(hall))
    await stage.dialled_leg(opened)
    assert stage.gateway.dialled()[-1].srtp_policy is SrtpPolicy.REQUIRED
    admitted = await GatewayDirectory(desk).admit(hall.account or "", opened["dial_number"])
    assert isinstance(admitted, Admission) and admitted.srtp_policy is SrtpPolicy.REQUIRED
