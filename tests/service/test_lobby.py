"""Consultations by number with PIN: who is asked, who comes in, and what the desk sees."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from command_center.consultation.gateway_directory import GatewayDirectory
from command_center.consultation.lobby import TRUNK_ACCOUNT
from command_center.consultation.pins import pin_of
from command_center.database.ids import new_id
from command_center.security import Desk
from command_center.security.tables import AuditRow
from sip_gateway.dial_plan import LOBBY_NUMBER
from sip_gateway.ports import Admission, Refusal, Trunk
from tests.service.consultation_fixtures import gateway, node, server, stage, switchboard
from tests.service.consultation_stage import Stage, site_member

__all__ = ["gateway", "node", "server", "stage", "switchboard"]
CALLER = "13800001234"


def directory_of(desk: Desk) -> GatewayDirectory:
    return GatewayDirectory(desk, Trunk("sip:192.0.2.9:5060"))


async def opened_with_pin(stage: Stage) -> tuple[dict[str, Any], str]:
    hall = await stage.registered_hall()
    opened = await stage.open(site_member(hall))
    return opened, str((await stage.read(opened))["pin"])


async def test_a_telephone_waits_in_the_lobby_whatever_it_dials(desk: Desk) -> None:
    """The trunk's address is known; a number that exists and one that does not are told alike."""
    directory = directory_of(desk)
    assert await directory.account_at("192.0.2.9") == TRUNK_ACCOUNT
    for number in ("9001", "1234"):
        admitted = await directory.admit(TRUNK_ACCOUNT, number)
        assert isinstance(admitted, Admission) and admitted.lobby is not None
        assert (admitted.lobby.number, admitted.lobby.needs_pin) == (number, True)
    admitted = await directory.admit(TRUNK_ACCOUNT, LOBBY_NUMBER)
    assert isinstance(admitted, Admission) and admitted.lobby is not None
    assert admitted.lobby.number is None


async def test_the_right_pin_puts_the_caller_on_the_roster(stage: Stage, desk: Desk) -> None:
    """By its number, which is named where the directory knows it; again by the same line."""
    opened, pin = await opened_with_pin(stage)
    directory = directory_of(desk)
    for _ in range(2):
        admitted = await directory.enter(TRUNK_ACCOUNT, CALLER, opened["dial_number"], pin)
        assert admitted is not None and admitted.conference_id == opened["id"]
    rows = (await stage.read(opened))["participants"]
    guests = [row for row in rows if row["kind"] == "telephone"]
    assert [row["name"] for row in guests] == [f"电话 {CALLER}"]
    hidden = await directory.enter(TRUNK_ACCOUNT, "anonymous", opened["dial_number"], pin)
    assert hidden is not None and hidden.name == "电话访客"


async def test_a_known_telephone_bears_its_halls_name(stage: Stage, desk: Desk) -> None:
    """The duty phone of a call ladder: named, and asked for the PIN all the same."""
    opened, pin = await opened_with_pin(stage)
    hall = await stage.registered_hall("新丰县应急管理局")
    ladder = [{"name": "值班室", "number": "07512271234"}]
    answer = await stage.officer.request("PUT", f"/sites/{hall.id}/lines", json={"ladder": ladder})
    assert answer.status == 200
    directory = directory_of(desk)
    number = opened["dial_number"]
    assert await directory.enter(TRUNK_ACCOUNT, "07512271234", number, "") is None
    admitted = await directory.enter(TRUNK_ACCOUNT, "07512271234", number, pin)
    assert admitted is not None and admitted.name == "新丰县应急管理局 值班室"


async def test_wrong_pin_wrong_number_and_a_locked_meeting_are_refused(
    stage: Stage, desk: Desk
) -> None:
    """Alike to the caller; the audit says which."""
    opened, pin = await opened_with_pin(stage)
    other = "000000" if pin != "000000" else "000001"
    directory, number = directory_of(desk), opened["dial_number"]
    for wrong_number, wrong_pin in ((number, other), (number, ""), ("8999", pin)):
        assert await directory.enter(TRUNK_ACCOUNT, CALLER, wrong_number, wrong_pin) is None
    async with desk.database.session() as session:
        rows = (
            await session.scalars(select(AuditRow).where(col(AuditRow.action) == "call.enter"))
        ).all()
    assert {"pin_wrong", "number_unknown"} <= {str(row.detail.get("refused")) for row in rows}
    answer = await stage.officer.request("POST", f"/consultations/{opened['id']}/lock")
    assert answer.status == 200
    assert await directory.enter(TRUNK_ACCOUNT, CALLER, number, pin) is None


async def test_a_hall_needs_no_pin(stage: Stage, desk: Desk) -> None:
    """Recognised by its account: the lobby asks it for the number alone."""
    opened, _pin = await opened_with_pin(stage)
    hall = await stage.registered_hall("乳源县应急管理局")
    directory = directory_of(desk)
    admitted = await directory.admit(hall.account or "", LOBBY_NUMBER)
    assert isinstance(admitted, Admission) and admitted.lobby is not None
    assert not admitted.lobby.needs_pin
    assert await directory.enter(hall.account or "", "", "1234", None) is None
    entered = await directory.enter(hall.account or "", "", opened["dial_number"], None)
    assert entered is not None and entered.name == "乳源县应急管理局"
    assert isinstance(await directory.admit(hall.account or "", "1234"), Refusal)


def test_pins_are_six_digits_of_their_own(desk: Desk) -> None:
    """Two consultations of one desk have different PINs; the same has the same one always."""
    ids = [new_id() for _ in range(50)]
    pins = [pin_of(desk, one) for one in ids]
    assert all(len(pin) == 6 and pin.isdigit() for pin in pins)
    assert len(set(pins)) > 45 and pins == [pin_of(desk, one) for one in ids]
