"""What may be run a second time after a red run, and what may not."""

from __future__ import annotations

import pytest

from tests.harness.run import worth_a_look

BROWSER = "tests/console/test_home.py::test_one"


@pytest.mark.parametrize(
    ("code", "failed", "expected"),
    [
        (1, [BROWSER], True),
        (1, [BROWSER, "tests/peers/test_sip.py::test_two"], True),
        (1, [BROWSER] * 4, False),  # many failures are no accident
        (1, [BROWSER, "tests/plans/test_phases.py::test_three"], False),  # no race to lose there
        (1, ["tests/architecture/test_documents.py::test_four"], False),
        (1, [], False),
        (2, [BROWSER], False),  # interrupted
        (3, [BROWSER], False),  # peers missing
    ],
)
def test_only_few_failures_with_other_programs_get_a_second_look(
    code: int, failed: list[str], expected: bool
) -> None:
    assert worth_a_look(code, failed) is expected
