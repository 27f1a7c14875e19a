"""H.243's chair control under the desk's rules: who may order what, and what rooms are told."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from command_center.consultation.gateway_directory import GatewayDirectory
from command_center.directory.tables import SiteRow
from command_center.security import Desk, Role
from command_center.security.tables import AuditRow
from sip_gateway.messages import (
    BridgeRole,
    CallChanged,
    CallState,
    ConferenceAsked,
    ConferenceDecide,
    ConferenceOrder,
    ConferenceTell,
)
from sip_gateway.ports import Admission
from tests.service.conftest import Person, SignIn
from tests.service.consultation_fixtures import gateway, node, server, stage, switchboard
from tests.service.consultation_stage import Stage, site_member, until

__all__ = ["gateway", "node", "server", "stage", "switchboard"]
Order = ConferenceOrder


async def _bridge(person: Person, site: SiteRow, role: str | None) -> int:
    path = f"/sites/{site.id}/bridge-role"
    return int((await person.request("PUT", path, json={"bridge_role": role})).status)


async def _join(stage: Stage, opened: dict[str, Any], at: int) -> str:
    """The hall's call stands, by H.323. Returns its leg."""
    await until(lambda: _has_dialled(stage, opened, at + 1))
    leg = stage._dials(opened)[at].leg_id
    call = CallChanged(
        leg_id=leg, conference_id=opened["id"], state=CallState.CONNECTED, remote="h323:10.0.0.9"
    )
    stage.gateway.calls[leg] = call
    stage.gateway._broadcast("call.state", call)
    return leg


async def _has_dialled(stage: Stage, opened: dict[str, Any], count: int) -> bool:
    return len(stage._dials(opened)) >= count


def _told(stage: Stage) -> ConferenceTell:
    """What rooms were told last."""
    words = [body for type_, body in stage.gateway.asked if type_ == "conference.tell"]
    return ConferenceTell.model_validate(words[-1]) if words else ConferenceTell(conference_id="")


async def _ask(
    stage: Stage, opened: dict[str, Any], leg: str, order: Order, terminal: str | None = None
) -> bool:
    """The room's order, and whether it was done."""
    before = len(stage.gateway.asked)
    words = ConferenceAsked(
        leg_id=leg, conference_id=opened["id"], order=order, terminal_id=terminal
    )
    stage.gateway._broadcast(words.type, words)

    def decisions() -> list[ConferenceDecide]:
        return [
            ConferenceDecide.model_validate(body)
            for type_, body in stage.gateway.asked[before:]
            if type_ == "conference.decide" and body["leg_id"] == leg
        ]

    async def is_decided() -> bool:
        return bool(decisions())

    await until(is_decided)
    assert [decision.order for decision in decisions()] == [order]
    return decisions()[0].granted


async def _control(stage: Stage, opened: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await stage.read(opened))["control"]
    return found


async def test_a_room_chairs_by_h243_as_the_desk_allows(stage: Stage, desk: Desk) -> None:
    """Token, floor, broadcast, watching, dropping; what only the chair may is refused to others."""
    halls = [await stage.registered_hall(name) for name in ("翁源县应急管理局", "英德市应急管理局")]
    opened = await stage.open(*(site_member(hall) for hall in halls))
    first, second = [await _join(stage, opened, at) for at in (0, 1)]
    ids = [(await stage.reaches(opened, "joined", at=at))["id"] for at in (0, 1)]

    async def are_told() -> bool:
        return [one.leg_id for one in _told(stage).terminals] == [first, second]

    await until(are_told)
    assert [(one.number, one.name) for one in _told(stage).terminals] == [
        (1, halls[0].name),
        (2, halls[1].name),
    ]
    assert not await _ask(stage, opened, first, Order.BROADCAST, ids[1])  # it is no chair
    assert await _ask(stage, opened, first, Order.CHAIR)
    assert not await _ask(stage, opened, second, Order.CHAIR)  # the token is held
    assert await _ask(stage, opened, second, Order.FLOOR)
    assert await _ask(stage, opened, first, Order.BROADCAST, ids[1])
    control = await _control(stage, opened)
    assert (control["chair_id"], control["broadcast"]["participant_id"]) == (ids[0], ids[1])
    assert [line["origin"] for line in control["floor"]] == ["room"]

    async def is_shown() -> bool:
        told = _told(stage)
        return (told.chair, told.shown, told.is_forced) == (ids[0], ids[1], True)

    await until(is_shown)
    assert _told(stage).floor == [ids[1]]
    assert not await _ask(stage, opened, second, Order.WATCH, ids[0])  # the view is forced
    assert not await _ask(stage, opened, second, Order.BROADCAST_END)
    assert await _ask(stage, opened, first, Order.BROADCAST_END)
    assert await _ask(stage, opened, second, Order.WATCH, ids[0])
    assert await _ask(stage, opened, second, Order.WATCH_END)
    assert await _ask(stage, opened, first, Order.DROP, ids[1])
    await stage.reaches(opened, "left", at=1)
    assert await _ask(stage, opened, first, Order.CHAIR_RELEASE)
    assert not await _ask(stage, opened, first, Order.CHAIR_RELEASE)
    async with desk.database.session() as session:
        query = select(AuditRow).where(col(AuditRow.action) == "broadcast.start")
        (audited,) = (await session.scalars(query)).all()
    assert audited.actor_id == f"room:{ids[0]}"


async def test_a_bridge_above_is_obeyed_and_never_sent_its_own_picture(
    stage: Stage, desk: Desk, sign_in: SignIn
) -> None:
    """Without the chair; the gateway is told what it is, dialled or dialling in."""
    upper = await stage.registered_hall("省应急管理厅")
    administrator = await sign_in(Role.SYSTEM_ADMIN, region_code="440000")
    assert await _bridge(stage.officer, upper, "upper") == 403  # it would command consultations
    assert await _bridge(administrator, upper, "sideways") == 422
    assert await _bridge(administrator, upper, "upper") == 200
    opened = await stage.open(site_member(upper))
    leg = await _join(stage, opened, 0)
    assert stage.gateway.dialled()[-1].bridge_role is BridgeRole.UPPER
    id_ = (await stage.reaches(opened, "joined"))["id"]
    assert await _ask(stage, opened, leg, Order.BROADCAST)
    assert (await _control(stage, opened))["broadcast"]["participant_id"] == id_
    assert await _ask(stage, opened, leg, Order.BROADCAST_END)
    assert (await _control(stage, opened))["broadcast"] is None
    assert not await _ask(stage, opened, leg, Order.CHAIR_RELEASE)  # it never asked for the token
    admitted = await GatewayDirectory(desk).admit(upper.account or "", opened["dial_number"])
    assert isinstance(admitted, Admission) and admitted.bridge_role is BridgeRole.UPPER
