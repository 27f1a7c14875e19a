"""Files of peer tests: each in a pytest and a namespace of its own, several beside each other.

They start with the session and run beside the tests of its own process, which asks for the verdict
of each when its turn comes. Files marked `alone` come first, with none beside them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from . import namespace

LANES = 2  # most of what runs in them waits
INNER_TIMEOUT_S = 240  # a test, with the start of what it needs
RESULTS = "PEER_RESULTS"  # the file in which the inner pytest notes what it found


@dataclass(slots=True)
class Verdict:
    """What became of a test inside: its outcome, its text when it failed, its seconds."""

    outcome: str
    text: str
    seconds: float


class PeerFile:
    """The peer tests of one file, and what became of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.items: list[pytest.Item] = []
        self.ended = threading.Event()
        self.verdicts: dict[str, Verdict] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    @property
    def is_alone(self) -> bool:
        """Whether some test of it measures what the machine can do."""
        return any(item.get_closest_marker("alone") for item in self.items)

    def run(self) -> None:
        """Run its tests in one namespace and keep their verdicts."""
        started = time.time()
        # A folder of its own: pytest closes its usual one to others, a started database included.
        folder = Path(tempfile.mkdtemp(prefix="peer-"))
        try:
            ending = self._run_in(folder)
            results = folder / "results"
            lines = results.read_text().splitlines() if results.exists() else []
        finally:
            if not os.environ.get("KEEP_PEER_FILES"):
                shutil.rmtree(folder, ignore_errors=True)
        self.fail_all(f"not reached: {ending}", time.time() - started)
        self.verdicts.update(verdicts_of(lines))

    def _run_in(self, folder: Path) -> str:
        """How the inner pytest ended, with the end of what it wrote."""
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-rA"]
        command += ["--basetemp", str(folder / "t"), *(item.nodeid for item in self.items)]
        limit = sum(map(_limit_s, self.items))
        with (folder / "output").open("wb") as output:
            self._process = process = subprocess.Popen(
                namespace.enter(command),
                cwd=Path(self.items[0].config.rootpath),
                env=os.environ | {RESULTS: str(folder / "results")},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            inside = namespace.of(process.pid)
            if self._is_stopped:
                process.kill()
            try:
                ending = f"exit code {process.wait(limit)}"
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                ending = f"no end after {limit} s"
        namespace.clear(inside)
        return ending + "\n" + (folder / "output").read_text(errors="replace")[-6000:]

    def fail_all(self, text: str, seconds: float = 0.0) -> None:
        for item in self.items:
            self.verdicts[item.nodeid] = Verdict("failed", text, seconds)

    def stop(self) -> None:
        """End what runs now."""
        self._is_stopped = True
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Lanes:
    """Runs files in threads, in their order, those marked `alone` before all others."""

    def __init__(self) -> None:
        self._files: dict[Path, PeerFile] = {}
        self._waiting: list[PeerFile] = []
        self._running: list[PeerFile] = []
        self._changed = threading.Condition()

    def start(
        self, items: list[pytest.Item], lanes: int, runs: Callable[[PeerFile], None] = PeerFile.run
    ) -> None:
        """Run the files of these tests, so many at a time."""
        for item in items:
            self._files.setdefault(item.path, PeerFile(item.path)).items.append(item)
        self._waiting = sorted(self._files.values(), key=lambda file: not file.is_alone)
        for _ in range(lanes):
            threading.Thread(target=self._serve, args=(runs,), daemon=True).start()

    def _serve(self, runs: Callable[[PeerFile], None]) -> None:
        while (file := self._take()) is not None:
            try:
                runs(file)
            except Exception as error:  # noqa: BLE001 - told as the verdict of its tests
                file.fail_all(repr(error))
            finally:
                with self._changed:
                    self._running.remove(file)
                    self._changed.notify_all()
                file.ended.set()

    def _take(self) -> PeerFile | None:
        """The next file, once nothing runs that it or they would disturb; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting or self._may_start(self._waiting[0]))
            if not self._waiting:
                return None
            file = self._waiting.pop(0)
            self._running.append(file)
            return file

    def _may_start(self, file: PeerFile) -> bool:
        return not self._running or not any(one.is_alone for one in (file, *self._running))

    def verdict(self, item: pytest.Item) -> Verdict:
        """Waits for the end of the item's file."""
        file = self._files[item.path]
        file.ended.wait()
        return file.verdicts[item.nodeid]

    def stop(self) -> None:
        """The session ends early: so does what runs."""
        with self._changed:
            for file in self._waiting:
                file.fail_all("not run: the session ended")
                file.ended.set()
            self._waiting.clear()
            running = list(self._running)
            self._changed.notify_all()
        for file in running:
            file.stop()


def _limit_s(item: pytest.Item) -> float:
    """How long a test may take: as it says itself, if that is longer than usual."""
    own = [mark.args[0] for mark in item.iter_markers("timeout") if mark.args]
    return max([INNER_TIMEOUT_S, *own])


def verdicts_of(lines: list[str]) -> dict[str, Verdict]:
    """Put the phases of each test together: failed if one failed, passed if its call passed."""
    phases: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        phase = json.loads(line)
        phases.setdefault(phase["nodeid"], []).append(phase)
    verdicts = {}
    for nodeid, found in phases.items():
        seconds = sum(phase["seconds"] for phase in found)
        failed = [phase["text"] for phase in found if phase["outcome"] == "failed"]
        ended = any(phase["when"] == "teardown" for phase in found)
        if failed:
            verdicts[nodeid] = Verdict("failed", "\n".join(failed)[-12_000:], seconds)
        elif ended:
            outcome = next((p["outcome"] for p in found if p["outcome"] != "passed"), "passed")
            text = next((p["text"] for p in found if p["outcome"] != "passed"), "")
            verdicts[nodeid] = Verdict(outcome, text, seconds)
    return verdicts
