"""Media sessions over HTTP: WHIP, WHEP, the page's own session, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientResponse, ClientSession
from aiohttp.test_utils import TestServer
from aiortc import RTCConfiguration, RTCPeerConnection
from sqlalchemy import text

from command_center.incidents import OrderRow
from command_center.security import SYSTEM, issue_join_token
from resource_dispatch import Team
from tests.service.consultation_fixtures import gateway, node, server, stage, switchboard
from tests.service.consultation_stage import Stage, as_id, until

__all__ = ["gateway", "node", "server", "stage", "switchboard"]

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"


async def offer(direction: str = "sendrecv") -> str:
    """A real offer, as a standard client makes it."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    for kind in ("audio", "video"):
        connection.addTransceiver(kind, direction=direction)
    await connection.setLocalDescription(await connection.createOffer())
    description = connection.localDescription.sdp
    await connection.close()
    return str(description)


class Client:
    """Speaks plain HTTP with a bearer token, nothing else."""

    def __init__(self, session: ClientSession, base: str, token: str | None) -> None:
        self._session, self._base = session, base
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def send(
        self, method: str, path: str, body: str = "", kind: str = SDP, **headers: str
    ) -> ClientResponse:
        url = path if path.startswith("http") else self._base + path
        return await self._session.request(
            method,
            url,
            data=body.encode() or None,
            headers={**self.headers, "Content-Type": kind, **headers},
        )


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


def client(http: ClientSession, server: TestServer, link: dict[str, Any] | None) -> Client:
    root = f"http://127.0.0.1:{server.port}/api/v1"
    return Client(http, root, link["token"] if link else None)


async def code_of(answer: ClientResponse) -> tuple[int, str]:
    return answer.status, str((await answer.json(content_type=None)).get("code"))


async def test_a_session_is_made_trickled_and_ended(
    stage: Stage, server: TestServer, http: ClientSession
) -> None:
    """RFC 9725 from beginning to end, by its own words."""
    opened = await stage.open()
    phone = client(http, server, await stage.link(opened))
    answer = await phone.send("POST", f"/consultations/{opened['id']}/whip", await offer())
    assert answer.status == 201
    assert answer.content_type == SDP
    assert (await answer.text()).startswith("v=0")
    location = f"http://127.0.0.1:{server.port}{answer.headers['Location']}"
    tag = answer.headers["ETag"]
    fragment = "m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=end-of-candidates\r\n"
    done = await phone.send("PATCH", location, fragment, FRAGMENT, **{"If-Match": tag})
    assert done.status == 204
    changed = await phone.send("PATCH", location, fragment, FRAGMENT, **{"If-Match": '"other"'})
    assert await code_of(changed) == (412, "session_changed")
    restart = "a=ice-ufrag:else\r\na=ice-pwd:0123456789012345678901\r\n" + fragment
    refused = await phone.send("PATCH", location, restart, FRAGMENT)
    assert await code_of(refused) == (422, "ice_restart_unsupported")
    assert (await phone.send("DELETE", location)).status == 200
    assert await code_of(await phone.send("DELETE", location)) == (404, "session_not_found")
    assert (await stage.member(opened))["state"] == "left"

    async def is_gone() -> bool:
        return await stage.legs_on_node(opened) == []

    await until(is_gone)


async def test_joining_again_replaces_the_leg_before(
    stage: Stage, server: TestServer, http: ClientSession
) -> None:
    """A phone that lost its network posts anew: one member, one leg."""
    opened = await stage.open()
    phone = client(http, server, await stage.link(opened))
    path = f"/consultations/{opened['id']}/session"
    first = await phone.send("POST", path, await offer())
    second = await phone.send("POST", path, await offer())
    assert first.headers["Location"] != second.headers["Location"]
    kept = second.headers["Location"].rsplit("/", 1)[1]

    async def has_one() -> bool:
        return [leg.leg_id for leg in await stage.legs_on_node(opened) or []] == [kept]

    await until(has_one)
    gone = f"http://127.0.0.1:{server.port}{first.headers['Location']}"
    assert (await phone.send("DELETE", gone)).status == 404


async def test_one_link_publishes_and_plays_at_once(
    stage: Stage, server: TestServer, http: ClientSession
) -> None:
    """WHIP and WHEP are two requests of one member, not two members that replace each other."""
    opened = await stage.open()
    phone = client(http, server, await stage.link(opened))
    base = f"/consultations/{opened['id']}"
    assert (await phone.send("POST", f"{base}/whip", await offer("sendonly"))).status == 201
    assert (await phone.send("POST", f"{base}/whep", await offer("recvonly"))).status == 201

    async def has_two() -> bool:
        legs = await stage.legs_on_node(opened) or []
        return sorted((leg.publish, leg.play) for leg in legs) == [(False, True), (True, False)]

    await until(has_two)
    assert len((await stage.read(opened))["participants"]) == 1


async def test_the_operator_joins_from_the_console(stage: Stage) -> None:
    """A logged-in user needs no link and gets one line on the roster, however often."""
    opened = await stage.open()
    for _ in range(2):
        answer = await stage.officer.post(
            f"/consultations/{opened['id']}/session",
            data=(await offer()).encode(),
            headers={"Content-Type": SDP},
        )
        assert answer.status == 201, await answer.text()
    roster = (await stage.read(opened))["participants"]
    assert [(member["kind"], member["name"]) for member in roster] == [("operator", "陈示一")]


async def test_tokens_decide_who_may_do_what(
    stage: Stage, server: TestServer, http: ClientSession
) -> None:
    """Each refusal has its own stable code, and the right comes before the SDP."""
    opened, other = await stage.open(), await stage.open()
    path = f"/consultations/{opened['id']}"
    nobody, wrong = client(http, server, None), client(http, server, {"token": "x" * 43})
    assert await code_of(await nobody.send("POST", f"{path}/whip", "v=0")) == (
        401,
        "join_token_invalid",
    )
    assert (await wrong.send("POST", f"{path}/whip", "v=0")).status == 401
    player = client(http, server, await stage.link(opened, publish=False))
    publisher = client(http, server, await stage.link(opened, play=False))
    assert await code_of(await player.send("POST", f"{path}/whip", "x")) == (
        403,
        "publish_not_allowed",
    )
    assert await code_of(await publisher.send("POST", f"{path}/whep", "x")) == (
        403,
        "play_not_allowed",
    )
    assert (await publisher.send("POST", f"{path}/whip", "x", "text/plain")).status == 415
    assert await code_of(await publisher.send("POST", f"{path}/whip", "no SDP")) == (
        422,
        "sdp_malformed",
    )
    stranger = client(http, server, await stage.link(other))
    assert await code_of(await stranger.send("POST", f"{path}/whip", await offer())) == (
        404,
        "consultation_not_found",
    )


async def test_an_expired_link_says_so(
    stage: Stage, server: TestServer, http: ClientSession
) -> None:
    """The holder asks for a new one instead of trying again."""
    opened = await stage.open()
    async with stage.desk.work(SYSTEM) as work:
        token = await issue_join_token(
            work,
            consultation_id=as_id(opened["id"]),
            name="旧链接",
            expires_at=work.now - timedelta(seconds=1),
        )
    phone = client(http, server, {"token": token})
    expected = (401, "join_token_expired")
    assert await code_of(await phone.send("GET", f"/join/{token}")) == expected
    path = f"/consultations/{opened['id']}/session"
    assert await code_of(await phone.send("POST", path, await offer())) == expected


async def test_a_closed_consultation_cannot_be_joined(
    stage: Stage, server: TestServer, http: ClientSession
) -> None:
    """The link still tells what it was for; nobody is let in."""
    opened = await stage.open()
    link = await stage.link(opened)
    await stage.officer.post(f"/consultations/{opened['id']}/close")
    phone = client(http, server, link)
    answer = await phone.send("POST", f"/consultations/{opened['id']}/session", await offer())
    assert await code_of(answer) == (409, "consultation_closed")
    page = await (await phone.send("GET", f"/join/{link['token']}")).json()
    assert page["consultation"]["state"] == "closed"


async def test_an_offer_the_node_refuses_shows_on_the_roster(
    stage: Stage, server: TestServer, http: ClientSession
) -> None:
    """A browser with no codec in common gets a code, the operator a reason."""
    opened = await stage.open()
    phone = client(http, server, await stage.link(opened))
    strange = (await offer()).replace("opus/48000", "strange/48000")
    for name in ("PCMU", "PCMA", "G722", "VP8", "H264"):
        strange = strange.replace(f" {name}/", f" x-{name}/")
    answer = await phone.send("POST", f"/consultations/{opened['id']}/session", strange)
    assert await code_of(answer) == (422, "offer_refused")
    assert (await stage.member(opened))["state"] == "failed"


async def test_without_a_node_the_answer_is_503_and_nothing_is_stored(
    stage: Stage, server: TestServer, http: ClientSession
) -> None:
    """The phone page tries again; the roster is not littered."""
    opened = await stage.open()
    phone = client(http, server, await stage.link(opened))
    await stage.switchboard.node.stop()
    answer = await phone.send("POST", f"/consultations/{opened['id']}/session", await offer())
    assert await code_of(answer) == (503, "media_node_unreachable")
    assert (await stage.member(opened))["state"] == "not_joined"


async def test_other_origins_may_ask_first(
    stage: Stage, server: TestServer, http: ClientSession
) -> None:
    """RFC 9725 section 4.9: a WHIP page of another origin sends a preflight."""
    opened = await stage.open()
    stranger = client(http, server, None)
    answer = await stranger.send("OPTIONS", f"/consultations/{opened['id']}/whip")
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert "Location" in answer.headers["Access-Control-Expose-Headers"]


async def test_a_link_is_an_address_and_a_code(stage: Stage) -> None:
    """The QR code says what the link says, and is https where the installation is."""
    link = await stage.link(await stage.open(), expires_minutes=5)
    assert link["join_url"] == f"https://command.example/m/{link['token']}"
    assert link["qr_svg"].startswith("<svg")


async def test_the_database_keeps_no_token(stage: Stage) -> None:
    """Whoever reads the table cannot join."""
    link = await stage.link(await stage.open())
    async with stage.desk.database.session() as session:
        rows = await session.execute(text("SELECT join_token::text FROM join_token"))
        assert link["token"] not in " ".join(rows.scalars())


async def test_a_team_finds_its_orders_behind_its_link(
    stage: Stage, server: TestServer, http: ClientSession
) -> None:
    """The phone page is the field's whole desk: join, receive, arrive, report done."""
    team = Team(
        code=uuid4().hex[:8],
        name="翁城专职消防站",
        region_code="440229",
        longitude=113.86,
        latitude=24.4,
        crew=12,
    )
    async with stage.desk.work(SYSTEM) as work:
        work.session.add(team)
    opened = await stage.open({"kind": "team", "team_id": str(team.id)})
    order = OrderRow(
        number=uuid4().hex[:8],
        incident_id=as_id(opened["incident_id"]),
        task_text="侦检",
        team_id=team.id,
        team_name=team.name,
        kind="order",
        issued_at=datetime.now(UTC),
        issued_by="陈示一",
        region_code="440229",
    )
    async with stage.desk.work(SYSTEM) as work:
        work.session.add(order)
    member = await stage.member(opened)
    link = await stage.link(opened, participant_id=member["id"], name=team.name)
    phone = client(http, server, link)
    page = await (await phone.send("GET", f"/join/{link['token']}")).json()
    assert (page["kind"], page["name"]) == ("team", "翁城专职消防站")
    assert [found["task_text"] for found in page["orders"]] == ["侦检"]
    step = f"/join/{link['token']}/orders/{order.id}"
    done = await phone.send("POST", f"{step}/receive", "{}", "application/json")
    assert (await done.json())["state"] == "received"
    again = await phone.send("POST", f"{step}/receive", "{}", "application/json")
    assert await code_of(again) == (409, "order_state_conflict")
    other = client(http, server, await stage.link(await stage.open()))
    theirs = f"/join/{other.headers['Authorization'].split()[1]}/orders/{order.id}/accept"
    refused = await other.send("POST", theirs, "{}", "application/json")
    assert refused.status == 404
