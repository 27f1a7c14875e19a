"""The parent of all processes: starts them, starts them again when they crash, stops them.

Each child runs on a leash (it dies with us), in a session of its own (Ctrl-C reaches us alone, so
that the order of stopping is ours) and writes to `var/log/NAME.log`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .processes import leashed_argv

FIRST_BACK_OFF_S = 0.5
LONGEST_BACK_OFF_S = 10.0
STEADY_AFTER_S = 30.0  # a child that ran this long starts with the first back-off again
START_ATTEMPTS = 3
LOG_LIMIT_BYTES = 20 * 1024 * 1024


class ChildState(StrEnum):
    STARTING = "starting"
    READY = "ready"
    BACKING_OFF = "backing_off"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One child process: what to run, how to see that it is ready, how to stop it."""

    name: str
    argv: Sequence[str]
    is_ready: Callable[[], Awaitable[bool]]
    death_signal: signal.Signals = signal.SIGKILL
    nice: int = 0
    stop_rank: int = 0  # lower ranks are stopped first
    stop_grace_s: float = 2.0
    ready_timeout_s: float = 60.0


class ChildFailedError(Exception):
    """A child did not become ready; `log_tail` is the end of what it wrote."""

    code = "child_failed"

    def __init__(self, name: str, detail: str, log_tail: str) -> None:
        self.name, self.detail, self.log_tail = name, detail, log_tail
        super().__init__(f"{name}: {detail}")


Report = Callable[[str, ChildState, str], None]


def back_off_s(failures: int) -> float:
    """Seconds to wait before start number `failures` + 1: doubles up to a limit."""
    return float(min(FIRST_BACK_OFF_S * 2 ** max(failures - 1, 0), LONGEST_BACK_OFF_S))


class _Child:
    """One process and its successors."""

    def __init__(self, spec: ChildSpec, log_directory: Path, report: Report) -> None:
        self.spec = spec
        self.state = ChildState.STOPPED
        self.process: asyncio.subprocess.Process | None = None
        self.was_ready = asyncio.Event()
        self._log = log_directory / f"{spec.name}.log"
        self._report = report

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.returncode is None else None

    def log_tail(self, lines: int = 15) -> str:
        try:
            with self._log.open("rb") as file:
                file.seek(max(0, self._log.stat().st_size - 8192))
                text = file.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _set(self, state: ChildState, detail: str = "") -> None:
        self.state = state
        self._report(self.spec.name, state, detail)

    async def keep(self) -> None:
        """Run the child until cancelled. Raises ChildFailedError when it never got ready."""
        failures = 0
        while True:
            started = time.monotonic()
            detail = await self._run_once()
            failures = 1 if time.monotonic() - started > STEADY_AFTER_S else failures + 1
            if not self.was_ready.is_set() and failures >= START_ATTEMPTS:
                raise ChildFailedError(self.spec.name, detail, self.log_tail())
            self._set(ChildState.BACKING_OFF, detail)
            await asyncio.sleep(back_off_s(failures))

    async def _run_once(self) -> str:
        self._set(ChildState.STARTING)
        self._rotate_log()
        argv = leashed_argv(
            self.spec.argv, death_signal=self.spec.death_signal, nice=self.spec.nice
        )
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        exited = asyncio.create_task(self.process.wait())
        try:
            if not await self._becomes_ready(exited):
                await self.kill()
                return f"not ready after {self.spec.ready_timeout_s:.0f} s"
            if not exited.done():
                self.was_ready.set()
                self._set(ChildState.READY)
            code = await exited
        finally:
            exited.cancel()
        return f"ended by signal {-code}" if code < 0 else f"ended with code {code}"

    async def _becomes_ready(self, exited: asyncio.Task[int]) -> bool:
        """True when ready or ended by itself, False when it took too long."""
        deadline = time.monotonic() + self.spec.ready_timeout_s
        while time.monotonic() < deadline:
            if exited.done() or await self.spec.is_ready():
                return True
            await asyncio.sleep(0.1)
        return False

    def _rotate_log(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if self._log.stat().st_size > LOG_LIMIT_BYTES:
                self._log.replace(self._log.with_suffix(".log.1"))

    async def stop(self) -> None:
        """SIGTERM, a grace, then SIGKILL to its whole process group."""
        process = self.process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(self.spec.stop_grace_s):
                    await process.wait()
            except TimeoutError:
                await self.kill()
        self._set(ChildState.STOPPED)

    async def kill(self) -> None:
        process = self.process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


class Supervisor:
    """Keeps children running. `start` each, `wait` for the end, `stop` all within 5 s."""

    def __init__(self, log_directory: Path, report: Report) -> None:
        self._log_directory = log_directory
        self._report = report
        self._children: list[_Child] = []
        self._keepers: dict[str, asyncio.Task[None]] = {}

    def pids(self) -> dict[str, int | None]:
        return {child.spec.name: child.pid for child in self._children}

    def start(self, spec: ChildSpec) -> None:
        """Start a child and keep it; `ready` waits for it."""
        child = _Child(spec, self._log_directory, self._report)
        self._children.append(child)
        self._keepers[spec.name] = asyncio.create_task(child.keep(), name=f"keep {spec.name}")

    async def ready(self) -> None:
        """Return when every child was ready once. Raises ChildFailedError of the first to fail."""
        everybody = asyncio.create_task(self._all_were_ready())
        watched: set[asyncio.Task[None]] = {everybody, *self._keepers.values()}
        try:
            done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for finished in done - {everybody}:
                finished.result()
        finally:
            everybody.cancel()

    async def _all_were_ready(self) -> None:
        for child in self._children:
            await child.was_ready.wait()

    async def stop(self) -> None:
        """Stop every child, ranks in order; each rank together."""
        for task in self._keepers.values():
            task.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        for rank in sorted({child.spec.stop_rank for child in self._children}):
            group = [child for child in self._children if child.spec.stop_rank == rank]
            await asyncio.gather(*(child.stop() for child in group))
