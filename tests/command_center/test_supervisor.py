"""The parent of all processes, tried with small real children."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from command_center.supervisor import (
    ChildFailedError,
    ChildSpec,
    ChildState,
    Supervisor,
    back_off_s,
)
from tests.harness.processes import PATIENCE_S, crowding

SLEEPER = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-I",
    "-S",
    "-c",
    "import signal,time,sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(60)",
]


async def _at_once() -> bool:
    return True


def _supervisor(folder: Path, seen: list[tuple[str, ChildState, str]]) -> Supervisor:
    return Supervisor(folder, lambda name, state, detail: seen.append((name, state, detail)))


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def _until(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "condition never became true"
        await asyncio.sleep(0.02)


async def test_crashed_child_is_started_again(tmp_path: Path) -> None:
    """A node that dies must come back without an operator."""
    seen: list[tuple[str, ChildState, str]] = []
    supervisor = _supervisor(tmp_path, seen)
    supervisor.start(ChildSpec("node", SLEEPER, _at_once))
    await supervisor.ready()
    first = supervisor.pids()["node"]
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await _until(lambda: supervisor.pids()["node"] not in (None, first))
    await supervisor.stop()
    assert ("node", ChildState.BACKING_OFF, "ended by signal 9") in seen


async def test_child_deaf_to_sigterm_is_killed_within_its_grace(tmp_path: Path) -> None:
    """Ctrl-C stops everything within 5 s, whatever hangs."""
    supervisor = _supervisor(tmp_path, [])
    log = tmp_path / "deaf.log"

    async def is_deaf() -> bool:
        return log.exists() and b"deaf" in log.read_bytes()

    supervisor.start(ChildSpec("deaf", STUBBORN, is_deaf, stop_grace_s=0.3))
    await supervisor.ready()
    pid = supervisor.pids()["deaf"]
    assert pid is not None
    started = time.monotonic()
    await supervisor.stop()
    assert time.monotonic() - started < 2.0 * crowding()
    assert not _is_alive(pid)


async def test_children_stop_in_their_ranks(tmp_path: Path) -> None:
    """The gateway says goodbye to its rooms while the node is still there."""
    seen: list[tuple[str, ChildState, str]] = []
    supervisor = _supervisor(tmp_path, seen)
    supervisor.start(ChildSpec("node", SLEEPER, _at_once, stop_rank=1))
    supervisor.start(ChildSpec("gateway", SLEEPER, _at_once, stop_rank=0))
    await supervisor.ready()
    await supervisor.stop()
    assert [name for name, state, _ in seen if state is ChildState.STOPPED] == ["gateway", "node"]


async def test_child_that_never_starts_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    """The person at the terminal sees why, not only that, the start failed."""
    argv = [sys.executable, "-I", "-S", "-c", "raise SystemExit('port 5060 is taken')"]

    async def never() -> bool:
        return False

    supervisor = _supervisor(tmp_path, [])
    supervisor.start(ChildSpec("gateway", argv, never))
    with pytest.raises(ChildFailedError) as caught:
        await supervisor.ready()
    await supervisor.stop()
    assert caught.value.name == "gateway"
    assert "port 5060 is taken" in caught.value.log_tail


def test_back_off_doubles_up_to_its_limit() -> None:
    """A child that cannot start must not eat the machine."""
    assert [back_off_s(n) for n in (1, 2, 3, 6, 50)] == [0.5, 1.0, 2.0, 10.0, 10.0]


def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    """kill -9 of the parent leaves no orphan that holds ports and sockets."""
    program = textwrap.dedent(
        f"""
        import asyncio, pathlib, sys
        from command_center.supervisor import ChildSpec, Supervisor

        async def at_once():
            return True

        async def main():
            supervisor = Supervisor(pathlib.Path({str(tmp_path)!r}), lambda *a: None)
            for name in ("one", "two"):
                supervisor.start(ChildSpec(name, {SLEEPER!r}, at_once))
            await supervisor.ready()
            print(*supervisor.pids().values(), flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
        """
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    assert all(_is_alive(pid) for pid in pids)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + PATIENCE_S
    while any(_is_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(_is_alive(pid) for pid in pids)
