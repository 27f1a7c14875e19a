"""What a sender may offer us: its delay tells a standing queue before packets are lost.

After LEDBAT (RFC 6817) and the Google congestion control (draft-ietf-rmcat-gcc-02): the smallest
delay of the last half second against the smallest of the last twenty. A minimum is deaf to jitter
and to a busy machine, which delay single packets, and hears a queue, which delays them all.
"""

from __future__ import annotations

from collections import deque

RECENT_S, BASE_S = 0.5, 20.0
BASE_CELL_S = 1.0
QUEUE_S = 0.08  # a standing queue longer than this is too much offered
EMPTY_S = 0.04
LEAST_SAMPLES = 5
JUMP_S = 10.0  # more between two packets is another clock
CUT = 0.85  # of what arrives; draft-ietf-rmcat-gcc-02 section 5.5
CUT_PAUSE_S = 1.2  # the sender has to hear of it and the queue to empty
FALLING = 0.85  # of the longest queue seen: it empties already, wait
EMPTIES_TO = 0.75  # of a queue must be gone after OBEYED_S of less, or it is none of ours
OBEYED_S = 3.0
KEPT_BELOW = 0.88  # of the capacity that was seen, for HOLD_S
HOLD_S = 20.0
GROWTH_PER_S = 0.08
LEAST_BPS = 150_000


class DelayWatch:
    """`arrived` with each packet's (or frame's) time of sending on any clock; `queue_s` judges."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, float]] = deque()  # (arrival, delay)
        self._base: deque[tuple[float, float]] = deque()  # (cell start, smallest delay in it)
        self._last: float | None = None

    def arrived(self, sent_s: float, now: float) -> None:
        delay = now - sent_s
        if self._last is not None and abs(delay - self._last) > JUMP_S:
            self._recent.clear()
            self._base.clear()
        self._last = delay
        self._recent.append((now, delay))
        self._forget(now)
        cell = now // BASE_CELL_S * BASE_CELL_S
        if self._base and self._base[-1][0] == cell:
            self._base[-1] = (cell, min(delay, self._base[-1][1]))
        else:
            self._base.append((cell, delay))
            while self._base[0][0] < now - BASE_S:
                self._base.popleft()

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0][0] < now - RECENT_S:
            self._recent.popleft()

    def begin_anew(self) -> None:
        """The delay as it is now is the line's own: the way has changed."""
        self._base.clear()

    def queue_s(self, now: float) -> float:
        """How long packets stand in a queue that they did not find at its emptiest."""
        self._forget(now)
        if len(self._recent) < LEAST_SAMPLES:
            return 0.0
        recent = min(d for _, d in self._recent)
        return max(0.0, recent - min((d for _, d in self._base), default=recent))


class InboundBound:
    """How much one site may offer us in bit/s: its cap, less while its line queues."""

    def __init__(self, start_bps: int, cap_bps: int) -> None:
        self.delays = DelayWatch()
        self.bound_bps = float(min(start_bps, cap_bps))
        self._cap_bps = cap_bps
        self._capacity_bps: float | None = None
        self._cut_at: float | None = None
        self._queue_at_cut_s = 0.0  # the longest since it was last empty
        self._episode: tuple[float, float, float] | None = None  # began, queue, bound before
        self._updated_at: float | None = None

    def set_cap(self, cap_bps: int) -> None:
        self._cap_bps = cap_bps
        self.bound_bps = min(self.bound_bps, float(cap_bps))

    def update(self, arriving_bps: float, now: float, peak_bps: float | None = None) -> bool:
        """Every tenth of a second or so; True when it was cut: tell the sender at once.

        `peak_bps` arrived in the fullest half second of late: while packets queue, a line carries
        all it can, and a source that sends in bursts is quiet between them.
        """
        elapsed = 0.0 if self._updated_at is None else min(1.0, now - self._updated_at)
        self._updated_at = now
        queue_s = self.delays.queue_s(now)
        may_cut = self._cut_at is None or now - self._cut_at >= CUT_PAUSE_S
        if queue_s > QUEUE_S and arriving_bps > 0:
            if self._is_no_queue_of_ours(queue_s, arriving_bps, now):
                return False
            is_falling = queue_s < FALLING * self._queue_at_cut_s
            self._queue_at_cut_s = max(self._queue_at_cut_s, queue_s) if is_falling else queue_s
            if may_cut and not is_falling:
                self._cut(queue_s, max(arriving_bps, peak_bps or 0.0), now)
                return True
            return False
        if queue_s < EMPTY_S:
            self._episode, self._queue_at_cut_s = None, 0.0
            grown = self.bound_bps * (1 + GROWTH_PER_S * elapsed)
            self.bound_bps = max(min(grown, self._ceiling(now)), min(self.bound_bps, self._cap_bps))
        return False

    def _cut(self, queue_s: float, arriving_bps: float, now: float) -> None:
        if self._episode is None:
            self._episode = now, queue_s, self.bound_bps
        self._cut_at = now
        self._capacity_bps = arriving_bps
        least = min(LEAST_BPS, self._cap_bps)
        self.bound_bps = max(least, min(self.bound_bps, CUT * arriving_bps))

    def _is_no_queue_of_ours(self, queue_s: float, arriving_bps: float, now: float) -> bool:
        """A delay that stays although the sender obeys is another way through the network."""
        if self._episode is None:
            return False
        began, at_first, before = self._episode
        is_obeyed = arriving_bps <= self.bound_bps * 1.1 or arriving_bps < LEAST_BPS
        if now - began < OBEYED_S or queue_s < EMPTIES_TO * at_first or not is_obeyed:
            return False
        self.delays.begin_anew()
        self.bound_bps, self._episode, self._cut_at = before, None, None
        return True

    def _ceiling(self, now: float) -> float:
        if self._cut_at is None or self._capacity_bps is None or now - self._cut_at > HOLD_S:
            return float(self._cap_bps)
        return min(float(self._cap_bps), max(KEPT_BELOW * self._capacity_bps, LEAST_BPS))
