"""One receiver's line: what its reports say, and which of its rungs it may stand on.

A receiver that is sent 500 kbit/s proves nothing about 1.5 Mbit/s, so a better rung is tried, not
computed: up one rung after a clean while, down at once; a trial that fails makes the next one wait
longer. Loss that a lower rung does not cure is the line's own and no congestion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .links import LinkTerms

BAD_LOSS = 0.10  # fraction lost, above the line's own: draft-ietf-rmcat-gcc-02 section 6
MOST_OWN_LOSS = 0.25  # no line is taken to lose more by itself
HEAVY_LOSS = 0.35  # less than this alone takes no pictures per second away
CLEAN_LOSS = 0.03
LEAST_PACKETS, LONGEST_S = 60, 3.0  # a report of ten packets says little: reports are joined
BAD_REPORTS = 2  # in a row
CURED_SHARE = 0.6  # of the loss must be gone after a step down, or the step was no cure
JUDGE_CURE_AFTER = 4  # reports
REMB_SHARE = 0.8  # of what is sent: an estimate above says nothing, it grows with what comes
REMB_REPORTS = 3
LEAST_JUDGED_BPS = 200_000
TRIAL_S = 8.0  # a better rung that lasts so long has proved itself: loss shows within six
MAX_CLIMB_AFTER_S = 120.0
OVERUSE_SHARE = 0.9  # of what arrived is aimed at when delay grows; GCC takes 0.85
FILLED_SHARE = 0.6  # of the rung's need, or what arrives says nothing of the line
WATCHED_TRIAL_S = 5.0  # where each packet's delay is told, a trial is judged sooner
WATCHED_CLIMB_SHARE = 0.4  # and tried sooner


@dataclass(slots=True)
class _LossWatch:
    """Tells loss by congestion from the loss that a radio or a bad cable always has."""

    own: float = 0.0
    bad: int = 0
    lost: float = 0.0
    packets: int = 0
    since: float = 0.0
    before_step: float | None = None
    after_step: list[float] = field(default_factory=list)

    def join(self, loss: float, packets: int, now: float) -> float | None:
        """The loss of all reports since the last one that was judged, when they are enough."""
        if not self.packets:
            self.since = now
        self.lost += loss * packets
        self.packets += packets
        if self.packets < LEAST_PACKETS and now - self.since < LONGEST_S:
            return None
        joined, self.lost, self.packets = self.lost / max(1, self.packets), 0.0, 0
        return joined

    def excess(self, loss: float) -> float:
        return max(0.0, loss - self.own)

    def stepped(self, loss: float) -> None:
        self.before_step, self.after_step, self.bad = loss, [], 0

    def learn(self, loss: float) -> None:
        """After a step down: a loss that stays is the line's own."""
        if self.before_step is not None:
            self.after_step.append(loss)
            if len(self.after_step) >= JUDGE_CURE_AFTER:
                mean = sum(self.after_step[1:]) / (len(self.after_step) - 1)
                if mean >= self.before_step * (1 - CURED_SHARE):
                    self.own = min(MOST_OWN_LOSS, max(self.own, mean))
                self.before_step = None
        elif loss < self.own:
            self.own += 0.2 * (loss - self.own)


class LineState:
    """Feed what the receiver tells; `level` indexes `needs_bps`, best first.

    `needs_bps[i]` is what rung i takes of the line together with the sound; `level` equal to their
    number means that sound alone fits. `now` in seconds of one monotonic clock.
    """

    def __init__(self, terms: LinkTerms, cap_bps: int | None = None) -> None:
        self.terms = terms
        self.needs_bps: tuple[int, ...] = ()
        self.level = 0
        self._slow_from = 0
        self._believed_bps = terms.start_bps
        self._cap_bps = cap_bps
        self._negotiated_bps: int | None = None
        self._asked_bps: int | None = None  # TMMBR
        self._loss = _LossWatch()
        self._low_estimates = 0
        self._estimate_bps = 0
        self._clean_since: float | None = None
        self._climb_after_s = terms.climb_after_s
        self._climbed_at: float | None = None
        self._tried_bps: float | None = None  # by transport-wide feedback

    # --- bounds -------------------------------------------------------------------------------

    @property
    def limit_bps(self) -> int:
        """Never more than this: the site's cap, its profile's, what was negotiated, TMMBR."""
        bounds = (self._negotiated_bps, self._asked_bps)
        cap = self.terms.cap_bps if self._cap_bps is None else self._cap_bps
        return min([cap, *(bound for bound in bounds if bound is not None)])

    @property
    def rate_bps(self) -> int:
        """What it is believed to take, sound and all."""
        return min(self._believed_bps, self.limit_bps)

    def set_terms(self, terms: LinkTerms, cap_bps: int | None) -> None:
        """Another profile or cap: the line has to prove itself anew."""
        if (terms, cap_bps) == (self.terms, self._cap_bps):
            return
        self.terms, self._cap_bps = terms, cap_bps
        self._climb_after_s, self._climbed_at, self._clean_since = terms.climb_after_s, None, None
        self._believed_bps = terms.start_bps
        self.level = self._fitting(min(terms.start_bps, self.limit_bps))

    def set_needs(
        self,
        needs_bps: Sequence[int],
        negotiated_bps: int | None = None,
        slow_from: int | None = None,
    ) -> None:
        """What the receiver's rungs need, best first; keeps what the line has proved.

        From rung `slow_from` on there are fewer pictures a second.
        """
        needs = tuple(needs_bps)
        if (needs, negotiated_bps) == (self.needs_bps, self._negotiated_bps):
            return
        self._slow_from = len(needs) if slow_from is None else slow_from
        self.needs_bps, self._negotiated_bps = needs, negotiated_bps
        self.level = self._fitting(min(self._believed_bps, self.limit_bps))

    def asked(self, bitrate_bps: int) -> None:
        """TMMBR (RFC 5104 section 3.5.4): no more than this until it asks otherwise."""
        self._asked_bps = bitrate_bps
        self._keep_to_limit()

    def _keep_to_limit(self) -> None:
        """Not above the limit; and no line that may carry a picture is left with sound alone."""
        lowest = max(len(self.needs_bps) - 1, 0)
        self.level = max(min(self.level, lowest), self._fitting(self.limit_bps))

    def _fitting(self, bitrate_bps: float) -> int:
        """The best level that fits into a rate; the last one is sound alone."""
        for level, needed in enumerate(self.needs_bps):
            if needed <= bitrate_bps:
                return level
        return len(self.needs_bps)

    # --- what the receiver tells --------------------------------------------------------------

    def reported(self, fraction: float, now: float, packets: int = LEAST_PACKETS) -> None:
        """One receiver report's fraction lost of so many packets (RFC 3550 section 6.4.1)."""
        watch = self._loss
        loss = watch.join(fraction, packets, now)
        if loss is None:
            return
        watch.learn(loss)
        excess = watch.excess(loss)
        if excess >= BAD_LOSS:
            watch.bad += 1
            self._clean_since = None
            if watch.bad >= BAD_REPORTS and watch.before_step is None:
                watch.stepped(loss)
                is_kept = loss < HEAVY_LOSS and self.level + 1 == self._slow_from
                self._down(self.level + (0 if is_kept else 1), now)
            return
        watch.bad = 0
        if excess > CLEAN_LOSS:
            self._clean_since = None
        elif self._clean_since is None:
            self._clean_since = now
        self._climb(now)

    def estimated(self, bitrate_bps: int, sending_bps: float, now: float) -> None:
        """The receiver's own estimate (REMB) beside what we really send.

        It grows by a twelfth a second towards what comes: after a climb it is behind for a while.
        """
        is_low = sending_bps > LEAST_JUDGED_BPS and bitrate_bps < sending_bps * REMB_SHARE
        is_growing = bitrate_bps > self._estimate_bps > 0
        self._estimate_bps = bitrate_bps
        self._low_estimates = self._low_estimates + 1 if is_low and not is_growing else 0
        if self._low_estimates >= REMB_REPORTS:
            self._low_estimates = 0
            self._down(max(self.level + 1, self._fitting(bitrate_bps)), now)

    def may_try(self, bitrate_bps: float) -> None:
        """Transport-wide feedback comes: the delay is watched, and no more than this is tried."""
        self._tried_bps = bitrate_bps

    def overused(self, arrived_bps: float, now: float) -> None:
        """Delay grows (transport-cc): aim below what arrived, where that filled the line."""
        level = self.level + 1
        needed = self.needs_bps[self.level] if self.level < len(self.needs_bps) else 0
        if arrived_bps >= FILLED_SHARE * needed:
            level = max(level, self._fitting(arrived_bps * OVERUSE_SHARE))
        self._down(level, now)

    # --- moving -------------------------------------------------------------------------------

    def _down(self, level: int, now: float) -> None:
        """To `level` at once, but never below the lowest rung that the line's limit allows."""
        lowest = max(len(self.needs_bps) - 1, 0)
        floor = lowest if self._fitting(self.limit_bps) <= lowest else len(self.needs_bps)
        level = min(level, floor)
        if level <= self.level:
            self._clean_since = None
            return
        if self._climbed_at is not None and now - self._climbed_at < self._trial_s:
            self._climb_after_s = min(MAX_CLIMB_AFTER_S, 2 * self._climb_after_s)
        self._move(level)
        self._climbed_at = self._clean_since = None

    @property
    def _trial_s(self) -> float:
        return TRIAL_S if self._tried_bps is None else WATCHED_TRIAL_S

    def _climb(self, now: float) -> None:
        if self._climbed_at is not None and now - self._climbed_at >= self._trial_s:
            self._climbed_at = None
            self._climb_after_s = max(self.terms.climb_after_s, self._climb_after_s / 2)
        if self.level == 0 or self._clean_since is None or self._climbed_at is not None:
            return
        share = 1.0 if self._tried_bps is None else WATCHED_CLIMB_SHARE
        if now - self._clean_since < self._climb_after_s * share:
            return
        tried_bps = self.limit_bps if self._tried_bps is None else self._tried_bps
        if self.needs_bps[self.level - 1] <= min(self.limit_bps, tried_bps):
            self._move(self.level - 1)
            self._climbed_at = self._clean_since = now

    def _move(self, level: int) -> None:
        self.level = level
        self._believed_bps = self.needs_bps[level - 1] - 1 if level else self.limit_bps
