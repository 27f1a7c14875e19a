"""What this node carries, what it carries now, and whether one leg more fits.

Implements `places.EncoderBudget` for the conferences; figures are milliseconds of a reference core
each second (docs/allocation.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..allocation.budget import SHOWN_AT_MOST, LegCount, Machine, Strain
from ..conference import Conference
from ..leg import Leg
from ..messages import LegKind


class NodeCapacity:
    """One for the node. `count()` gives its legs as they are now."""

    def __init__(self, machine: Machine, count: Callable[[], LegCount]) -> None:
        self.machine = machine
        self.strain = Strain()
        self._count = count
        self._taken: dict[str, float] = {}  # encoders, by conference

    @property
    def promised(self) -> float:
        """All that may be used: less while pictures come late."""
        return self.machine.capacity_ms_per_s * self.strain.share

    @property
    def encoders(self) -> float:
        return sum(self._taken.values())

    @property
    def used(self) -> float:
        return self._count().cost_ms_per_s + self.encoders

    def left_for(self, conference_id: str) -> float:
        others = self.encoders - self._taken.get(conference_id, 0.0)
        return max(0.0, self.promised - self._count().cost_ms_per_s - others)

    def take(self, conference_id: str, cost_ms_per_s: float) -> None:
        self._taken[conference_id] = cost_ms_per_s

    def forget(self, conference_id: str) -> None:
        """The conference is over."""
        self._taken.pop(conference_id, None)


def count_legs(conferences: Iterable[Conference]) -> LegCount:
    """The legs of all conferences, as far as they cost."""
    total = 0
    publishing = shown = playing = cameras = 0
    for conference in conferences:
        total += 1
        legs = list(conference.legs.values())
        cameras += sum(leg.kind is LegKind.RTSP for leg in legs)
        publishing += sum(leg.publish for leg in legs)
        playing += sum(leg.play for leg in legs)
        shown += min(SHOWN_AT_MOST, sum(map(_costs_decoding, legs)))
    return LegCount(total, publishing, shown, playing, cameras)


def _costs_decoding(leg: Leg) -> bool:
    return leg.publish and leg.kind in (LegKind.WEBRTC, LegKind.RTP)
