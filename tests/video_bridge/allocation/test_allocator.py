"""Encoders of a node are shared: within the budget, fairly, and without swinging."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from video_bridge.allocation.allocator import SHED_FOR_S, Allocator, Wish
from video_bridge.allocation.budget import LEAST_SHARE, LegCount, Machine, Strain
from video_bridge.allocation.rungs import (
    CIF,
    H264_360P,
    H264_720P,
    H264_1080P,
    VP8_360P,
    VP8_720P,
    Screen,
    encode_ms_per_s,
    steps_for,
)

SCREENS = [Screen(1920, 1080), Screen(), Screen(640, 360), Screen(*CIF), Screen(1, 1)]
CODECS = [("H264", 1), ("H264", 0), ("VP8", 1), ("H263", 1), ("H263-1998", 1), ("H261", 1)]
PLENTY = 1e6


@st.composite
def wishes(draw: st.DrawFn) -> list[Wish]:
    found = []
    for number in range(draw(st.integers(0, 30))):
        codec, mode = draw(st.sampled_from(CODECS))
        steps = steps_for(codec, mode, draw(st.sampled_from(SCREENS)))
        steps = steps[draw(st.integers(0, len(steps))) :]
        found.append(Wish(f"leg-{number}", steps, draw(st.sampled_from(["hall", "chair"]))))
    return found


def least_cost(found: list[Wish]) -> float:
    return sum(encode_ms_per_s(k) for _, k in {(w.view, w.steps[-1]) for w in found if w.steps})


def test_lower_steps_are_always_cheaper_and_smaller_for_the_line() -> None:
    """Shedding a rung saves; stepping down a line relieves it."""
    for codec, mode in CODECS:
        steps = steps_for(codec, mode, SCREENS[0])
        for better, worse in itertools.pairwise(steps):
            assert encode_ms_per_s(worse) < encode_ms_per_s(better)
            assert worse.line_bps < better.line_bps


@given(wishes(), st.floats(0, 4000))
def test_budget_holds_and_everybody_whose_line_allows_it_has_a_picture(
    found: list[Wish], budget: float
) -> None:
    """Never over the budget that the smallest rungs need; none is left without for others."""
    result = Allocator().allocate(found, budget, 0.0)
    assert result.cost_ms_per_s <= max(budget, least_cost(found)) + 1e-6
    for wish in found:
        assert result.rungs[wish.receiver] in (wish.steps or (None,))


@given(wishes())
def test_without_want_everybody_has_the_best_of_its_line(found: list[Wish]) -> None:
    """Nothing is shed while there is room."""
    result = Allocator().allocate(found, PLENTY, 0.0)
    assert not result.shed
    for wish in found:
        assert result.rungs[wish.receiver] == (wish.steps[0] if wish.steps else None)


@given(wishes(), st.lists(st.floats(0, 3000), min_size=2, max_size=30))
def test_shed_rung_stays_away_for_its_time(found: list[Wish], budgets: list[float]) -> None:
    """No flapping: a budget that swings each second moves nobody up and down with it."""
    allocator = Allocator()
    ups = 0
    before = None
    for second, budget in enumerate(budgets):
        rungs = allocator.allocate(found, budget, float(second)).rungs
        if before is not None:
            ups += any(
                rungs[name] is not None and key is not None and
                encode_ms_per_s(rungs[name]) > encode_ms_per_s(key)  # type: ignore[arg-type]
                for name, key in before.items()
            )  # fmt: skip
        before = rungs
    assert ups <= len(budgets) / SHED_FOR_S * 4  # at most each of a chain's rungs in turn


def test_the_dearest_rung_for_the_fewest_goes_first() -> None:
    """One 1080p room is asked before forty that share 720p."""
    found = [Wish("one", steps_for("H264", 1, SCREENS[0]))]
    found += [Wish(f"many-{n}", steps_for("H264", 1, Screen())) for n in range(40)]
    both = encode_ms_per_s(H264_1080P) + encode_ms_per_s(H264_720P)
    result = Allocator().allocate(found, both - 1, 0.0)
    assert result.rungs["one"] == result.rungs["many-0"] == H264_720P


def test_second_codec_steps_down_before_the_many() -> None:
    """The VP8 rung of one phone costs as much as that of a hundred halls."""
    found = [Wish("phone", steps_for("VP8", 1, Screen()))]
    found += [Wish(f"hall-{n}", steps_for("H264", 1, Screen())) for n in range(9)]
    budget = encode_ms_per_s(H264_720P) + encode_ms_per_s(VP8_720P) - 1
    result = Allocator().allocate(found, budget, 0.0)
    assert (result.rungs["phone"], result.rungs["hall-0"]) == (VP8_360P, H264_720P)


def test_shed_rung_returns_when_there_is_room_to_spare() -> None:
    """And not when it would just fit: the next frame would shed it again."""
    allocator = Allocator()
    found = [Wish("hall", steps_for("H264", 1, Screen()))]
    cost = encode_ms_per_s(H264_720P)
    assert allocator.allocate(found, cost - 1, 0.0).rungs["hall"] == H264_360P
    assert allocator.allocate(found, cost * 2, SHED_FOR_S / 2).rungs["hall"] == H264_360P
    assert allocator.allocate(found, cost * 1.01, SHED_FOR_S).rungs["hall"] == H264_360P
    assert allocator.allocate(found, cost * 1.2, SHED_FOR_S + 1).rungs["hall"] == H264_720P


def test_late_pictures_take_capacity_back_and_calm_gives_it_again() -> None:
    """What was promised on paper is corrected by what is seen."""
    strain, now = Strain(), 0.0
    for _ in range(30):
        now += 1
        strain.look(25, 10, now)
    assert strain.share == LEAST_SHARE
    for _ in range(400):
        now += 1
        strain.look(25, 0, now)
    assert strain.share == 1.0


def test_each_kind_of_leg_costs_what_it_uses() -> None:
    """A watcher costs a share of a send; a shown site costs its decoding."""
    empty = LegCount(conferences=1)
    watcher = empty.plus(publish=False, play=True, is_camera=False, is_shown=False)
    hidden = empty.plus(publish=True, play=True, is_camera=False, is_shown=False)
    shown = empty.plus(publish=True, play=True, is_camera=False, is_shown=True)
    camera = empty.plus(publish=True, play=False, is_camera=True, is_shown=True)
    costs = [count.cost_ms_per_s for count in (empty, watcher, hidden, shown, camera)]
    assert costs == sorted(costs)
    assert Machine(2, 2.0).capacity_ms_per_s == 2 * Machine(2).capacity_ms_per_s
