"""What a line that we send on takes, by transport-wide feedback: its delay tells a queue early.

The same judgement as of what is offered to us (`congestion.py`), with the times of arrival that the
receiver tells. Loss is left to receiver reports: `LineState` tells a bad radio from congestion.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from .congestion import JUMP_S, InboundBound

RATE_S = 1.0


class Passage(Protocol):
    """One packet: when it left, and when it arrived by the receiver's clock; None: it has not."""

    @property
    def sent_s(self) -> float: ...

    @property
    def octets(self) -> int: ...

    @property
    def arrived_s(self) -> float | None: ...


class SendingBound:
    """`take` each feedback; `bound_bps` is what may be tried, headers included."""

    def __init__(self, cap_bps: int) -> None:
        self._bound = InboundBound(cap_bps, cap_bps)
        self._arrived: deque[tuple[float, int]] = deque()  # (when, octets)
        self._octets = 0
        self._since: float | None = None
        self._offset_s = 0.0  # from the receiver's clock to ours

    @property
    def bound_bps(self) -> float:
        return self._bound.bound_bps

    def arriving_bps(self) -> float:
        """Of the last second that was told of."""
        if not self._arrived or self._since is None:
            return 0.0
        span = min(RATE_S, self._arrived[-1][0] - self._since)
        return self._octets * 8 / span if span >= RATE_S / 2 else 0.0

    def take(self, passages: Iterable[Passage], now: float) -> bool:
        """True when less has to be sent than arrives: the line queues."""
        came = [(p.arrived_s, p.sent_s, p.octets) for p in passages if p.arrived_s is not None]
        if not came:
            return False
        came.sort()
        newest = came[-1][0]
        if self._since is None or abs(newest + self._offset_s - now) > JUMP_S:
            self._offset_s = now - newest
            self._since = came[0][0] + self._offset_s
            self._arrived.clear()
            self._octets = 0
        for arrived_s, sent_s, octets in came:
            at = arrived_s + self._offset_s
            self._bound.delays.arrived(sent_s, at)
            self._arrived.append((at, octets))
            self._octets += octets
        at = newest + self._offset_s
        while self._arrived and self._arrived[0][0] < at - RATE_S:
            self._octets -= self._arrived.popleft()[1]
        return self._bound.update(self.arriving_bps(), at)
