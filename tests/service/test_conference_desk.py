"""会控 over a real database and a real node: each order of the operators' vocabulary by the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import socketio
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from sqlalchemy import text
from yarl import URL

from command_center.consultation.gateway_directory import GatewayDirectory
from command_center.consultation.switchboard import Switchboard
from command_center.security import Desk, Role
from sip_gateway.messages import CallResult, CallState, DtmfPressed
from sip_gateway.ports import Admission, Refusal
from tests.harness.processes import PATIENCE_S
from tests.service.conftest import Person, SignIn
from tests.service.consultation_fixtures import gateway, node, server, stage, switchboard
from tests.service.consultation_stage import Stage, camera_member, site_member, until

__all__ = ["gateway", "node", "server", "stage", "switchboard"]

NAMES = ("韶关市局", "惠州市局", "翁源县局")


class Meeting:
    """A consultation of three synthetic sites, all in."""

    def __init__(self, stage: Stage, opened: dict[str, Any]) -> None:
        self.stage, self.opened = stage, opened
        self.ids = [member["id"] for member in opened["participants"]]

    async def order(
        self, method: str, path: str, json: Any = None, status: int = 200
    ) -> dict[str, Any]:
        url = f"/consultations/{self.opened['id']}{path}"
        answer = await self.stage.officer.request(method, url, json=json)
        found: dict[str, Any] = await answer.json()
        assert answer.status == status, found
        return found

    async def shown(self) -> list[str | None]:
        """Participants in the halls' panes, as the node has them."""
        snapshot = await self.stage.switchboard.node.snapshot()
        (conference,) = [c for c in snapshot.conferences if c.conference_id == self.opened["id"]]
        members = (await self.stage.read(self.opened))["participants"]
        names = {leg.leg_id: leg.name for leg in conference.legs}
        by_name = {member["name"]: member["id"] for member in members}
        return [by_name.get(names.get(seat or "", "")) for seat in conference.seats if seat]

    async def shows(self, *participants: str) -> None:
        seen: list[Any] = []

        async def is_so() -> bool:
            seen[:] = await self.shown()
            return seen == list(participants)

        await until(is_so, words=lambda: f"shown {seen}, wanted {participants}")

    async def has_open_microphones(self, *participants: str) -> None:
        """Exactly these are open at the node."""
        found: set[str] = set()

        async def is_so() -> bool:
            legs = await self.stage.legs_on_node(self.opened) or []
            members = (await self.stage.read(self.opened))["participants"]
            by_name = {member["name"]: member["id"] for member in members}
            found.clear()
            found.update(by_name[leg.name] for leg in legs if not leg.microphone_muted)
            return found == set(participants)

        await until(is_so, words=lambda: f"open {found}, wanted {participants}")


async def meeting(stage: Stage) -> Meeting:
    cameras = [await stage.camera(f"synthetic:{name}") for name in NAMES]
    members = [
        {**camera_member(camera), "name": name} for camera, name in zip(cameras, NAMES, strict=True)
    ]
    opened = await stage.open(*members)
    for at in range(3):
        await stage.reaches(opened, "joined", at=at)
    return Meeting(stage, opened)


async def test_a_broadcast_is_forced_and_ends_as_it_began(stage: Stage) -> None:
    """Whoever joins later sees the same picture, for it is one layout of the whole conference."""
    held = await meeting(stage)
    one, two, three = held.ids
    await held.order("PUT", "/layout", {"arrangement": "4", "seats": [three, one, None, two]})
    await held.shows(three, one, two)
    answer = await held.order("POST", "/broadcast", {"participant_id": two})
    assert answer["control"]["broadcast"] == {"kind": "site", "participant_id": two}
    await held.shows(two)
    refused = await held.order("POST", f"/participants/{one}/watch", {"participant_id": three}, 409)
    assert refused["code"] == "view_is_forced"
    stopped = await held.order("DELETE", "/broadcast")
    assert stopped["control"]["broadcast"] is None
    await held.shows(three, one, two)
    mosaic = await held.order("POST", "/broadcast", {})
    assert mosaic["control"]["broadcast"] == {"kind": "mosaic", "participant_id": None}


async def test_a_roll_call_closes_the_others_and_cancelling_restores_them(stage: Stage) -> None:
    """A microphone that the desk had closed is closed again afterwards, and only that one."""
    held = await meeting(stage)
    one, two, three = held.ids
    await held.order("POST", "/chair", {"participant_id": one})
    await stage.officer.post(f"/consultations/{held.opened['id']}/participants/{two}/mute")
    await held.has_open_microphones(one, three)
    answer = await held.order("POST", "/roll-call", {"participant_id": two})
    marks = {member["id"]: member["muted_by"] for member in answer["participants"]}
    assert marks == {one: None, two: None, three: "roll_call"}
    await held.has_open_microphones(one, two)
    await held.shows(two)
    assert (await held.order("POST", "/broadcast", {}, 409))["code"] == "roll_call_running"
    await held.order("DELETE", "/roll-call")
    await held.has_open_microphones(one, three)


async def test_polling_goes_on_after_the_web_process_was_killed(stage: Stage, desk: Desk) -> None:
    """Whose turn it is is a row: another process takes it up."""
    held = await meeting(stage)
    one, two, three = held.ids
    body = {"participant_ids": [three, one], "interval_s": 2}
    answer = await held.order("POST", "/polling", body)
    assert answer["control"]["polling"]["participant_id"] == three
    await held.shows(one)
    await stage.switchboard.stop()
    again = Switchboard(desk, stage.node.socket, stage.gateway.socket)
    await again.start()
    await again.node.wait_connected(PATIENCE_S)
    stage.switchboard.node = again.node
    try:
        await held.shows(three)
        await held.shows(one)
        await held.order("DELETE", "/polling")
        await held.shows(one, two, three)
    finally:
        await again.stop()


async def test_mute_all_spares_the_chair(stage: Stage) -> None:
    """全体闭音 and its undoing are one press each."""
    held = await meeting(stage)
    one = held.ids[0]
    await held.order("POST", "/chair", {"participant_id": one})
    await held.order("POST", "/mute-all")
    await held.has_open_microphones(one)
    await held.order("POST", "/unmute-all")
    await held.has_open_microphones(*held.ids)


async def _own(
    session: ClientSession, server: TestServer, link: dict[str, Any], method: str, path: str
) -> tuple[int, dict[str, Any]]:
    """What a member's page asks with its join link."""
    answer = await session.request(
        method,
        f"http://127.0.0.1:{server.port}/api/v1/consultations/{link['of']}/own{path}",
        json={} if method == "POST" else None,
        headers={"Authorization": f"Bearer {link['token']}"},
    )
    return answer.status, await answer.json()


async def _link(stage: Stage, opened: dict[str, Any], name: str) -> dict[str, Any]:
    return {**await stage.link(opened, name=name), "of": opened["id"]}


async def test_there_is_one_chair(stage: Stage, server: TestServer) -> None:
    """A second request is refused with the holder's name; the operator takes the token back."""
    opened = await stage.open()
    async with ClientSession() as http:
        first = await _link(stage, opened, "翁城站队长")
        second = await _link(stage, opened, "省厅专家")
        assert (await _own(http, server, first, "POST", "/chair"))[1]["is_chair"]
        status, refused = await _own(http, server, second, "POST", "/chair")
        assert (status, refused["code"]) == (409, "chair_held")
        assert "翁城站队长" in refused["detail"]
        assert (await _own(http, server, second, "DELETE", "/chair"))[0] == 409
        await stage.officer.request("DELETE", f"/consultations/{opened['id']}/chair")
        assert (await _own(http, server, second, "POST", "/chair"))[1]["is_chair"]
        assert not (await _own(http, server, second, "DELETE", "/chair"))[1]["is_chair"]


async def test_the_floor_is_asked_for_granted_by_the_chair_and_given_back(
    stage: Stage, server: TestServer
) -> None:
    """申请发言: a queue in its order; who is no chair and no operator decides nothing."""
    opened = await stage.open()
    async with ClientSession() as http:
        chair = await _link(stage, opened, "主席")
        team = await _link(stage, opened, "翁城站队长")
        expert = await _link(stage, opened, "省厅专家")
        await _own(http, server, chair, "POST", "/chair")
        assert (await _own(http, server, team, "POST", "/floor"))[1]["floor_place"] == 1
        status, own = await _own(http, server, expert, "POST", "/floor")
        assert (status, own["floor_place"], own["floor_queue"]) == (200, 2, [])
        grant = f"/floor/{team['participant_id']}/grant"
        status, refused = await _own(http, server, expert, "POST", grant)
        assert (status, refused["code"]) == (403, "permission_denied")
        await stage.officer.request(
            "PUT", f"/consultations/{opened['id']}/desk-settings", json={"floor_mutes_others": True}
        )
        status, seen = await _own(http, server, chair, "POST", grant)
        assert [line["state"] for line in seen["floor_queue"]] == ["granted", "waiting"]
        muted = (await _own(http, server, expert, "GET", ""))[1]
        assert (muted["muted_by"], muted["floor_place"]) == ("floor", 1)
        assert (await _own(http, server, team, "GET", ""))[1]["muted_by"] is None
        await _own(http, server, team, "DELETE", "/floor")
        assert (await _own(http, server, expert, "GET", ""))[1]["muted_by"] is None


async def test_a_hall_asks_for_the_floor_by_its_keys(stage: Stage) -> None:
    """*9 by DTMF: the hall has no page of ours."""
    hall = await stage.registered_hall()
    opened = await stage.open(site_member(hall))
    leg = await stage.dialled_leg(opened)
    stage.gateway.call(leg, opened["id"], CallState.CONNECTED)
    member = await stage.reaches(opened, "joined")
    for key in "*9":
        stage.gateway.press(DtmfPressed(leg_id=leg, conference_id=opened["id"], digit=key))

    async def is_asked() -> bool:
        floor = (await stage.read(opened))["control"]["floor"]
        return [(line["participant_id"], line["origin"]) for line in floor] == [
            (member["id"], "key")
        ]

    await until(is_asked)


async def test_a_locked_consultation_is_entered_only_by_the_desks_dialling(
    stage: Stage, desk: Desk
) -> None:
    """锁定会议: the refusal has a reason, and the desk is told who stood at the door."""
    hall = await stage.registered_hall("惠州市应急管理局")
    opened = await stage.open()
    path = f"/consultations/{opened['id']}"
    assert (await (await stage.officer.post(f"{path}/lock")).json())["control"]["is_locked"]
    directory = GatewayDirectory(desk)
    refused = await directory.admit(hall.account or "", opened["dial_number"])
    assert refused == Refusal(403, "consultation_locked")
    events = (await (await stage.officer.get("/events?limit=1000")).json())["items"]
    told = [e["body"] for e in events if e["body"].get("what") == "entry_refused"]
    assert told[-1]["name"] == "惠州市应急管理局"
    await stage.officer.post(f"{path}/participants", site_member(hall))
    await stage.dialled_leg(opened)
    await stage.officer.request("DELETE", f"{path}/lock")
    assert isinstance(await directory.admit(hall.account or "", opened["dial_number"]), Admission)


async def test_call_all_absent_redials_and_says_why_it_gave_up(stage: Stage) -> None:
    """The count, the pause and the reason are on the roster."""
    hall = await stage.registered_hall()
    opened = await stage.open(site_member(hall))
    path = f"/consultations/{opened['id']}"
    settings = {"redial_limit": 1, "redial_pause_s": 5}
    await stage.officer.request("PUT", f"{path}/desk-settings", json=settings)
    stage.gateway.end(await stage.dialled_leg(opened), CallResult.NO_ANSWER)
    await stage.reaches(opened, "failed")
    await stage.officer.post(f"{path}/call-absent")
    stage.gateway.end(await stage.dialled_leg(opened, 2), CallResult.NO_ANSWER)
    waiting = await stage.reaches(opened, "failed")
    assert (waiting["attempts"], waiting["redial_limit"]) == (1, 1)
    assert waiting["retry_at"] and not waiting["has_given_up"]
    stage.gateway.end(await stage.dialled_leg(opened, 3), CallResult.NO_ANSWER)

    async def has_given_up() -> bool:
        return bool((await stage.member(opened))["has_given_up"])

    await until(has_given_up)
    member = await stage.member(opened)
    assert (member["state"], member["reason_text"]) == ("failed", "无人接听")


async def test_attendance_is_another_thing_than_a_roll_call(
    stage: Stage, server: TestServer
) -> None:
    """会前点名(签到): signed in by oneself or ticked off; no microphone and no view changes."""
    held = await meeting(stage)
    one, two, _three = held.ids
    late = await held.order("PUT", f"/attendance/{one}", {"mark": "present"}, 409)
    assert late["code"] == "attendance_not_running"
    await held.order("POST", "/attendance")
    await held.order("PUT", f"/attendance/{one}", {"mark": "present", "note": "王局长"})
    await held.order("PUT", f"/attendance/{two}", {"mark": "absent"})
    async with ClientSession() as http:
        phone = await _link(stage, held.opened, "省厅专家")
        assert (await _own(http, server, phone, "POST", "/attendance"))[1]["has_signed_in"]
    answer = await held.order("DELETE", "/attendance")
    roll = answer["control"]["attendance"]
    assert roll["ended_at"]
    assert sorted(mark["mark"] for mark in roll["marks"]) == ["absent", "present", "present"]
    await held.has_open_microphones(*held.ids)


async def test_the_end_is_extended_and_words_are_written_over_the_picture(stage: Stage) -> None:
    """延长, 横幅, 短消息: stored as they were ordered."""
    opened = await stage.open()
    path = f"/consultations/{opened['id']}"
    answer = await (await stage.officer.post(f"{path}/extend", {"minutes": 30})).json()
    ends_at = datetime.fromisoformat(answer["control"]["ends_at"])
    assert timedelta(minutes=29) < ends_at - datetime.now(UTC) <= timedelta(minutes=30)
    overlay = {"banner": "翁源县液氯泄漏处置会商", "message": "请各会场签到", "clock": True}
    answer = await (await stage.officer.request("PUT", f"{path}/overlay", json=overlay)).json()
    assert answer["control"]["overlay"]["banner"] == overlay["banner"]
    too_long = await stage.officer.request("PUT", f"{path}/overlay", json={"banner": "长" * 61})
    assert too_long.status == 422


async def test_a_reservation_made_of_a_template_opens_at_its_time(stage: Stage) -> None:
    """预约 and 模板: nobody presses anything, the hall is dialled, its number was known before."""
    hall = await stage.registered_hall()
    opened = await stage.open(site_member(hall))
    template = {"name": "周例会", "title": "防汛周例会", "consultation_id": opened["id"]}
    made = await (await stage.officer.post("/consultation-templates", template)).json()
    assert [member["site_id"] for member in made["members"]] == [str(hall.id)]
    starts_at = datetime.now(UTC) + timedelta(seconds=1)
    wish = {
        "title": "防汛周例会",
        "starts_at": starts_at.isoformat(),
        "minutes": 45,
        "template_id": made["id"],
    }
    answer = await stage.officer.post("/consultation-reservations", wish)
    reserved = await answer.json()
    assert (answer.status, reserved["state"]) == (201, "waiting")

    async def is_opened() -> bool:
        items = await (await stage.officer.get("/consultation-reservations?state=opened")).json()
        found = [item for item in items["items"] if item["id"] == reserved["id"]]
        if found:
            reserved.update(found[0])
        return bool(found)

    await until(is_opened)
    meeting = await stage.read({"id": reserved["consultation_id"]})
    assert meeting["dial_number"] == reserved["dial_number"]
    assert meeting["control"]["ends_at"]
    await stage.dialled_leg(meeting)
    over = await stage.officer.request("DELETE", f"/consultation-reservations/{reserved['id']}")
    assert over.status == 409
    past = {**wish, "starts_at": (starts_at - timedelta(hours=1)).isoformat()}
    refused = await stage.officer.post("/consultation-reservations", past)
    assert (await refused.json())["code"] == "reservation_in_the_past"


async def test_a_member_that_leaves_for_good_leaves_its_tokens(stage: Stage) -> None:
    """A chair that hung up must not lock out the next one, nor a removed site the picture."""
    held = await meeting(stage)
    one, two, _three = held.ids
    await held.order("POST", "/chair", {"participant_id": one})
    await held.order("POST", "/broadcast", {"participant_id": two})
    base = f"/consultations/{held.opened['id']}/participants"
    await stage.officer.post(f"{base}/{one}/hang-up")
    await stage.officer.request("DELETE", f"{base}/{two}")
    control = (await stage.read(held.opened))["control"]
    assert (control["chair_id"], control["broadcast"]) == (None, None)


async def test_orders_go_over_the_socket_too(
    stage: Stage, server: TestServer, sign_in: SignIn, desk: Desk
) -> None:
    """`call` runs the same route: same words, same permission, same audit."""
    opened = await stage.open()
    path = f"/consultations/{opened['id']}"
    trainer = await sign_in(Role.TRAINER)

    async def call(person: Person, *asked: Any) -> dict[str, Any]:
        jar = person.session.cookie_jar.filter_cookies(URL(person.base))
        client = socketio.AsyncClient(reconnection=False)
        await client.connect(
            f"http://127.0.0.1:{server.port}",
            headers={"Cookie": f"cc_session={jar['cc_session'].value}"},
            wait_timeout=int(PATIENCE_S),
        )
        try:
            found: dict[str, Any] = await client.call("call", asked[0], timeout=int(PATIENCE_S))
        finally:
            await client.disconnect()
        return found

    done = await call(stage.officer, {"method": "POST", "path": f"{path}/lock"})
    assert (done["status"], done["body"]["control"]["is_locked"]) == (200, True)
    asked = {"method": "POST", "path": f"{path}/extend", "body": {"minutes": "30"}}
    wrong = await call(stage.officer, asked)
    assert (wrong["status"], wrong["body"]["code"]) == (422, "validation_failed")
    refused = await call(trainer, {"method": "DELETE", "path": f"{path}/lock"})
    assert (refused["status"], refused["body"]["code"]) == (403, "permission_denied")
    strange = await call(stage.officer, {"method": "POST", "path": "/session"})
    assert strange["status"] == 404
    assert (await call(stage.officer, "nonsense"))["status"] == 422
    async with desk.database.session() as session:
        rows = await session.execute(
            text("SELECT action, outcome FROM audit WHERE remote = 'socket' ORDER BY seq")
        )
        assert [tuple(row) for row in rows][-3:] == [
            ("consultation.lock", "done"),
            ("consultation.extend", "refused"),
            ("consultation.lock", "refused"),
        ]


async def test_every_order_is_audited_and_told(stage: Stage, desk: Desk, sign_in: SignIn) -> None:
    """Who forced whose picture must be found afterwards; another city's desk orders nothing."""
    held = await meeting(stage)
    await held.order("POST", "/broadcast", {"participant_id": held.ids[0]})
    await held.order("DELETE", "/broadcast")
    async with desk.database.session() as session:
        rows = await session.execute(
            text("SELECT action FROM audit WHERE object_id = :id ORDER BY seq"),
            {"id": held.opened["id"]},
        )
        actions = [row[0] for row in rows]
    assert actions[-2:] == ["broadcast.start", "broadcast.stop"]
    events = (await (await stage.officer.get("/events?limit=1000")).json())["items"]
    told = [e["body"].get("what") for e in events if e["consultation_id"] == held.opened["id"]]
    assert [what for what in told if what][-2:] == ["broadcast", "broadcast_stopped"]
    other = await sign_in(Role.DUTY_LEADER, region_code="441800")
    answer = await other.post(f"/consultations/{held.opened['id']}/lock")
    assert (answer.status, (await answer.json())["code"]) == (404, "consultation_not_found")
