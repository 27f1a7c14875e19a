"""F7, F8: kill -9 of the database or the web process while orders are issued.

What was acknowledged is stored, nothing is lost, nothing is there twice: a request without an
answer is sent again with its key until it has one. 20 kills here, 200 in `make soak`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import aiohttp
import pytest
from sqlalchemy import text

from command_center.database import Database, EmbeddedPostgres, migrate, new_id
from command_center.incidents import ReportIn, file_report
from command_center.incidents.tables import DispatchProposalRow
from command_center.security import (
    SYSTEM,
    AuditChain,
    Desk,
    NewAccount,
    Passwords,
    Role,
    create_account,
    load_key,
)
from resource_dispatch import Team
from tests.harness.processes import free_port
from tests.harness.soak import times
from tests.service.reports import report

ROOT = Path(__file__).parents[2]
KILLS = times(20, 200)
PASSWORD = "Yanshi-2026!"


@dataclass
class Installation:
    """A durable database and a web process over it, in a folder of their own."""

    folder: Path
    port: int
    postgres: EmbeddedPostgres
    url: str
    web: subprocess.Popen[bytes] | None = None
    proposals: list[tuple[UUID, str]] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    def start_web(self) -> None:
        with (self.folder / "web.log").open("ab") as log:
            self.web = subprocess.Popen(
                [sys.executable, "-m", "command_center", "web", "--settings", "settings.json"],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )

    def kill_web(self) -> None:
        assert self.web is not None
        self.web.kill()
        self.web.wait()
        self.start_web()

    def kill_postmaster(self) -> None:
        """The postmaster dies; its orphans notice; `keep` starts another."""
        if self.postgres.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.postgres.pid, signal.SIGKILL)

    def kill_backend(self) -> None:
        """One backend dies; PostgreSQL puts the whole server into recovery."""
        folder = (self.folder / "postgres").resolve()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and (entry / "cwd").readlink() == folder:
                    title = (entry / "cmdline").read_bytes()
                    if b"command_center command_center" in title:
                        os.kill(int(entry.name), signal.SIGKILL)
                        return


async def prepare(home: Installation, count: int) -> None:
    """An operator, one incident, and `count` proposals of one line each."""
    database = Database(home.url, pooled=False)
    desk = Desk(database, AuditChain(load_key(home.folder / "var/secrets/audit.key")))
    async with desk.work(SYSTEM) as work:
        officer = frozenset({Role.DUTY_OFFICER})
        new = NewAccount("chenshiyi", "陈示一", PASSWORD, officer, "440000")
        await create_account(work, Passwords(), new)
        filed = await file_report(work, ReportIn.model_validate_json(json.dumps(report())))
        teams = [
            Team(code=f"T{n}", name=f"演示队{n}", region_code="440229", longitude=113.8,
                 latitude=24.4, crew=9)
            for n in range(8)
        ]  # fmt: skip
        work.session.add_all(teams)
        await work.session.flush()
        begin = datetime.now(UTC)
        for number in range(count):
            team, start = teams[number % 8], begin + timedelta(hours=2 * number)
            line = {
                "id": str(uuid4()), "task_id": str(new_id()), "task_text": f"任务{number}",
                "team_id": str(team.id), "team_name": team.name, "authority": "order",
                "depart_at": start.isoformat(),
                "finish_at": (start + timedelta(hours=1)).isoformat(),
            }  # fmt: skip
            row = DispatchProposalRow(
                incident_id=filed.incident.id,
                solver="test",
                created_at=begin,
                created_by="test",
                content={"lines": [line], "materials": []},
            )
            work.session.add(row)
            home.proposals.append((row.id, line["id"]))
    await database.close()


@pytest.fixture
async def home() -> AsyncIterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="cc-kill9-"))
    postgres = EmbeddedPostgres(folder / "postgres")
    made = Installation(folder, free_port(), postgres, postgres.start())
    settings = {
        "database_url": made.url,
        "listen_port": made.port,
        "var_dir": str(folder / "var"),
        "demo": False,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    migrate(made.url)
    keeper = asyncio.create_task(postgres.keep())
    made.start_web()
    yield made
    keeper.cancel()
    await asyncio.gather(keeper, return_exceptions=True)
    if made.web is not None:
        made.web.kill()
        made.web.wait()
    postgres.stop()
    shutil.rmtree(folder, ignore_errors=True)


class Operator:
    """Confirms proposals one by one; asks again with the same key until there is an answer."""

    def __init__(self, home: Installation, session: aiohttp.ClientSession) -> None:
        self._home = home
        self._session = session
        self.acknowledged: dict[UUID, str] = {}
        self.retries = 0

    async def _post(self, path: str, body: dict[str, object], key: str) -> tuple[int, object]:
        headers = {"X-CSRF": "1", "Idempotency-Key": key}
        async with self._session.post(
            self._home.base + path, json=body, headers=headers,
            timeout=aiohttp.ClientTimeout(total=4),
        ) as answer:  # fmt: skip
            return answer.status, await answer.json()

    async def log_in(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                body: dict[str, object] = {"username": "chenshiyi", "password": PASSWORD}
                status, _ = await self._post("/session", body, str(uuid4()))
                if status == 200:
                    return
            await asyncio.sleep(0.2)
        raise AssertionError((self._home.folder / "web.log").read_text()[-3000:])

    async def confirm(self, proposal: UUID, line: str) -> None:
        key = str(uuid4())
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            try:
                status, body = await self._post(
                    f"/dispatch-proposals/{proposal}/confirm", {"line_ids": [line]}, key
                )
            except (aiohttp.ClientError, TimeoutError, ConnectionError):
                status, body = 0, None
            if status == 200:
                assert isinstance(body, dict)
                self.acknowledged[proposal] = body["orders"][0]["number"]
                return
            assert status in (0, 409, 503), (status, body)
            if status == 409:
                assert isinstance(body, dict)
                assert body["code"] in ("request_in_progress", "conflict"), body
            self.retries += 1
            await asyncio.sleep(0.1)
        raise AssertionError("no answer within three minutes")


async def stored(home: Installation) -> tuple[dict[UUID, list[str]], int, list[str]]:
    """Order numbers by proposal, how many 'issued' steps the timeline has, breaks of the chain."""
    database = Database(home.url, pooled=False)
    chain = AuditChain(load_key(home.folder / "var/secrets/audit.key"))
    async with database.session() as session:
        rows = await session.execute(text("SELECT proposal_id, number FROM dispatch_order"))
        orders: dict[UUID, list[str]] = {}
        for proposal, number in rows:
            orders.setdefault(proposal, []).append(number)
        steps = await session.execute(
            text("SELECT count(*) FROM timeline_entry WHERE kind = 'order.issued'")
        )
        broken = await chain.verify(session)
        count = int(steps.scalar_one())
    await database.close()
    return orders, count, broken


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_acknowledged_orders_survive_kill_9_and_none_is_there_twice(
    home: Installation,
) -> None:
    """A dispatcher who saw '已下达' must be able to rely on it, and no team is sent twice."""
    chance = random.Random(9)
    await prepare(home, KILLS * 45)
    waiting = list(home.proposals)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        operator = Operator(home, session)
        await operator.log_in()

        async def work() -> None:
            while waiting:
                await operator.confirm(*waiting.pop())
                await asyncio.sleep(0.03)

        workers = [asyncio.create_task(work()) for _ in range(4)]
        for _ in range(KILLS):
            before = len(operator.acknowledged)
            await asyncio.sleep(chance.uniform(0.02, 0.3))
            assert waiting, "every order was issued before the last kill"
            chance.choice([home.kill_web, home.kill_postmaster, home.kill_backend])()
            deadline = time.monotonic() + 60
            while len(operator.acknowledged) < before + 6 and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
                for finished in (w for w in workers if w.done()):
                    finished.result()
        await asyncio.gather(*workers)
    orders, steps, broken = await stored(home)
    assert {p: [n] for p, n in operator.acknowledged.items()} == orders
    assert len(orders) == len(home.proposals) == steps
    assert broken == []
    assert operator.retries >= KILLS, "kills hit nothing: the test proved nothing"
