"""A queue is heard before it overflows, and neither jitter nor a busy machine is taken for one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_bridge.allocation.congestion import LEAST_BPS, DelayWatch, InboundBound


class Bottleneck:
    """A line of `rate_bps` with a queue of `queue_s`, drop-tail, and a sender that obeys."""

    def __init__(self, rate_bps: float, *, queue_s: float = 0.4, jitter_s: float = 0.0) -> None:
        self.rate_bps, self.queue_s, self.jitter_s = rate_bps, queue_s, jitter_s
        self.free_at = 0.0
        self.dice = random.Random(1)

    def send(self, size: int, now: float) -> float | None:
        """When it arrives; None when it is lost."""
        begins = max(now, self.free_at)
        if begins - now > self.queue_s:
            return None
        self.free_at = begins + size * 8 / self.rate_bps
        return self.free_at + 0.08 + self.dice.uniform(-self.jitter_s, self.jitter_s)


def run(line: Bottleneck, bound: InboundBound, offered_bps: float, seconds: int) -> list[float]:
    """25 frames a second; loss share by second. The sender hears each bound 100 ms later."""
    losses, told, events = [], [(0.0, bound.bound_bps)], []
    recent: list[tuple[float, int]] = []
    lost = sent = 0
    for frame in range(seconds * 25):
        now = frame * 0.04
        allowed = next(b for at, b in reversed(told) if at <= now)
        for _ in range(max(1, round(min(offered_bps, allowed) / 25 / 9600))):
            sent += 1
            arrival = line.send(1200, now)
            if arrival is None:
                lost += 1
            else:
                events.append((arrival, now))
        for arrival, sent_at in sorted(e for e in events if e[0] <= now):
            bound.delays.arrived(sent_at - 1000.0, arrival)  # another clock
            recent.append((arrival, 1200))
        events = [e for e in events if e[0] > now]
        recent = [r for r in recent if r[0] > now - 1]
        if frame % 3 == 0:
            bound.update(sum(size for _, size in recent) * 8, now)
            told.append((now + 0.1, bound.bound_bps))
        if frame % 25 == 24:
            losses.append(lost / sent)
            lost = sent = 0
    return losses


def test_too_much_on_a_line_of_three_megabits_settles_below_it() -> None:
    """The figures of fault F6, without a network."""
    bound = InboundBound(6_000_000, 6_000_000)
    losses = run(Bottleneck(3e6), bound, 6e6, 40)
    assert bound.bound_bps <= 2_700_000
    assert bound.bound_bps > 1_800_000, "and not far below"
    assert sum(losses[10:]) / 30 < 0.03


@pytest.mark.parametrize("jitter_s", [0.0, 0.03])
def test_jitter_is_no_queue(jitter_s: float) -> None:
    """80 ms of delay with 30 ms of jitter is a mobile line, not a full one."""
    bound = InboundBound(2_000_000, 3_000_000)
    run(Bottleneck(20e6, jitter_s=jitter_s), bound, 1.5e6, 20)
    assert bound.bound_bps == 3_000_000


def test_line_that_widens_is_used_again() -> None:
    """The rain is over."""
    line, bound = Bottleneck(1e6), InboundBound(3_000_000, 3_000_000)
    run(line, bound, 3e6, 12)
    assert bound.bound_bps < 1e6
    run(Bottleneck(20e6), bound, 3e6, 60)
    assert bound.bound_bps > 2e6


def test_longer_way_is_no_queue() -> None:
    """A route that changes by 100 ms cuts for a moment only: phones change cells."""
    bound = InboundBound(3_000_000, 3_000_000)
    lowest = bound.bound_bps
    for frame in range(20 * 25):
        now = frame * 0.04
        bound.delays.arrived(now, now + (0.01 if frame < 200 else 0.12))
        bound.update(min(400_000, bound.bound_bps), now)
        lowest = min(lowest, bound.bound_bps)
    assert lowest < 400_000
    assert bound.bound_bps == 3_000_000


def test_another_clock_is_no_queue() -> None:
    """A camera that restarts begins its timestamps anew."""
    watch = DelayWatch()
    for n in range(50):
        watch.arrived(n * 0.04, n * 0.04)
    for n in range(50, 100):
        watch.arrived(n * 0.04 - 5000, n * 0.04)
    assert watch.queue_s(4.0) < 0.001


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e7)), max_size=60), st.integers(64, 8000))
def test_bound_stays_between_its_least_and_the_cap(
    steps: list[tuple[float, float]], cap_kbps: int
) -> None:
    """Whatever arrives however late."""
    cap = cap_kbps * 1000
    bound, now = InboundBound(2_000_000, cap), 0.0
    for late, arriving in steps:
        for _ in range(6):
            now += 0.02
            bound.delays.arrived(now - late, now)
        bound.update(arriving, now)
        assert min(LEAST_BPS, cap) <= bound.bound_bps <= cap


def test_a_source_that_sends_in_bursts_is_not_cut_far_below_its_line() -> None:
    """A second's worth in 0.15 s fills 3 Mbit/s for a third of it: 3, not 1, is the line's."""
    bounds: list[float] = []
    for has_peak in (False, True):
        line, bound = Bottleneck(3e6), InboundBound(6_000_000, 6_000_000)
        cells: dict[int, int] = {}
        events: list[tuple[float, float]] = []
        for tick in range(800):
            now = tick * 0.01
            burst = 8 if tick % 100 < 15 else 0  # 1.15 Mbit in 150 ms
            came = (line.send(1200, now) for _ in range(burst))
            events += [(arrival, now) for arrival in came if arrival is not None]
            for arrival, sent_at in [event for event in events if event[0] <= now]:
                bound.delays.arrived(sent_at, arrival)
                cells[int(arrival * 2)] = cells.get(int(arrival * 2), 0) + 1200
            events = [event for event in events if event[0] > now]
            if tick % 10 == 0:
                recent = [cells.get(int(now * 2) - back, 0) for back in range(4)]
                mean_bps, peak_bps = sum(recent) * 4.0, max(recent) * 16.0
                bound.update(mean_bps, now, peak_bps if has_peak else None)
        bounds.append(bound.bound_bps)
    assert bounds[0] < 1_200_000
    assert bounds[1] > 1_500_000
