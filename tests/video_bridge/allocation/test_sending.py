"""What transport-wide feedback tells of a line that we send on."""

from __future__ import annotations

import random
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from video_bridge.allocation import LineState, SendingBound, terms_of

CAP_BPS = 3_000_000
PACKET = 1200
EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Passage:
    sent_s: float
    octets: int
    arrived_s: float | None


class Bottleneck:
    """A drop-tail queue of 0.3 s before a line of `rate_bps`, and a receiver's clock of its own."""

    def __init__(self, rate_bps: float, clock_s: float = 5000.0, jitter_s: float = 0.0) -> None:
        self.rate_bps, self.clock_s, self.jitter_s = rate_bps, clock_s, jitter_s
        self.free_at = 0.0
        self.lost = self.came = 0
        self._dice = random.Random(3)

    def passes(self, sent_s: float) -> Passage:
        self.came += 1
        begins = max(sent_s, self.free_at)
        if begins - sent_s > 0.3:
            self.lost += 1
            return Passage(sent_s, PACKET, None)
        self.free_at = begins + PACKET * 8 / self.rate_bps
        late = 0.03 + self._dice.random() * self.jitter_s
        return Passage(sent_s, PACKET, self.free_at + late + self.clock_s)


def run(
    bound: SendingBound, line: Bottleneck, rate_bps: float, seconds: float, now: float = 100.0
) -> tuple[float, list[float]]:
    """Sends at one rate; the end, and when it was said to be too much."""
    told: list[float] = []
    waiting: list[Passage] = []
    end, next_at = now + seconds, now
    while now < end:
        now += EVERY_S
        while next_at < now:
            waiting.append(line.passes(next_at))
            next_at += PACKET * 8 / rate_bps
        arrived, waiting = waiting, []
        if bound.take(arrived, now + 0.05):
            told.append(now)
    return now, told


def test_a_queue_is_told_before_packets_are_lost() -> None:
    """3 Mbit/s into 2: the queue of 0.3 s is full after 0.6 s."""
    bound = SendingBound(CAP_BPS)
    line = Bottleneck(2_000_000)
    now, told = run(bound, line, 1_500_000, 5.0)
    assert told == []
    _, told = run(bound, line, CAP_BPS, 0.5, now)
    assert told
    assert line.lost == 0
    assert bound.bound_bps < 2_000_000


@settings(max_examples=30, deadline=None)
@given(
    rate=st.floats(200_000, 2_900_000),
    clock_s=st.floats(0, 1e6),
    jitter_s=st.floats(0, 0.06),
)
def test_a_line_that_takes_all_is_never_called_full(
    rate: float, clock_s: float, jitter_s: float
) -> None:
    """Whatever the receiver's clock says and however its packets jitter."""
    bound = SendingBound(CAP_BPS)
    _, told = run(bound, Bottleneck(CAP_BPS * 1.2, clock_s, jitter_s), rate, 12.0)
    assert told == []
    assert bound.bound_bps == CAP_BPS


@settings(max_examples=30, deadline=None)
@given(capacity=st.floats(300_000, 2_500_000), excess=st.floats(1.15, 3.0))
def test_what_is_offered_too_much_is_found_out(capacity: float, excess: float) -> None:
    """And what may be tried then is near what the line takes, never far below."""
    bound = SendingBound(CAP_BPS * 3)
    _, told = run(bound, Bottleneck(capacity), capacity * excess, 3.0)
    assert told
    assert 0.5 * capacity <= bound.bound_bps <= 1.05 * capacity


def test_a_line_climbs_back_when_it_is_free_again() -> None:
    """From a queue at 0.8 Mbit/s back to the best rung within half a minute."""
    needs = (1_650_000, 590_000, 350_000, 180_000)
    state, bound = LineState(terms_of("internet")), SendingBound(CAP_BPS)
    state.set_needs(needs, slow_from=2)
    line, now = Bottleneck(800_000), 100.0
    levels: list[tuple[float, int]] = []
    reported = now
    while now < 190.0:
        if now > 120.0:
            line.rate_bps = 4_000_000
        began = now
        rate = needs[state.level] * 0.95
        waiting = []
        at = now
        while at < began + EVERY_S:
            waiting.append(line.passes(at))
            at += PACKET * 8 / rate
        now = began + EVERY_S
        if bound.take(waiting, now):
            state.overused(bound.arriving_bps(), now)
        state.may_try(bound.bound_bps)
        if now - reported >= 1.0:
            reported = now
            state.reported(0.0, now, 100)
        levels.append((now, state.level))
    assert {level for at, level in levels if 103 < at < 120} == {1}
    assert min(at for at, level in levels if at > 120 and level == 0) < 150.0
    assert line.lost < 0.03 * line.came
