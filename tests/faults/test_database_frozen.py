"""F9: the database is frozen. The API says so within three seconds and recovers by itself."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar
from aiohttp.test_utils import TestServer

from command_center.database import Database, EmbeddedPostgres, migrate
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
from command_center.web.app import create_app
from command_center.web.health import Health
from command_center.web.schemas import PublicConfig
from tests.harness.processes import PATIENCE_S, crowding
from tests.service.conftest import PASSWORD, Person
from tests.service.reports import report


class Freezer:
    """Stops and continues every process of one server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def _send(self, number: signal.Signals) -> None:
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and (entry / "cwd").readlink() == self.folder:
                    os.kill(int(entry.name), number)

    def freeze(self) -> None:
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)


@pytest.fixture
async def frozen_at_will() -> AsyncIterator[tuple[Person, Freezer]]:
    """A logged-in officer over a database of its own that can be frozen."""
    with tempfile.TemporaryDirectory(prefix="cc-frozen-") as name:
        postgres = EmbeddedPostgres(Path(name) / "postgres", durable=False)
        url = postgres.start()
        freezer = Freezer(Path(name) / "postgres")
        try:
            migrate(url)
            database = Database(url)
            desk, passwords = Desk(database, AuditChain(b"k" * 32)), Passwords(quick=True)
            async with desk.work(SYSTEM) as work:
                new = NewAccount(
                    "officer", "陈示一", PASSWORD, frozenset({Role.DUTY_OFFICER}), "440000"
                )
                await create_account(work, passwords, new)
            services = [LogIn(desk, passwords), Health(), PublicConfig()]
            server = TestServer(create_app(desk, services))
            await server.start_server()
            async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
                person = Person(session, f"http://127.0.0.1:{server.port}/api/v1", is_patient=False)
                answer = await person.post(
                    "/session", {"username": "officer", "password": PASSWORD}
                )
                assert answer.status == 200
                yield person, freezer
            freezer.thaw()
            await server.close()
            await database.close()
        finally:
            freezer.thaw()
            postgres.stop()


async def test_a_frozen_database_answers_503_within_three_seconds_and_recovers(
    frozen_at_will: tuple[Person, Freezer],
) -> None:
    """An operator is told within three seconds; nothing is half done; no restart is needed."""
    person, freezer = frozen_at_will
    assert (await person.post("/incidents", report())).status == 201
    freezer.freeze()
    for _ in range(2):
        began = time.monotonic()
        answer = await person.post("/incidents", report())
        assert (answer.status, (await answer.json())["code"]) == (503, "database_unavailable")
        assert answer.headers["Retry-After"]
        assert time.monotonic() - began < 3 * crowding()
    freezer.thaw()
    deadline = time.monotonic() + PATIENCE_S
    while (answer := await person.post("/incidents", report())).status != 201:
        assert answer.status == 503
        assert time.monotonic() < deadline
    listed = (await (await person.get("/incidents?state=all")).json())["items"]
    assert len(listed) == 2
