"""Live events: who may connect, who is told what, and how soon a revoked session is gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import socketio
from aiohttp.test_utils import TestServer
from sqlalchemy import text
from yarl import URL

from command_center.security import SYSTEM, Desk, issue_join_token
from command_center.web import live
from tests.harness.processes import PATIENCE_S, crowding

from .conftest import Person, SignIn
from .reports import report

Connect = Callable[..., Awaitable["Ear"]]


class Ear:
    """A connected browser's socket and what it has heard."""

    def __init__(self) -> None:
        self.client = socketio.AsyncClient(reconnection=False)
        self.heard: list[dict[str, Any]] = []
        self.gone = asyncio.Event()
        self.client.on("event", self.heard.append)
        self.client.on("disconnect", lambda *_: self.gone.set())

    async def hears(self, type_: str, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        async with asyncio.timeout(timeout_s):
            while True:
                for event in self.heard:
                    if event["type"] == type_:
                        return event
                await asyncio.sleep(0.02)


@pytest.fixture
async def connect(server: TestServer) -> AsyncIterator[Connect]:
    """`await connect(person)` with its cookie, or `await connect(token=...)`."""
    ears: list[Ear] = []

    async def do(person: Person | None = None, token: str | None = None) -> Ear:
        ear = Ear()
        ears.append(ear)
        headers = {}
        if person is not None:
            jar = person.session.cookie_jar.filter_cookies(URL(person.base))
            headers["Cookie"] = f"cc_session={jar['cc_session'].value}"
        await ear.client.connect(
            f"http://127.0.0.1:{server.port}",
            headers=headers,
            auth={"join_token": token} if token else None,
            wait_timeout=int(PATIENCE_S),
        )
        return ear

    yield do
    for ear in ears:
        await ear.client.disconnect()


async def test_a_desk_hears_of_a_new_incident_and_another_city_does_not(
    sign_in: SignIn, connect: Connect
) -> None:
    """The console lives by these events; row-level scope holds for them too."""
    officer = await sign_in()
    here = await connect(officer)
    there = await connect(await sign_in(region_code="441800"))
    incident = (await (await officer.post("/incidents", report())).json())["incident"]
    event = await here.hears("incident.created")
    assert event["incident_id"] == incident["id"]
    assert event["actor"]["name"] == "陈示一"
    await here.hears("clock.updated")
    numbers = [heard["seq"] for heard in here.heard]
    assert numbers == sorted(numbers)
    assert there.heard == []


async def test_nobody_connects_without_a_session_or_a_join_token(connect: Connect) -> None:
    """The socket is a door like any other."""
    with pytest.raises(socketio.exceptions.ConnectionError):
        await connect()
    with pytest.raises(socketio.exceptions.ConnectionError):
        await connect(token="nonsense")


async def test_a_join_token_hears_of_its_own_consultation_only(
    sign_in: SignIn, connect: Connect, desk: Desk
) -> None:
    """A phone in the field must not listen to the whole province."""
    officer = await sign_in()
    mine, other, team = uuid4(), uuid4(), uuid4()
    async with desk.work(SYSTEM) as work:
        token = await issue_join_token(
            work,
            consultation_id=mine,
            name="冯示八",
            team_id=team,
            expires_at=work.now + timedelta(hours=1),
        )
    phone = await connect(token=token)
    await officer.post("/incidents", report())
    await tell(desk, other)
    await tell(desk, mine)
    event = await phone.hears("order.updated")
    assert event["consultation_id"] == str(mine)
    assert len(phone.heard) == 1


async def tell(desk: Desk, consultation_id: UUID) -> None:
    async with desk.work(SYSTEM) as work:
        work.emit("order.updated", {}, consultation_id=consultation_id)


async def test_a_revoked_session_dies_on_its_socket_within_five_seconds(
    sign_in: SignIn, connect: Connect, desk: Desk
) -> None:
    """GB/T 22239-2019: whoever is logged out stops listening, without doing anything."""
    officer = await sign_in()
    ear = await connect(officer)
    async with desk.database.session() as session, session.begin():
        await session.execute(text("UPDATE session SET revoked_at = now()"))
    began = time.monotonic()
    async with asyncio.timeout(PATIENCE_S):
        await ear.gone.wait()
    assert time.monotonic() - began < 5.0 * crowding()
    assert (await officer.get("/session")).status == 401


@pytest.fixture
def held_feed(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The feed's connection to the database stands once this is set."""
    stands = asyncio.Event()

    async def connect(*args: Any, **fields: Any) -> psycopg.AsyncConnection[Any]:
        await stands.wait()
        return await psycopg.AsyncConnection.connect(*args, **fields)

    slow = SimpleNamespace(connect=connect)
    monkeypatch.setattr(live, "psycopg", SimpleNamespace(AsyncConnection=slow, Error=psycopg.Error))
    return stands


async def test_what_happens_before_the_feed_stands_is_told_to_who_was_there(
    held_feed: asyncio.Event, sign_in: SignIn, connect: Connect
) -> None:
    """A busy machine starts slowly; a page whose line stands relies on being told."""
    officer = await sign_in()
    ear = await connect(officer)
    await officer.post("/incidents", report())
    held_feed.set()
    await ear.hears("incident.created")


async def test_events_written_while_the_feed_was_cut_off_arrive_once(
    sign_in: SignIn, connect: Connect, desk: Desk
) -> None:
    """The feed's own database connection may die; nothing is missed and nothing doubled."""
    officer = await sign_in()
    ear = await connect(officer)
    async with desk.database.session() as session, session.begin():
        await session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN%' AND datname = current_database()"
            )
        )
    await officer.post("/incidents", report())
    await ear.hears("clock.updated")
    await ear.hears("incident.created")  # told after the clocks
    numbers = [heard["seq"] for heard in ear.heard]
    assert numbers == sorted(set(numbers))


async def test_many_consoles_of_one_session_are_all_let_in(
    sign_in: SignIn, connect: Connect
) -> None:
    """A wall of screens in the hall shares one log-in; all come back at once after a restart."""
    officer = await sign_in(name="wall")
    ears = await asyncio.gather(*(connect(officer) for _ in range(40)))
    answer = await officer.post("/incidents", report())
    assert answer.status == 201
    incident = (await answer.json())["incident"]["id"]
    told = await asyncio.gather(*(ear.hears("incident.created") for ear in ears))
    assert {event["incident_id"] for event in told} == {incident}
