"""Files of peer tests run beside each other, those that measure the machine by themselves."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.harness.lanes import LANES, Lanes, PeerFile, Verdict

WAIT_S = 60


def items(*names: str) -> list[Any]:
    """Tests of files by these names; a name that begins with `alone` is marked so."""
    return [
        SimpleNamespace(
            path=Path(name),
            nodeid=f"{name}::test",
            get_closest_marker=lambda mark, name=name: name.startswith(mark) or None,
        )
        for name in names
    ]


def passed(file: PeerFile) -> None:
    for item in file.items:
        file.verdicts[item.nodeid] = Verdict("passed", "", 0.0)


def test_two_files_run_at_a_time_and_one_that_measures_alone() -> None:
    """Two meet; those that measure come first, one after the other, whenever they are named."""
    met, order, beside = threading.Barrier(LANES), list[str](), list[int]()
    running = set[str]()

    def runs(file: PeerFile) -> None:
        name = str(file.path)
        running.add(name)
        order.append(name)
        if file.is_alone:
            beside.append(len(running))
        else:
            met.wait(WAIT_S)
        running.discard(name)
        passed(file)

    lanes, tests = Lanes(), items("a", "alone_1", "b", "alone_2")
    lanes.start(tests, LANES, runs)
    assert [lanes.verdict(test).outcome for test in tests] == ["passed"] * 4
    assert order[:2] == ["alone_1", "alone_2"] and set(order[2:]) == {"a", "b"}
    assert beside == [1, 1]


def test_a_file_that_cannot_run_fails_its_tests_alone() -> None:
    """The others go on, and nobody waits for a verdict that never comes."""

    def runs(file: PeerFile) -> None:
        if str(file.path) == "broken":
            raise OSError("no namespace")
        passed(file)

    lanes, tests = Lanes(), items("broken", "a", "b")
    lanes.start(tests, LANES, runs)
    verdicts = [lanes.verdict(test) for test in tests]
    assert [one.outcome for one in verdicts] == ["failed", "passed", "passed"]
    assert "no namespace" in verdicts[0].text


def test_what_waits_is_not_begun_once_the_session_ends() -> None:
    """Ctrl-C means now."""
    begun, may_end, ran = threading.Event(), threading.Event(), list[str]()

    def runs(file: PeerFile) -> None:
        ran.append(str(file.path))
        begun.set()
        may_end.wait(WAIT_S)
        passed(file)

    lanes, tests = Lanes(), items("alone_1", "alone_2")
    lanes.start(tests, LANES, runs)
    begun.wait(WAIT_S)
    lanes.stop()
    may_end.set()
    assert [lanes.verdict(test).outcome for test in tests] == ["passed", "failed"]
    assert ran == ["alone_1"]
