"""pytest hooks: peer tests run in a namespace of their own; the summary says what did not run.

Tests marked `@pytest.mark.peer("chromium", ...)` are executed by a pytest of their own inside
`unshare -n`, one for all such tests of a file, so that they share its module's fixtures;
`pytest PATH` therefore works directly. These files run one after another beside the other tests,
which come first: signalling, which needs little of the machine, then media. Their peers must be
installed: a missing one fails the test by name. Peers named in $WITHOUT are not run, said so, and
turn the exit code to 3.
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
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from _pytest.reports import TestReport

from . import namespace, packages

KINDS = ("service", "peers", "scenarios", "faults", "architecture", "console")
INNER_TIMEOUT_S = 240  # a test, with the start of what it needs
FAILURES = "TEST_FAILURES"  # the file in which a whole run names what failed, see run.py
SECOND_LOOK = "SECOND_LOOK"  # set while few failures are tried once more: no summary of its own
RESULTS = "PEER_RESULTS"  # the file in which the inner pytest notes what it found
PEER_OF_FIXTURE = {"browser": "chromium"}  # tests that use a peer outside a namespace
_not_run: dict[str, list[str]] = {}
_suites: dict[str, int] = {}
_ran: Counter[str] = Counter()


def kind_of(nodeid: str) -> str:
    """Unit tests mirror the rooms; every other kind has a folder of its own under tests/."""
    folder = nodeid.split("/")[1] if nodeid.count("/") else ""
    return folder if folder in KINDS else "unit"


def test_data() -> list[Path]:
    """Where data suites are looked for: committed copies first, then $TEST_DATA."""
    root = Path(__file__).parent.parent
    places = [root / "captures", root / "data"]
    if extra := os.environ.get("TEST_DATA"):
        places.append(Path(extra))
    return places


def suite(name: str, pattern: str = "*") -> list[Path]:
    """Files of a data suite, e.g. suite('badinput/webrtc-rtcp', '*.rtcp').

    An absent suite gives an empty list, and the test summary names it with 0 cases.
    """
    for place in test_data():
        found = sorted(path for path in (place / name).glob(pattern) if path.is_file())
        if found:
            _suites[name] = len(found)
            return found
    _suites[name] = 0
    return []


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "peer(*names): needs these peers, runs in a namespace")


def _peers(item: pytest.Item) -> set[str]:
    names = {str(name) for mark in item.iter_markers("peer") for name in mark.args}
    return names | {"namespace"} if item.get_closest_marker("peer") else set()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = packages.left_out()
    kept = []
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        used = {PEER_OF_FIXTURE[name] for name in fixtures if name in PEER_OF_FIXTURE}
        refused = (_peers(item) | used) & left_out
        if refused:
            for name in refused:
                _not_run.setdefault(name, []).append(item.nodeid)
        else:
            kept.append(item)
    if len(kept) != len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept
    if not namespace.is_inside():
        for item in filter(_peers, items):  # it waits for its file; the clock runs inside
            item.add_marker(pytest.mark.timeout(0), append=False)
        items.sort(key=lambda item: (bool(_peers(item)), bool(_peers(item)) and _is_heavy(item)))


@dataclass(slots=True)
class _Verdict:
    """What became of a test inside: its outcome, its text when it failed, its seconds."""

    outcome: str
    text: str
    seconds: float


_verdicts: dict[str, _Verdict] = {}


def _report(item: pytest.Item, verdict: _Verdict) -> TestReport:
    now = time.time()
    return TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords={item.name: 1},
        outcome=verdict.outcome,  # type: ignore[arg-type]
        longrepr=verdict.text or None,
        when="call",
        duration=verdict.seconds,
        start=now - verdict.seconds,
        stop=now,
    )


def _limit_s(item: pytest.Item) -> float:
    """How long a test may take: as it says itself, if that is longer than usual."""
    own = [mark.args[0] for mark in item.iter_markers("timeout") if mark.args]
    return max([INNER_TIMEOUT_S, *own])


def _run_inside(items: list[pytest.Item]) -> None:
    """Run these tests of one file in one namespace and keep their verdicts."""
    started = time.time()
    # A folder of its own: pytest closes its usual one to others, a started database included.
    folder = Path(tempfile.mkdtemp(prefix="peer-"))
    results = folder / "results"
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-rA"]
    command += ["--basetemp", str(folder / "t"), *(item.nodeid for item in items)]
    limit = sum(map(_limit_s, items))
    with (folder / "output").open("wb") as output:
        _ahead.process = subprocess.Popen(
            namespace.enter(command),
            cwd=Path(items[0].config.rootpath),
            env=os.environ | {RESULTS: str(results)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        inside = namespace.of(_ahead.process.pid)
        try:
            ending = f"exit code {_ahead.process.wait(limit)}"
        except subprocess.TimeoutExpired:
            _ahead.process.kill()
            _ahead.process.wait()
            ending = f"no end after {limit} s"
    namespace.clear(inside)
    ending += "\n" + (folder / "output").read_text(errors="replace")[-6000:]
    lines = results.read_text().splitlines() if results.exists() else []
    if not os.environ.get("KEEP_PEER_FILES"):
        shutil.rmtree(folder, ignore_errors=True)
    for item in items:
        seconds = time.time() - started
        _verdicts[item.nodeid] = _Verdict("failed", f"not reached: {ending}", seconds)
    _take(lines)


class _Ahead:
    """Runs the files of peer tests, one after another, in a thread beside this process's tests."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._ended: dict[Path, threading.Event] = {}
        self._is_stopped = False

    def start(self, items: list[pytest.Item]) -> None:
        files: dict[Path, list[pytest.Item]] = {}
        for item in items:
            if _peers(item) and not _missing(item):
                files.setdefault(item.path, []).append(item)
        self._ended = {path: threading.Event() for path in files}
        threading.Thread(target=self._run, args=(files,), daemon=True).start()

    def _run(self, files: dict[Path, list[pytest.Item]]) -> None:
        for path, items in files.items():
            try:
                if not self._is_stopped:
                    _run_inside(items)
            except Exception as error:  # noqa: BLE001 - told as the verdict of its tests
                for item in items:
                    _verdicts[item.nodeid] = _Verdict("failed", repr(error), 0.0)
            finally:
                self._ended[path].set()

    def verdict(self, item: pytest.Item) -> _Verdict:
        """Waits for the end of the item's file."""
        self._ended[item.path].wait()
        return _verdicts[item.nodeid]

    def stop(self) -> None:
        """The session ends early: so does what runs."""
        self._is_stopped = True
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


_ahead = _Ahead()


def _is_heavy(item: pytest.Item) -> bool:
    """Media take both cores; signalling does not."""
    return not item.path.name.startswith(("test_sip", "test_h323", "test_call", "test_ras"))


def pytest_collection_finish(session: pytest.Session) -> None:
    if not namespace.is_inside() and not session.config.option.collectonly:
        _ahead.start(session.items)


def _take(lines: list[str]) -> None:
    """Put the phases of each test together: failed if one failed, passed if its call passed."""
    phases: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        phase = json.loads(line)
        phases.setdefault(phase["nodeid"], []).append(phase)
    for nodeid, found in phases.items():
        seconds = sum(phase["seconds"] for phase in found)
        failed = [phase["text"] for phase in found if phase["outcome"] == "failed"]
        ended = any(phase["when"] == "teardown" for phase in found)
        if failed:
            _verdicts[nodeid] = _Verdict("failed", "\n".join(failed)[-12_000:], seconds)
        elif ended:
            outcome = next((p["outcome"] for p in found if p["outcome"] != "passed"), "passed")
            text = next((p["text"] for p in found if p["outcome"] != "passed"), "")
            _verdicts[nodeid] = _Verdict(outcome, text, seconds)


def _missing(item: pytest.Item) -> str:
    """Names what this test's peers need, or nothing."""
    absent = [name for name in _peers(item) if not packages.is_present(name)]
    wanted = [package for name in absent for package in packages.PEERS[name][0]]
    return f"peers missing: {', '.join(absent)}\n{packages.apt_line(wanted)}" if absent else ""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    if not _peers(item) or namespace.is_inside():
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    missing = _missing(item)
    verdict = _Verdict("failed", missing, 0.0) if missing else _ahead.verdict(item)
    item.ihook.pytest_runtest_logreport(report=_report(item, verdict))
    # fixtures of earlier tests that the next one does not need (this test set up none of its own)
    item.session._setupstate.teardown_exact(nextitem)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_runtest_logreport(report: TestReport) -> None:
    if report.when == "call" and report.outcome != "skipped":
        _ran[kind_of(report.nodeid)] += 1
    if report.failed and not namespace.is_inside() and (failures := os.environ.get(FAILURES)):
        with Path(failures).open("a") as file:
            file.write(report.nodeid + "\n")
    if namespace.is_inside() and (results := os.environ.get(RESULTS)):
        phase = {
            "nodeid": report.nodeid,
            "when": report.when,
            "outcome": report.outcome,
            "text": _words(report),
            "seconds": report.duration,
        }
        with Path(results).open("a") as file:
            file.write(json.dumps(phase) + "\n")


def _words(report: TestReport) -> str:
    """The failure as pytest prints it, with what the test wrote."""
    if report.outcome == "passed":
        return ""
    return "\n".join([report.longreprtext, *(text for _, text in report.sections)])


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> Generator[None, None, None]:
    yield
    if namespace.is_inside() or os.environ.get(SECOND_LOOK):
        return
    write = terminalreporter.write_line
    write("tests run: " + ", ".join(f"{kind} {_ran[kind]}" for kind in sorted(_ran)))
    for name, count in sorted(_suites.items()):
        if not count:
            write(f"data suite {name}: 0 cases (absent; set TEST_DATA)", red=True)
    for name, tests in sorted(_not_run.items()):
        write(f"NOT RUN without {name}: {len(tests)} tests", red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    _ahead.stop()
    if _not_run and exitstatus in (0, 5):
        session.exitstatus = packages.EXIT_MISSING
