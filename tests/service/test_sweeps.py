"""Coverage studies: asked over the API, made by worker processes, one of which is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from command_center.security import Role
from command_center.settings import Settings
from tests.harness.processes import PATIENCE_S

from .activation import Active, active, library
from .conftest import Person, SignIn

__all__ = ["active", "library"]  # pytest finds fixtures by their names in the module
pytestmark = pytest.mark.timeout(600)

SMALL = {"name": "粤北小推演", "draws": 12, "lost_pct": [20, 0], "incidents": 2, "tasks_each": 2}


class Workers:
    """Worker processes as `serve` starts them."""

    def __init__(self, settings_file: Path, folder: Path) -> None:
        self._argv = [sys.executable, "-m", "command_center", "worker", "--settings"]
        self._argv.append(str(settings_file))
        self._folder = folder
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        log = (self._folder / f"worker-{len(self.running)}.log").open("ab")
        with log:
            process = subprocess.Popen(self._argv, stdout=log, stderr=log)
        self.running.append(process)
        return process

    def logs(self) -> str:
        return "\n".join(file.read_text("utf-8") for file in self._folder.glob("worker-*.log"))

    def kill(self) -> None:
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


@pytest.fixture
async def workers(database_url: str, tmp_path: Path) -> AsyncIterator[Workers]:
    """None runs yet; whatever the test started is ended."""
    settings = Settings(var_dir=tmp_path / "var", database_url=database_url)
    file = tmp_path / "settings.json"
    file.write_text(settings.model_dump_json(), encoding="utf-8")
    made = Workers(file, tmp_path)
    yield made
    made.kill()


async def until(person: Person, sweep_id: str, workers: Workers, reached: Any) -> dict[str, Any]:
    deadline = time.monotonic() + 4 * PATIENCE_S
    found: dict[str, Any] = {}
    while time.monotonic() < deadline:
        answer = await person.get(f"/sweeps/{sweep_id}")
        found = await answer.json()
        assert answer.status == 200, found
        if reached(found):
            return found
        await asyncio.sleep(0.3)
    raise AssertionError(f"{found}\n{workers.logs()}")


async def test_a_study_outlives_a_killed_worker_and_can_be_called_off(
    active: Active, workers: Workers, sign_in: SignIn
) -> None:
    """Every draw is made once, though the first worker dies in the middle of its job."""
    person = active.person
    answer = await person.post("/sweeps", SMALL)
    study = await answer.json()
    assert answer.status == 201, study
    assert (study["state"], study["wanted"], study["made"]) == ("running", 24, 0)
    assert study["question"]["lost_pct"] == [0, 20]
    first = workers.start()
    await until(person, study["id"], workers, lambda found: found["made"] > 0)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    workers.start()
    done = await until(person, study["id"], workers, lambda found: found["state"] != "running")
    assert (done["state"], done["made"]) == ("done", 24), workers.logs()
    assert [(row["lost_pct"], row["draws"]) for row in done["variants"]] == [(0, 12), (20, 12)]
    assert sum(row["incidents"] for row in done["regions"]) == 24
    whole, fewer = done["variants"]
    assert whole["served_pct"] >= fewer["served_pct"] > 0
    long = await (await person.post("/sweeps", {**SMALL, "draws": 500})).json()
    await until(person, long["id"], workers, lambda found: found["made"] > 0)
    answer = await person.post(f"/sweeps/{long['id']}/cancel")
    assert (answer.status, (await answer.json())["state"]) == (200, "cancelled")
    listed = (await (await person.get("/sweeps")).json())["items"]
    assert [one["id"] for one in listed][:2] == [long["id"], study["id"]]
    assert listed[0]["made"] < listed[0]["wanted"]
    stranger = await sign_in(Role.DUTY_OFFICER, region_code="445100")
    assert (await stranger.get(f"/sweeps/{study['id']}")).status == 404
    assert (await (await stranger.get("/sweeps")).json())["items"] == []


async def test_a_study_too_large_or_without_teams_is_refused(
    active: Active, sign_in: SignIn
) -> None:
    """With codes and words, and nothing is stored."""
    before = (await (await active.person.get("/sweeps")).json())["items"]
    answer = await active.person.post(
        "/sweeps", {**SMALL, "draws": 1000, "lost_pct": [0, 10, 20, 30]}
    )
    assert (answer.status, (await answer.json())["code"]) == (422, "sweep_too_large")
    stranger = await sign_in(Role.DUTY_OFFICER, region_code="445100")
    answer = await stranger.post("/sweeps", SMALL)
    assert (answer.status, (await answer.json())["code"]) == (422, "sweep_without_teams")
    assert (await (await active.person.get("/sweeps")).json())["items"] == before
