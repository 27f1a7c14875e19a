"""The operator's desk: who is called, what the roster shows, how it ends."""

from __future__ import annotations

from typing import Any

import pytest

from command_center.consultation.gateway_directory import GatewayDirectory
from command_center.consultation.switchboard import Switchboard
from command_center.security import Desk
from sip_gateway.messages import CallResult, CallState
from sip_gateway.ports import Admission, Refusal
from tests.service.conftest import SignIn
from tests.service.consultation_fixtures import gateway, node, server, stage, switchboard
from tests.service.consultation_stage import Stage, camera_member, site_member, until

__all__ = ["gateway", "node", "server", "stage", "switchboard"]


async def test_cameras_come_in_and_rooms_are_dialled(stage: Stage) -> None:
    """One click: nobody dials or pulls anything by hand."""
    hall, camera = await stage.registered_hall(), await stage.camera()
    opened = await stage.open(site_member(hall), camera_member(camera))
    leg = await stage.dialled_leg(opened)
    assert stage.gateway.dialled()[-1].account == hall.account
    stage.gateway.call(leg, opened["id"], CallState.RINGING)
    await stage.reaches(opened, "ringing")
    stage.gateway.call(leg, opened["id"], CallState.CONNECTED)
    await stage.reaches(opened, "joined")
    shown = await stage.reaches(opened, "joined", at=1)
    assert shown["protocol"] == "synthetic"

    async def is_in_picture() -> bool:
        member = await stage.member(opened, 1)
        return bool(member["in_picture"] and member["stats"])

    await until(is_in_picture)


async def test_an_unregistered_room_is_shown_so_and_not_dialled(stage: Stage) -> None:
    """未注册 is no failure; once it registers it can be called."""
    hall = await stage.hall()
    opened = await stage.open(site_member(hall))
    member = await stage.member(opened)
    assert (member["state"], member["reason_code"]) == ("unregistered", "not_registered")
    assert stage._dials(opened) == []
    stage.gateway.register(hall.account or "")
    await stage.reaches(opened, "not_joined")
    await stage.officer.post(f"/consultations/{opened['id']}/call-absent")
    await stage.dialled_leg(opened)


async def test_a_static_room_is_dialled_at_its_address(stage: Stage) -> None:
    """Rooms without registration have an address on file."""
    hall = await stage.hall(uri="sip:room@10.1.2.3:5060")
    opened = await stage.open(site_member(hall))
    await stage.dialled_leg(opened)
    dial = stage.gateway.dialled()[-1]
    assert (dial.uri, dial.account) == ("sip:room@10.1.2.3:5060", None)


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (CallResult.BUSY, "failed"),
        (CallResult.NO_ANSWER, "failed"),
        (CallResult.NO_COMMON_CODEC, "failed"),
        (CallResult.HUNG_UP, "left"),
        (CallResult.NOT_REGISTERED, "unregistered"),
    ],
)
async def test_every_end_of_a_call_is_typed_on_the_roster(
    stage: Stage, result: CallResult, state: str
) -> None:
    """The operator reads why, in words, and the room is not rung again by itself."""
    opened = await stage.open(site_member(await stage.registered_hall()))
    stage.gateway.end(await stage.dialled_leg(opened), result)
    member = await stage.reaches(opened, state)
    assert member["reason_code"] == result.value
    assert member["reason_text"] != result.value
    assert len(stage._dials(opened)) == 1


async def test_a_room_that_dials_in_while_it_is_dialled_has_one_leg(
    stage: Stage, desk: Desk
) -> None:
    """Never two legs for one hall: the newer replaces the older."""
    hall = await stage.registered_hall()
    opened = await stage.open(site_member(hall))
    outgoing = await stage.dialled_leg(opened)
    stage.gateway.call(outgoing, opened["id"], CallState.RINGING)
    directory = GatewayDirectory(desk)
    admitted = await directory.admit(hall.account or "", opened["dial_number"])
    assert isinstance(admitted, Admission)
    assert admitted.conference_id == opened["id"]
    assert admitted.leg_id != outgoing
    stage.gateway.call(admitted.leg_id, opened["id"], CallState.CONNECTED)

    async def is_replaced() -> bool:
        return stage.gateway.hung_up() == [outgoing]

    await until(is_replaced)
    await stage.reaches(opened, "joined")
    assert len((await stage.read(opened))["participants"]) == 1


async def test_an_uninvited_room_may_dial_the_number(stage: Stage, desk: Desk) -> None:
    """Dial the number to enter: it takes a place of its own on the roster."""
    hall = await stage.hall("英德市应急管理局")
    opened = await stage.open()
    admitted = await GatewayDirectory(desk).admit(hall.account or "", opened["dial_number"])
    assert isinstance(admitted, Admission)
    assert admitted.name == "英德市应急管理局"
    stage.gateway.call(admitted.leg_id, opened["id"], CallState.CONNECTED)
    await stage.reaches(opened, "joined")


async def test_closed_and_unknown_numbers_are_refused_alike(stage: Stage, desk: Desk) -> None:
    """Nobody learns by dialling which consultations there were."""
    hall = await stage.hall()
    opened = await stage.open()
    await stage.officer.post(f"/consultations/{opened['id']}/close")
    directory = GatewayDirectory(desk)
    closed, unknown = opened["dial_number"], "8999"
    for number in (closed, unknown, "no number"):
        refusal = await directory.admit(hall.account or "", number)
        assert refusal == Refusal(404, "number_unknown", number=number.replace(" ", ""))
    for number in (closed, unknown):  # who has no hall is asked for number and PIN, whatever it was
        admitted = await directory.admit("nobody", number)
        assert isinstance(admitted, Admission)
        assert admitted.lobby is not None
        assert await directory.enter("nobody", "nobody", number, "000000") is None


async def test_mutes_reach_the_node_and_outlive_a_leg(stage: Stage) -> None:
    """会控闭音 holds when the site falls out and returns."""
    opened = await stage.open(camera_member(await stage.camera()))
    member = await stage.reaches(opened, "joined")
    path = f"/consultations/{opened['id']}/participants/{member['id']}"

    async def is_muted_on_node() -> bool:
        legs = await stage.legs_on_node(opened) or []
        return [leg.microphone_muted for leg in legs] == [True]

    answer = await stage.officer.post(f"{path}/mute")
    assert (await answer.json())["microphone_muted"]
    await until(is_muted_on_node)
    await stage.officer.post(f"{path}/hang-up")
    await stage.reaches(opened, "left")
    await stage.officer.post(f"{path}/dial")
    await stage.reaches(opened, "joined")
    await until(is_muted_on_node)


async def test_a_killed_node_comes_back_with_its_cameras(stage: Stage) -> None:
    """F1: media again within seconds, the roster the same, rooms keep their calls."""
    hall, camera = await stage.registered_hall(), await stage.camera()
    opened = await stage.open(site_member(hall), camera_member(camera))
    leg = await stage.dialled_leg(opened)
    stage.gateway.call(leg, opened["id"], CallState.CONNECTED)
    await stage.reaches(opened, "joined", at=1)
    layout = {"panes": 4, "seats": [None, (await stage.member(opened, 1))["id"]]}
    await stage.officer.request("PUT", f"/consultations/{opened['id']}/layout", json=layout)
    stage.node.kill()
    stage.node.start()
    lost = await stage.reaches(opened, "lost")
    assert lost["reason_code"] in ("node_restarted", "media_node_unreachable")  # how slow it comes
    await stage.reaches(opened, "joined", at=1)
    assert stage.gateway.hung_up() == []

    async def has_layout_again() -> bool:
        found = (await stage.switchboard.node.snapshot()).conferences
        return [(c.panes, len(c.legs)) for c in found if c.conference_id == opened["id"]] == [
            (4, 1)
        ]

    await until(has_layout_again)


async def test_what_happened_while_no_switchboard_ran_is_seen_afterwards(
    stage: Stage, desk: Desk
) -> None:
    """A web process that was down leaves nothing stale: snapshots are compared."""
    hall = await stage.registered_hall()
    opened = await stage.open(site_member(hall))
    leg = await stage.dialled_leg(opened)
    stage.gateway.call(leg, opened["id"], CallState.CONNECTED)
    await stage.reaches(opened, "joined")
    await until(lambda: _is_settled(3.0))
    await stage.switchboard.stop()
    stage.gateway.calls.clear()
    again = Switchboard(desk, stage.node.socket, stage.gateway.socket)
    await again.start()
    try:
        away = await stage.reaches(opened, "offline")
        assert away["reason_code"] == "gateway_restarted"
        await stage.dialled_leg(opened, count=2)
    finally:
        await again.stop()


_waited: list[float] = []


async def _is_settled(seconds: float) -> bool:
    """True once this many seconds have gone by: a fresh change is not taken for a missed one."""
    import time

    _waited.append(time.monotonic())
    if time.monotonic() - _waited[0] < seconds:
        return False
    _waited.clear()
    return True


async def test_closing_ends_calls_and_conference(stage: Stage) -> None:
    """Nothing outlives the consultation, on the node or at the gateway."""
    hall, camera = await stage.registered_hall(), await stage.camera()
    opened = await stage.open(site_member(hall), camera_member(camera))
    leg = await stage.dialled_leg(opened)
    stage.gateway.call(leg, opened["id"], CallState.CONNECTED)
    await stage.reaches(opened, "joined", at=1)
    answer = await stage.officer.post(f"/consultations/{opened['id']}/close")
    closed = await answer.json()
    assert closed["state"] == "closed"
    assert {member["state"] for member in closed["participants"]} == {"left"}

    async def is_gone() -> bool:
        is_closed = await stage.legs_on_node(opened) is None
        return is_closed and leg in stage.gateway.hung_up()

    await until(is_gone)
    again = await stage.officer.post(f"/consultations/{opened['id']}/close")
    assert again.status == 200
    refused = await stage.officer.post(f"/consultations/{opened['id']}/call-absent")
    assert (refused.status, (await refused.json())["code"]) == (409, "consultation_closed")


@pytest.mark.parametrize(
    ("member", "status", "code"),
    [
        ({"kind": "camera", "name": "x", "url": "file:///etc/passwd"}, 422, "camera_url_refused"),
        ({"kind": "camera", "name": "x", "url": "http://10.0.0.1/"}, 422, "camera_url_refused"),
        ({"kind": "camera", "name": "x"}, 422, "member_incomplete"),
        ({"kind": "site"}, 422, "member_incomplete"),
        (
            {"kind": "site", "site_id": "00000000-0000-7000-8000-000000000000"},
            404,
            "member_not_found",
        ),
        ({"kind": "telephone", "number": "call me"}, 422, "number_malformed"),
        ({"kind": "phone"}, 422, "member_incomplete"),
        ({"kind": "spaceship"}, 422, "validation_failed"),
    ],
)
async def test_a_bad_member_leaves_nothing_half_stored(
    stage: Stage, member: dict[str, Any], status: int, code: str
) -> None:
    """A clear code, and neither consultation nor participant of the refused request."""
    incident = await stage.incident()
    camera = camera_member(await stage.camera())
    answer = await stage.officer.post(
        f"/incidents/{incident['id']}/consultations", {"title": "x", "members": [camera, member]}
    )
    assert (answer.status, (await answer.json())["code"]) == (status, code)
    found = await (await stage.officer.get("/consultations?state=all")).json()
    assert incident["id"] not in [item["incident_id"] for item in found["items"]]
    kept = await (await stage.officer.get(f"/incidents/{incident['id']}")).json()
    assert kept["consultation_id"] is None


async def test_an_incident_has_one_open_consultation(stage: Stage) -> None:
    """Two operators who click at once end up in the same room."""
    opened = await stage.open()
    answer = await stage.officer.post(
        f"/incidents/{opened['incident_id']}/consultations", {"title": "y", "members": []}
    )
    problem = await answer.json()
    assert (answer.status, problem["code"]) == (409, "consultation_open_already")
    assert problem["fields"]["consultation_id"] == opened["id"]


async def test_another_citys_officer_sees_nothing_of_it(stage: Stage, sign_in: SignIn) -> None:
    """Rows of another region are not even betrayed."""
    opened = await stage.open()
    stranger = await sign_in(region_code="445300")
    for method, path in (
        ("GET", f"/consultations/{opened['id']}"),
        ("GET", f"/consultations/{opened['id']}/picture.jpg"),
        ("POST", f"/consultations/{opened['id']}/close"),
        ("POST", f"/consultations/{opened['id']}/call-absent"),
    ):
        answer = await stranger.request(method, path)
        assert answer.status == 404, path
    listed = await (await stranger.get("/consultations")).json()
    assert opened["id"] not in [item["id"] for item in listed["items"]]


async def test_the_picture_is_a_jpeg(stage: Stage) -> None:
    """Thumbnails on the duty desk show what the halls see."""
    opened = await stage.open(camera_member(await stage.camera()))
    await stage.reaches(opened, "joined")
    answer = await stage.officer.get(f"/consultations/{opened['id']}/picture.jpg?width=320")
    assert answer.status == 200
    assert (await answer.read())[:3] == b"\xff\xd8\xff"


async def test_layouts_that_make_no_sense_are_refused(stage: Stage) -> None:
    """A seat for a stranger or two seats for one member would leave panes dark."""
    opened = await stage.open(camera_member(await stage.camera()))
    one = (await stage.member(opened))["id"]
    path = f"/consultations/{opened['id']}/layout"
    for layout in (
        {"panes": 4, "seats": [one, one]},
        {"panes": 1, "seats": [one, None]},
        {"panes": 4, "seats": ["00000000-0000-7000-8000-000000000000"]},
    ):
        answer = await stage.officer.request("PUT", path, json=layout)
        assert (answer.status, (await answer.json())["code"]) == (422, "layout_malformed")


async def test_steps_are_on_the_timeline_with_their_person(stage: Stage) -> None:
    """应急条例 art. 24: complete records."""
    opened = await stage.open(camera_member(await stage.camera()))
    await stage.reaches(opened, "joined")
    await stage.officer.post(f"/consultations/{opened['id']}/close")
    answer = await stage.officer.get(f"/incidents/{opened['incident_id']}/timeline")
    kinds = [entry["kind"] for entry in (await answer.json())["items"]]
    assert [kind for kind in kinds if kind.startswith("consultation.")] == [
        "consultation.opened",
        "consultation.joined",
        "consultation.closed",
    ]
