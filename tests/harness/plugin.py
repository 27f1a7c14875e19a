"""pytest hooks: peer tests run in a namespace of their own; the summary says what did not run.

A test marked `@pytest.mark.peer("chromium", ...)` is executed by a pytest of its own inside
`unshare -n`; `pytest PATH` therefore works directly. Its peers must be installed: a missing one
fails the test by name. Peers named in $WITHOUT are not run, said so, and turn the exit code to 3.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from _pytest.reports import TestReport

from . import namespace, packages

KINDS = ("service", "peers", "scenarios", "faults", "architecture", "console")
INNER_TIMEOUT_S = 420
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


def _report(item: pytest.Item, outcome: str, text: str, started: float) -> TestReport:
    return TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords={item.name: 1},
        outcome=outcome,  # type: ignore[arg-type]
        longrepr=text or None,
        when="call",
        duration=time.time() - started,
        start=started,
        stop=time.time(),
    )


def _run_inside(item: pytest.Item) -> tuple[str, str]:
    """Run one test in a namespace. Returns (outcome, output when it failed)."""
    absent = [name for name in _peers(item) if not packages.is_present(name)]
    if absent:
        wanted = [package for name in absent for package in packages.PEERS[name][0]]
        return "failed", f"peers missing: {', '.join(absent)}\n{packages.apt_line(wanted)}"
    root = Path(item.config.rootpath)
    # A folder of its own: pytest closes its usual one to others, a started database included.
    folder = tempfile.mkdtemp(prefix="peer-")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-rA", item.nodeid]
    command += ["--basetemp", f"{folder}/t"]
    try:
        done = subprocess.run(
            namespace.enter(command),
            cwd=root,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=INNER_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        out = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else ""
        return "failed", f"no end after {INNER_TIMEOUT_S} s\n{out[-6000:]}"
    finally:
        if not os.environ.get("KEEP_PEER_FILES"):
            shutil.rmtree(folder, ignore_errors=True)
    if done.returncode == 0:
        return "passed", ""
    return "failed", (done.stdout + done.stderr)[-12_000:]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    if not _peers(item) or namespace.is_inside():
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    started = time.time()
    outcome, text = _run_inside(item)
    item.ihook.pytest_runtest_logreport(report=_report(item, outcome, text, started))
    # fixtures of earlier tests that the next one does not need (this test set up none of its own)
    item.session._setupstate.teardown_exact(nextitem)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_runtest_logreport(report: TestReport) -> None:
    if report.when == "call" and report.outcome != "skipped":
        _ran[kind_of(report.nodeid)] += 1


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> Generator[None, None, None]:
    yield
    if namespace.is_inside():
        return
    write = terminalreporter.write_line
    write("tests run: " + ", ".join(f"{kind} {_ran[kind]}" for kind in sorted(_ran)))
    for name, count in sorted(_suites.items()):
        if not count:
            write(f"data suite {name}: 0 cases (absent; set TEST_DATA)", red=True)
    for name, tests in sorted(_not_run.items()):
        write(f"NOT RUN without {name}: {len(tests)} tests", red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if _not_run and exitstatus in (0, 5):
        session.exitstatus = packages.EXIT_MISSING
