"""Panes never overlap, stay inside, and keep the shape of a camera picture."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_bridge.video.layouts import (
    AUTOMATIC_PANES,
    MAX_PANES,
    Pane,
    automatic_panes,
    fitted,
    panes_for,
    seat_legs,
)

COUNTS = st.integers(1, MAX_PANES)
HEIGHTS = st.sampled_from([180, 288, 360, 540, 720, 1080])


def overlap(a: Pane, b: Pane) -> bool:
    return (
        a.x < b.x + b.width
        and b.x < a.x + a.width
        and a.y < b.y + b.height
        and b.y < a.y + a.height
    )


@given(COUNTS, HEIGHTS)
def test_panes_lie_inside_the_canvas_and_apart(count: int, height: int) -> None:
    """Two pictures in one place would show a site that nobody can see whole."""
    width = height * 16 // 9
    panes = panes_for(count, width, height)
    assert len(panes) == count
    for pane in panes:
        assert pane.x >= 0 and pane.x + pane.width <= width
        assert pane.y >= 0 and pane.y + pane.height <= height
        assert not any(n % 2 for n in (pane.x, pane.y, pane.width, pane.height))
    assert not any(overlap(a, b) for a, b in itertools.combinations(panes, 2))


@given(COUNTS, st.sampled_from([360, 720, 1080]))
def test_panes_are_sixteen_by_nine(count: int, height: int) -> None:
    """A face must not be stretched to fill a pane."""
    for pane in panes_for(count, height * 16 // 9, height):
        assert abs(pane.width / pane.height / (16 / 9) - 1) < 0.03


@given(COUNTS)
def test_first_pane_is_never_smaller_than_another(count: int) -> None:
    """Pane 0 is the main site's."""
    panes = panes_for(count)
    assert panes[0].width == max(pane.width for pane in panes)


@pytest.mark.parametrize("count", [0, 10, -1])
def test_unknown_layout_is_refused(count: int) -> None:
    """The wire admits 1 to 9 only; anything else is our own mistake."""
    with pytest.raises(ValueError, match="no layout"):
        panes_for(count)


@given(st.integers(0, 20))
def test_automatic_layout_is_the_smallest_that_holds_all(publishing: int) -> None:
    """Empty panes waste the wall, missing ones hide a site."""
    chosen = automatic_panes(publishing)
    assert chosen in AUTOMATIC_PANES
    assert chosen >= min(publishing, MAX_PANES)
    assert all(smaller < publishing for smaller in AUTOMATIC_PANES if smaller < chosen)


def test_legs_sit_in_the_order_in_which_they_came() -> None:
    """A newcomer must not move those who sit already."""
    assert seat_legs(["a", "b", "c"], None, None) == (4, ["a", "b", "c", None])


def test_explicit_seats_win_over_the_order() -> None:
    """The chair decides who sits where, empty panes included."""
    assert seat_legs(["a", "b"], 4, ["b", None, "a"]) == (4, ["b", None, "a", None])
    assert seat_legs(["a"], None, ["b", "a"]) == (2, ["b", "a"])
    assert seat_legs(["a"], 1, ["b", "a"]) == (1, ["b"])


@given(st.integers(16, 4096), st.integers(16, 4096), COUNTS)
def test_fitted_picture_keeps_its_shape_inside_its_pane(w: int, h: int, count: int) -> None:
    """A phone held upright gets bars, not a squeezed face."""
    for pane in panes_for(count):
        part = fitted(w, h, pane)
        assert pane.x <= part.x and part.x + part.width <= pane.x + pane.width
        assert pane.y <= part.y and part.y + part.height <= pane.y + pane.height
        if part != pane and min(part.width, part.height) > 40:
            assert abs(part.width / part.height / (w / h) - 1) < 0.1
