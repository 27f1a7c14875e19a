"""The web application over a real database, and people who are logged in to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar
from aiohttp.test_utils import TestServer

from command_center.consultation.settings import ConsultationSettings
from command_center.consultation.switchboard import Switchboard
from command_center.database import Database
from command_center.dispatch_desk import PlanRunner
from command_center.incidents.dispatching import Dispatcher
from command_center.installation import Installation
from command_center.security import (
    SYSTEM,
    AuditChain,
    Desk,
    LogIn,
    NewAccount,
    Passwords,
    Role,
    create_account,
)
from command_center.security.repository import account_named
from command_center.settings import Settings
from command_center.web.app import create_app
from command_center.web.health import Health
from command_center.web.schemas import PublicConfig
from resource_dispatch import RoadNetwork, RoadPlace, SolverPool, demo_roads

PASSWORD = "Yanshi-2026!"
CROWDED = {"database_unavailable", "system_busy", "audit_unavailable"}  # nothing was done
TRIES = 20


@dataclass
class Person:
    """A browser of one user: keeps its cookie and sends the CSRF header.

    A patient one asks again where a crowded machine's database had no time for it.
    """

    session: ClientSession
    base: str
    is_patient: bool = True

    async def request(self, method: str, path: str, **kwargs: Any) -> ClientResponse:
        headers = {"X-CSRF": "1", **kwargs.pop("headers", {})}
        for _ in range(TRIES if self.is_patient else 1):
            answer = await self.session.request(method, self.base + path, headers=headers, **kwargs)
            if answer.status != 503 or (await answer.json()).get("code") not in CROWDED:
                break
            await asyncio.sleep(0.5)
        return answer

    async def get(self, path: str, **kwargs: Any) -> ClientResponse:
        return await self.request("GET", path, **kwargs)

    async def post(self, path: str, json: Any = None, **kwargs: Any) -> ClientResponse:
        return await self.request("POST", path, json=json, **kwargs)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database, AuditChain(b"k" * 32))


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(quick=True)


@cache
def roads() -> RoadNetwork:
    """A handful of roads around the scene of the story."""
    spots = [
        ("440229", "翁源县", 114.13, 24.35),
        ("440200", "韶关市", 113.60, 24.81),
        ("440232", "乳源县", 113.28, 24.78),
        ("441800", "清远市", 113.06, 23.68),
        ("441881", "英德市", 113.41, 24.19),
        ("440229113", "翁城镇", 113.86, 24.40),
    ]
    return RoadNetwork(demo_roads([RoadPlace(*spot) for spot in spots], seed=1))


@pytest.fixture
async def server(desk: Desk, passwords: Passwords, tmp_path: Path) -> AsyncIterator[TestServer]:
    """The application as the web process serves it, on a loopback port; node and gateway away."""
    pool = SolverPool(spares=0)
    runner = PlanRunner(desk, pool, roads)
    services = [
        LogIn(desk, passwords),
        Health(),
        PublicConfig(demo=True, version="test"),
        Dispatcher(pool, roads),
        runner,
        Switchboard(desk, tmp_path / "node.sock", tmp_path / "gateway.sock"),
        ConsultationSettings(public_url="http://127.0.0.1"),
        Installation(Settings(var_dir=tmp_path), "test"),
    ]
    started = TestServer(create_app(desk, services))
    await started.start_server()
    yield started
    await runner.stop()
    await started.close()
    await pool.close()


SignIn = Callable[..., Awaitable[Person]]


@pytest.fixture
async def stranger(server: TestServer) -> AsyncIterator[Person]:
    """Somebody who is not logged in."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield Person(session, f"http://127.0.0.1:{server.port}/api/v1")


@pytest.fixture
async def sign_in(server: TestServer, desk: Desk, passwords: Passwords) -> AsyncIterator[SignIn]:
    """`await sign_in(Role.DUTY_OFFICER, region_code='440000')`: a logged-in person."""
    opened: list[ClientSession] = []

    async def do(
        role: Role = Role.DUTY_OFFICER, region_code: str = "440000", name: str = ""
    ) -> Person:
        username = f"{role.value}_{region_code}{name}"
        async with desk.work(SYSTEM) as work:
            if await account_named(work.session, username) is None:
                new = NewAccount(
                    username, name or "陈示一", PASSWORD, frozenset({role}), region_code
                )
                await create_account(work, passwords, new)
        session = ClientSession(cookie_jar=CookieJar(unsafe=True))
        opened.append(session)
        person = Person(session, f"http://127.0.0.1:{server.port}/api/v1")
        answer = await person.post("/session", {"username": username, "password": PASSWORD})
        assert answer.status == 200, await answer.text()
        return person

    yield do
    for session in opened:
        await session.close()
