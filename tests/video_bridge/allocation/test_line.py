"""One line's rung: down at once, up slowly, never over a bound, and no swinging."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_bridge.allocation.line import (
    BAD_REPORTS,
    MAX_CLIMB_AFTER_S,
    REMB_REPORTS,
    TRIAL_S,
    LineState,
)
from video_bridge.allocation.links import LINKS, Link, audio_line_bps, terms_of
from video_bridge.allocation.rungs import Screen, steps_for

STEPS = steps_for("H264", 1, Screen())
SOUND_BPS = audio_line_bps("opus", terms_of("internet").audio)
NEEDS = [key.line_bps + SOUND_BPS for key in STEPS]  # 720p, 360p, 360p slow, 180p


def line(link: Link = "internet", cap_bps: int | None = None) -> LineState:
    state = LineState(terms_of(link), cap_bps)
    state.set_needs(NEEDS)
    return state


def clean(state: LineState, since: float, seconds: int) -> float:
    for second in range(seconds):
        state.reported(0.0, since + second)
    return since + seconds


def lossy(state: LineState, since: float, reports: int, loss: float = 0.2) -> float:
    for second in range(reports):
        state.reported(loss, since + second)
    return since + reports


@pytest.mark.parametrize(
    ("link", "height", "fps"),
    [("private_line", 720, 25), ("internet", 720, 25), ("mobile", 360, 25), ("satellite", 360, 15)],
)
def test_profile_says_where_a_line_starts(link: Link, height: int, fps: int) -> None:
    """A satellite site that first gets 1.5 Mbit/s hears nothing for its first ten seconds."""
    state = LineState(terms_of(link))
    sound = audio_line_bps("opus", terms_of(link).audio)
    state.set_needs([key.line_bps + sound for key in STEPS])
    assert (STEPS[state.level].height, STEPS[state.level].fps) == (height, fps)


def test_loss_steps_down_at_once_and_a_clean_while_steps_up() -> None:
    """The site keeps its sound; the picture comes back by itself."""
    state = line()
    assert state.level == 0
    now = lossy(state, 0.0, BAD_REPORTS)
    assert state.level == 1
    now = clean(state, now, 9)
    assert state.level == 1, "up slowly"
    clean(state, now, 5)
    assert state.level == 0


def test_trial_that_fails_makes_the_next_one_wait_longer() -> None:
    """A line that carries 360p only must not be shaken every ten seconds."""
    state, now, changes = line(), 0.0, []
    for _ in range(600):
        before = state.level
        state.reported(0.25 if state.level == 0 else 0.0, now)
        now += 1.0
        if state.level != before:
            changes.append(now)
    tries = [b - a for a, b in itertools.pairwise(changes)]
    assert len(changes) <= 16
    assert max(tries) > MAX_CLIMB_AFTER_S * 0.9


def test_small_reports_are_joined() -> None:
    """Two packets lost of twelve are no sixth of a line."""
    state = line()
    for second in range(40):
        state.reported(1 / 6 if second % 4 == 0 else 0.0, float(second), packets=12)
    assert state.level == 0


def test_loss_alone_takes_no_pictures_per_second_away() -> None:
    """Fewer bits help a full line; fewer pictures a second would be the user's loss twice."""
    slow_from = sum(key.fps == 25 for key in STEPS)
    for loss, lowest in ((0.2, slow_from - 1), (0.5, slow_from)):
        state, worst, now = line(), 0, 0.0
        state.set_needs(NEEDS, 3_000_000, slow_from)
        for _ in range(40):
            now += 1
            state.reported(loss if state.level < lowest else 0.0, now)
            worst = max(worst, state.level)
        assert worst == lowest
    state = line()
    state.set_needs(NEEDS, 3_000_000, slow_from)
    lossy(state, 0.0, 30)
    assert state.level < slow_from


def test_loss_that_no_lower_rung_cures_is_the_lines_own() -> None:
    """A radio loses a fifth whatever it carries: small pictures would not help."""
    state = line()
    lossy(state, 0.0, 60)
    assert state.level == 0
    lossy(state, 60.0, 4, loss=0.45)
    assert state.level == 1, "more than its own is congestion still"


def test_an_estimate_that_grows_after_a_climb_is_no_complaint() -> None:
    """A browser's grows by a twelfth a second from one and a half of what came before."""
    state = line()
    estimate = 270_000.0
    for second in range(12):
        state.estimated(round(estimate), 1_600_000, float(second))
        estimate *= 1.08
    assert state.level == 0
    for second in range(REMB_REPORTS):
        state.estimated(600_000, 1_600_000, 12.0 + second)
    assert state.level == 1, "it stands: the line carries no more"


def test_where_each_packet_is_watched_a_line_climbs_sooner() -> None:
    """And never to a rung that its delay has ruled out."""
    state = line()
    now = lossy(state, 0.0, BAD_REPORTS)
    state.may_try(3_000_000)
    clean(state, now, 6)
    assert state.level == 0
    state.overused(1_000_000, now + 7)
    assert state.level == 1
    state.may_try(880_000)
    clean(state, now + 8, 60)
    assert state.level == 1


def test_estimate_counts_only_below_what_is_sent() -> None:
    """A receiver estimates little when it is sent little."""
    state = line()
    for second in range(20):
        state.estimated(300_000, 250_000, float(second))
    assert state.level == 0
    state = line()
    for second in range(REMB_REPORTS):
        state.estimated(700_000, 1_600_000, float(second))
    assert state.level == 1
    state = line()
    for second in range(REMB_REPORTS):
        state.estimated(400_000, 1_600_000, float(second))
    assert STEPS[state.level].fps == 15, "straight to what the estimate carries"


def test_growing_delay_aims_below_what_arrives() -> None:
    """Queues are emptied by sending less than the line carries."""
    state = line()
    state.overused(600_000, 1.0)
    assert NEEDS[state.level] < 600_000


def test_request_for_less_holds_until_it_is_taken_back() -> None:
    """TMMBR is an order, not an estimate."""
    state = line()
    state.asked(600_000)
    assert state.level == 1
    clean(state, 0.0, 200)
    assert state.level == 1
    state.asked(5_000_000)
    clean(state, 200.0, 40)
    assert state.level == 0


def test_line_too_thin_for_any_picture_keeps_its_sound() -> None:
    """Audio first: 64 kbit/s carry a voice."""
    state = line(cap_bps=128_000)
    assert state.level == len(NEEDS)
    assert state.limit_bps >= SOUND_BPS


def test_renegotiated_codec_keeps_what_the_line_has_proved() -> None:
    """A re-INVITE in a bad minute does not begin at the top again."""
    state = line()
    lossy(state, 0.0, BAD_REPORTS)
    state.set_needs(NEEDS[1:])
    assert state.level == 0
    state.set_needs(NEEDS)
    assert state.level == 1


events = st.one_of(
    st.tuples(st.just("loss"), st.floats(0, 1)),
    st.tuples(st.just("remb"), st.integers(0, 10_000_000)),
    st.tuples(st.just("tmmbr"), st.integers(100_000, 10_000_000)),
    st.tuples(st.just("delay"), st.floats(0, 5e6)),
    st.tuples(st.just("cap"), st.integers(64_000, 8_000_000)),
)


@given(st.sampled_from(LINKS), st.lists(events, max_size=80))
def test_never_over_the_cap_and_always_a_picture_that_fits(
    link: Link, happened: list[tuple[str, float]]
) -> None:
    """Whatever a receiver tells: its bound holds, and the smallest rung stays if it fits."""
    state = line(link)
    for now, (kind, value) in enumerate(happened):
        if kind == "loss":
            state.reported(value, float(now))
        elif kind == "remb":
            state.estimated(int(value), 1_600_000, float(now))
        elif kind == "tmmbr":
            state.asked(int(value))
        elif kind == "delay":
            state.overused(value, float(now))
        else:
            state.set_terms(terms_of(link), int(value))
        if state.level < len(NEEDS):
            assert NEEDS[state.level] <= state.limit_bps
        else:
            assert NEEDS[-1] > min(state.limit_bps, terms_of(link).start_bps)


@given(st.lists(st.floats(0, 0.5), min_size=300, max_size=300))
def test_ups_are_rarer_than_their_pause(losses: list[float]) -> None:
    """No flapping: between two steps up lie at least the trial and the profile's pause."""
    state, ups = line(), []
    for now, loss in enumerate(losses):
        before = state.level
        state.reported(loss, float(now))
        if state.level < before:
            ups.append(now)
    pauses = [b - a for a, b in itertools.pairwise(ups)]
    assert all(pause >= min(TRIAL_S, state.terms.climb_after_s) for pause in pauses)
