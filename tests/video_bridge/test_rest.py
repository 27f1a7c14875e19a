"""What a bridge above us is sent: the halls' layout without its own pane."""

from __future__ import annotations

import pytest

from video_bridge.rest import without
from video_bridge.video.layouts import Layout, seated


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (Layout(), Layout()),
        (Layout("1", ("up",)), Layout()),
        (Layout("4", ("a", "up", None, "b")), Layout(None, ("a", "b"))),
        (Layout("1", ("a",)), Layout("1", ("a",))),
        (Layout("9", None, follows_voice=True), Layout("9", None, follows_voice=True)),
    ],
)
def test_its_own_pane_is_left_out(layout: Layout, expected: Layout) -> None:
    """Nobody else seated: all the others, as they come."""
    assert without(layout, "up") == expected
    assert "up" not in seated(without(layout, "up"), ["a", "b"], "up").seats
