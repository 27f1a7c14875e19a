"""Panes never overlap, stay inside, and keep the shape of a camera picture."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_bridge.video.layouts import (
    ARRANGEMENTS,
    AUTOMATIC,
    MAX_PANES,
    PICTURE_IN_PICTURE,
    Layout,
    Seating,
    arrangement_for,
    fitted,
    pane_count,
    panes_of,
    seated,
)

NAMES = st.sampled_from(ARRANGEMENTS)
HEIGHTS = st.sampled_from([360, 540, 720, 1080])
COVERING = ("1", "4", "1+5", "1+7", "9", "13", "16", "25", PICTURE_IN_PICTURE)
LEGS = st.lists(st.text("abcdefgh", min_size=1, max_size=3), unique=True, max_size=30)


@given(NAMES, HEIGHTS)
def test_panes_lie_inside_the_canvas_and_apart(name: str, height: int) -> None:
    """Two pictures in one place would show a site that nobody can see whole."""
    width = height * 16 // 9
    panes = panes_of(name, width, height)
    assert len(panes) == pane_count(name)
    for pane in panes:
        assert pane.x >= 0 and pane.x + pane.width <= width
        assert pane.y >= 0 and pane.y + pane.height <= height
        assert not any(n % 2 for n in (pane.x, pane.y, pane.width, pane.height))
    pairs = [pair for pair in itertools.combinations(panes, 2) if pair[0].overlaps(pair[1])]
    assert pairs == ([tuple(panes)] if name == PICTURE_IN_PICTURE else [])


def test_inset_lies_wholly_inside_its_main_pane() -> None:
    """The one overlap that is meant: the inset must not stick out of the picture under it."""
    main, inset = panes_of(PICTURE_IN_PICTURE)
    assert main.x < inset.x and inset.x + inset.width < main.x + main.width
    assert main.y < inset.y and inset.y + inset.height < main.y + main.height
    assert inset.width * 4 <= main.width


@given(NAMES, HEIGHTS)
def test_panes_are_sixteen_by_nine_within_a_pixel(name: str, height: int) -> None:
    """A face must not be stretched to fill a pane."""
    for pane in panes_of(name, height * 16 // 9, height):
        assert abs(pane.width * 9 / 16 - pane.height) <= 1


@given(st.sampled_from(COVERING), HEIGHTS)
def test_covering_arrangements_leave_no_pixel(name: str, height: int) -> None:
    """Wall space costs money: only 2, 3 and 20 have ground left, by their shape."""
    width = height * 16 // 9
    covered = np.zeros((height, width), bool)
    for pane in panes_of(name, width, height):
        covered[pane.y : pane.y + pane.height, pane.x : pane.x + pane.width] = True
    assert covered.all()


@given(NAMES)
def test_first_pane_is_never_smaller_than_another(name: str) -> None:
    """Pane 0 is the main site's; thirds of a canvas differ by the rounding to even pixels."""
    panes = panes_of(name)
    assert panes[0].width + 2 >= max(pane.width for pane in panes)


@pytest.mark.parametrize("name", ["", "5", "26", "1+1"])
def test_unknown_arrangement_is_refused(name: str) -> None:
    """The wire admits known names only; anything else is our own mistake."""
    with pytest.raises(ValueError, match="no arrangement"):
        panes_of(name)


@given(st.integers(0, 40))
def test_automatic_arrangement_is_the_smallest_that_holds_all(publishing: int) -> None:
    """Empty panes waste the wall, missing ones hide a site."""
    chosen = arrangement_for(publishing)
    assert pane_count(chosen) >= min(publishing, MAX_PANES)
    smaller = AUTOMATIC[: AUTOMATIC.index(chosen)]
    assert all(pane_count(name) < publishing for name in smaller)
    assert [pane_count(name) for name in AUTOMATIC] == sorted(pane_count(n) for n in AUTOMATIC)


def test_legs_sit_in_the_order_in_which_they_came() -> None:
    """A newcomer must not move those who sit already."""
    assert seated(Layout(), ["a", "b", "c"]) == Seating("3", ("a", "b", "c"))
    assert seated(Layout("4"), ["a", "b", "c"]).seats == ("a", "b", "c", None)


def test_explicit_seats_win_over_the_order() -> None:
    """The chair decides who sits where, empty panes included."""
    chosen = Layout("4", ("b", None, "a"))
    assert seated(chosen, ["a", "b"]) == Seating("4", ("b", None, "a", None))
    assert seated(Layout(None, ("b", "a")), ["a"]) == Seating("2", ("b", "a"))
    assert seated(Layout("1", ("b", "a")), ["a"]) == Seating("1", ("b",))


def test_speaker_takes_the_largest_pane_and_all_others_stay() -> None:
    """A wall on which everybody moves at each word cannot be read."""
    layout = Layout("1+5", follows_voice=True)
    legs = list("abcdefg")
    assert seated(layout, legs).seats == tuple("abcdef")
    assert seated(layout, legs, "c").seats == tuple("cbadef")
    assert seated(layout, legs, "g").seats == tuple("gbcdef")
    assert seated(layout, legs, "gone").seats == tuple("abcdef")


def test_fixed_seats_go_before_the_voice() -> None:
    """The leader's seat is his, whoever is loud; only a pane left free follows the voice."""
    legs = ["a", "b", "c"]
    assert seated(Layout("2", ("a", "b"), follows_voice=True), legs, "c").seats == ("a", "b")
    free = Layout("2", (None, "b"), follows_voice=True)
    assert seated(free, legs, "c").seats == ("c", "b")
    assert seated(free, legs).seats == ("a", "b")


@given(NAMES, LEGS, st.data())
def test_voice_shows_nobody_twice_and_drops_nobody_else(
    name: str, legs: list[str], data: st.DataObject
) -> None:
    """Following the voice changes at most two panes."""
    speaker = data.draw(st.sampled_from([*legs, None]) if legs else st.none())
    before = seated(Layout(name, follows_voice=True), legs).seats
    after = seated(Layout(name, follows_voice=True), legs, speaker).seats
    shown = [seat for seat in after if seat is not None]
    assert len(shown) == len(set(shown)) == len([seat for seat in before if seat is not None])
    assert sum(was != now for was, now in zip(before, after, strict=True)) <= 2
    if speaker is not None:
        assert after[0] == speaker


@given(st.integers(16, 4096), st.integers(16, 4096), NAMES)
def test_fitted_picture_keeps_its_shape_inside_its_pane(w: int, h: int, name: str) -> None:
    """A phone held upright gets bars, not a squeezed face."""
    for pane in panes_of(name):
        part = fitted(w, h, pane)
        assert pane.x <= part.x and part.x + part.width <= pane.x + pane.width
        assert pane.y <= part.y and part.y + part.height <= pane.y + pane.height
        if part != pane and min(part.width, part.height) > 40:
            assert abs(part.width / part.height / (w / h) - 1) < 0.1
