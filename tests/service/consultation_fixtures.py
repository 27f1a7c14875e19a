"""Fixtures of the consultation room; a test module imports those it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from sqlalchemy import text

from command_center.consultation.session_routes import OfferMemory
from command_center.consultation.settings import ConsultationSettings
from command_center.consultation.switchboard import Switchboard
from command_center.security import Desk, LogIn, Passwords
from command_center.web.app import create_app
from command_center.web.health import Health
from command_center.web.schemas import PublicConfig
from tests.harness.processes import PATIENCE_S
from tests.service.conftest import SignIn
from tests.service.consultation_stage import Node, ScriptedGateway, Stage


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    started = Node(tmp_path_factory.mktemp("node"))
    started.start()
    yield started
    started.kill()


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[ScriptedGateway]:
    started = ScriptedGateway(tmp_path / "gateway.sock")
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
async def switchboard(
    desk: Desk, node: Node, gateway: ScriptedGateway
) -> AsyncIterator[Switchboard]:
    started = Switchboard(desk, node.socket, gateway.socket)
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
async def server(
    desk: Desk, passwords: Passwords, switchboard: Switchboard
) -> AsyncIterator[TestServer]:
    services = [
        LogIn(desk, passwords),
        Health(),
        PublicConfig(demo=True, version="test"),
        switchboard,
        OfferMemory(),
        ConsultationSettings(public_url="https://command.example"),
    ]
    started = TestServer(create_app(desk, services))
    await started.start_server()
    yield started
    await started.close()


@pytest.fixture
async def stage(
    desk: Desk, node: Node, gateway: ScriptedGateway, switchboard: Switchboard, sign_in: SignIn
) -> AsyncIterator[Stage]:
    await switchboard.node.wait_connected(PATIENCE_S)
    yield Stage(desk, node, gateway, switchboard, await sign_in())
    async with desk.database.session() as session, session.begin():
        await session.execute(text("UPDATE consultation SET state = 'closed'"))
