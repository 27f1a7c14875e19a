"""One content token a consultation: browsers by HTTP, rooms by the gateway, the operator above."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession
from aiohttp.test_utils import TestServer
from sqlalchemy import text

from command_center.consultation.switchboard import Switchboard
from sip_gateway.messages import CallState, ContentReleased, ContentRequested
from tests.harness.processes import PATIENCE_S
from tests.service.consultation_fixtures import gateway, node, server, stage, switchboard
from tests.service.consultation_stage import Stage, site_member, until
from tests.service.content_phone import ContentPhone
from video_bridge import LegKind
from video_bridge import messages as m

__all__ = ["gateway", "node", "server", "stage", "switchboard"]


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


class Room:
    """Phones and halls of one consultation."""

    def __init__(self, stage: Stage, server: TestServer, http: ClientSession) -> None:
        self.stage, self._http = stage, http
        self._root = f"http://127.0.0.1:{server.port}/api/v1"
        self._stack = AsyncExitStack()

    async def open(self, *members: dict[str, Any]) -> None:
        self.opened = await self.stage.open(*members)

    async def phone(self, name: str) -> ContentPhone:
        phone = ContentPhone(self._http, self._root, self.stage, self.opened)
        self._stack.push_async_callback(phone.close)
        await phone.join(name)

        async def is_in() -> bool:
            members = (await self.stage.read(self.opened))["participants"]
            return any(
                one["id"] == phone.participant_id and one["state"] == "joined" for one in members
            )

        await until(is_in)
        return phone

    async def hall_in(self) -> str:
        """The hall's call is answered; its leg is on the node with a content line."""
        leg = await self.stage.dialled_leg(self.opened)
        await self.stage.switchboard.node.add_leg(
            m.LegAdd(
                conference_id=self.opened["id"],
                leg_id=leg,
                kind=LegKind.RTP,
                name="翁源",
                media=["audio", "video", "content"],
            )
        )
        self.stage.gateway.call(leg, self.opened["id"], CallState.CONNECTED)
        await self.stage.reaches(self.opened, "joined")
        return leg

    async def shows(self, leg_id: str | None) -> None:
        """Wait until the node shows this leg's content."""

        async def is_shown() -> bool:
            stats = await self.stage.switchboard.node.stats(self.opened["id"])
            return stats.conferences[0].content_leg_id == leg_id

        await until(is_shown)

    async def desk(self, method: str, what: str, body: Any = None) -> ClientResponse:
        path = f"/consultations/{self.opened['id']}/content/{what}"
        answer = await self.stage.officer.request(method, path, json=body)
        assert answer.status == 200, await answer.text()
        return answer

    async def told(self, type_: str) -> dict[str, Any]:
        """The last word of this type to the gateway, once it was said."""
        asked = self.stage.gateway.asked

        async def was_said() -> bool:
            return any(said == type_ for said, _ in asked)

        await until(was_said)
        found = [body for said, body in asked if said == type_][-1]
        asked.clear()
        return found

    async def close(self) -> None:
        await self._stack.aclose()


@pytest.fixture
async def room(stage: Stage, server: TestServer, http: ClientSession) -> AsyncIterator[Room]:
    made = Room(stage, server, http)
    yield made
    await made.close()


async def refusal(answer: ClientResponse) -> tuple[int, str, str]:
    body = await answer.json()
    return answer.status, body["code"], body["detail"]


async def test_second_presenter_is_refused_by_name_until_the_first_is_done(room: Room) -> None:
    """Request, refuse, take back, grant, lock: the operator's words, followed by the node."""
    await room.open()
    first, second = await room.phone("甲"), await room.phone("乙")
    assert (await first.ask()).status == 200
    await room.shows(first.leg_id)
    status, code, detail = await refusal(await second.ask())
    assert (status, code) == (409, "content_held") and "甲" in detail
    assert (await second.content())["holder"]["name"] == "甲"
    taken = await (await room.desk("POST", "take-back")).json()
    assert taken["holder"] is None
    await room.shows(None)
    assert (await second.ask()).status == 200
    await room.shows(second.leg_id)
    locked = await room.desk("PUT", "lock", {"participant_id": first.participant_id})
    assert (await locked.json())["holder"] is None, "another's presenting ends"
    assert (await refusal(await second.ask()))[1] == "content_locked"
    assert (await first.ask()).status == 200
    assert (await first.release()).status == 200
    await room.desk("PUT", "lock", {"participant_id": None})
    assert (await second.ask()).status == 200
    await room.shows(second.leg_id)
    await second.close()
    await room.shows(None)

    async def is_free() -> bool:
        return (await first.content())["holder"] is None

    await until(is_free)  # who went away holds nothing
    async with room.stage.desk.database.session() as session:
        query = text("SELECT DISTINCT action FROM audit WHERE action LIKE 'content.%'")
        actions = set((await session.scalars(query)).all())
    assert actions >= {"content.request", "content.take_back", "content.lock", "content.release"}


async def test_hall_waits_in_the_queue_and_is_told(room: Room) -> None:
    """BFCP: pending, granted when the phone is done, revoked when the operator takes it back."""
    await room.open(site_member(await room.stage.registered_hall()))
    leg = await room.hall_in()
    phone = await room.phone("甲")
    assert (await phone.ask()).status == 200
    assert (await room.told("content.offer")) == {"leg_id": leg, "on": True, "holder": "甲"}
    wish = ContentRequested(leg_id=leg, conference_id=room.opened["id"], can_wait=True)
    room.stage.gateway.room_says(wish)
    answer = await room.told("content.decide")
    assert (answer["granted"], answer["queue_place"], answer["holder"]) == (False, 1, "甲")
    assert (await phone.release()).status == 200
    assert (await room.told("content.decide"))["granted"] is True
    await room.shows(leg)
    await room.desk("POST", "take-back")
    assert (await room.told("content.revoke"))["leg_id"] == leg
    await room.shows(None)
    assert (await phone.ask()).status == 200
    without_queue = wish.model_copy(update={"can_wait": False})
    room.stage.gateway.room_says(without_queue)
    answer = await room.told("content.decide")
    assert (answer["granted"], answer["queue_place"]) == (False, None)
    assert (await phone.release()).status == 200
    room.stage.gateway.room_says(without_queue)
    assert (await room.told("content.decide"))["granted"] is True
    await room.shows(leg)
    room.stage.gateway.room_says(ContentReleased(leg_id=leg, conference_id=room.opened["id"]))
    await room.shows(None)


async def test_token_outlives_the_process_that_kept_it(room: Room) -> None:
    """A row, not memory: the next leading process tells a node that forgot."""
    await room.open()
    phone = await room.phone("甲")
    assert (await phone.ask()).status == 200
    await room.shows(phone.leg_id)
    stage = room.stage
    await stage.switchboard.stop()
    successor = Switchboard(stage.desk, stage.node.socket, stage.gateway.socket)
    await successor.start()
    stage.switchboard = successor
    try:
        await successor.node.wait_connected(PATIENCE_S)
        await successor.node.send(m.ContentSet(conference_id=room.opened["id"]))
        await room.shows(phone.leg_id)
        assert (await phone.content())["holder"]["name"] == "甲"
    finally:
        await successor.stop()
