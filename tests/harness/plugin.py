"""pytest hooks: peer tests run in a namespace of their own; the summary says what did not run.

Tests marked `@pytest.mark.peer("chromium", ...)` are executed by a pytest of their own inside
`unshare -n`, one for all such tests of a file, so that they share its module's fixtures;
`pytest PATH` therefore works directly. These files run two at a time beside the other tests, which
come first: one by one those marked `alone`, which measure what the machine can do, then signalling,
which needs little of it, then media. Their peers must be installed: a missing one fails the test by
name. Peers named in $WITHOUT are not run, said so, and turn the exit code to 3.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from _pytest.reports import TestReport

from . import namespace, packages, soak
from .lanes import LANES, RESULTS, Lanes, Verdict

KINDS = ("service", "peers", "scenarios", "faults", "architecture", "console")
FAILURES = "TEST_FAILURES"  # the file in which a whole run names what failed, see run.py
SECOND_LOOK = "SECOND_LOOK"  # set while few failures are tried once more: no summary of its own
PEER_OF_FIXTURE = {"browser": "chromium"}  # tests that use a peer outside a namespace
_not_run: dict[str, list[str]] = {}
_left: list[str] = []  # to make soak
_suites: dict[str, int] = {}
_ran: Counter[str] = Counter()
_lanes = Lanes()


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
    config.addinivalue_line("markers", "alone: measures the machine, no peer file runs beside it")
    config.addinivalue_line(
        "markers", "soak(only=False): has a long form, for make soak, or it alone"
    )


def _peers(item: pytest.Item) -> set[str]:
    names = {str(name) for mark in item.iter_markers("peer") for name in mark.args}
    return names | {"namespace"} if item.get_closest_marker("peer") else set()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = packages.left_out()
    kept = []
    for item in items:
        soak.lengthen(item)
        if soak.is_left(item):
            _left.append(item.nodeid)
            continue
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


def _report(item: pytest.Item, verdict: Verdict) -> TestReport:
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


def _is_heavy(item: pytest.Item) -> bool:
    """Media take both cores; signalling does not."""
    return not item.path.name.startswith(("test_sip", "test_h323", "test_call", "test_ras"))


def pytest_collection_finish(session: pytest.Session) -> None:
    if not namespace.is_inside() and not session.config.option.collectonly:
        own = [item for item in session.items if _peers(item) and not _missing(item)]
        _lanes.start(own, 1 if os.environ.get(SECOND_LOOK) else LANES)


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
    verdict = Verdict("failed", missing, 0.0) if missing else _lanes.verdict(item)
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
    if _left:
        write(f"left to make soak: {len(_left)} tests")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    _lanes.stop()
    if _not_run and exitstatus in (0, 5):
        session.exitstatus = packages.EXIT_MISSING
