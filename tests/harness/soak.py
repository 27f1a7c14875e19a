"""The long forms of tests: `make soak` sets $SOAK=1 and runs the tests marked `soak`, these alone.

`@pytest.mark.soak` has a long form as well, `@pytest.mark.soak(only=True)` no other: `make test`
leaves it out and says how many it left.
"""

from __future__ import annotations

import os

import pytest

IS_SOAK = os.environ.get("SOAK") == "1"
LIMIT_S = 7200  # a test in its long form


def times(usual: int, long: int) -> int:
    """How often something is done: in `make test`, in `make soak`."""
    return long if IS_SOAK else usual


def is_left(item: pytest.Item) -> bool:
    """Whether this run leaves the test to `make soak`."""
    mark = item.get_closest_marker("soak")
    return mark is not None and bool(mark.kwargs.get("only")) and not IS_SOAK


def lengthen(item: pytest.Item) -> None:
    """The long form has the long limit."""
    if IS_SOAK and item.get_closest_marker("soak"):
        item.add_marker(pytest.mark.timeout(LIMIT_S), append=False)
