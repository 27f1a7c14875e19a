"""What this node carries, what it carries now, and whether one leg more fits.

Implements `places.EncoderBudget` for the conferences; figures are milliseconds of a reference core
each second (docs/allocation.md).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from .. import messages as m
from ..allocation.budget import NEW_RUNG_MS_PER_S, SHOWN_AT_MOST, LegCount, Machine, Strain
from ..conference import Conference
from ..errors import LocalMediaError
from ..ingest.session_media import SessionMedia
from ..messages import LegKind

LOOK_EVERY_S = 1.0


class NodeCapacity:
    """One for the node. `count()` gives its legs and `ticks()` its pictures, made and late, so far.

    `limit_ms_per_s` is set by hand where a node shares its machine; else the machine decides.
    """

    def __init__(
        self,
        machine: Machine,
        count: Callable[[], LegCount],
        ticks: Callable[[], tuple[int, int]],
        limit_ms_per_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self.machine = machine
        self._limit_ms_per_s = limit_ms_per_s
        self._strain = Strain()
        self._count = count
        self._ticks = ticks
        self._seen = (0, 0)
        self._looked_at = 0.0
        self._taken: dict[str, tuple[float, float]] = {}  # encoders by conference: cost, at least

    @property
    def whole(self) -> float:
        """What the machine is taken to carry."""
        limit = self._limit_ms_per_s
        return self.machine.capacity_ms_per_s if limit is None else limit

    @property
    def promised(self) -> float:
        """What encoders may use of it: less while pictures come late."""
        return self.whole * self._strain.share

    @property
    def encoders(self) -> float:
        return sum(cost for cost, _ in self._taken.values())

    @property
    def used(self) -> float:
        return self._count().cost_ms_per_s + self.encoders

    def left_for(self, conference_id: str) -> float:
        self._look(self._clock())
        own, _ = self._taken.get(conference_id, (0.0, 0.0))
        others = self.encoders - own
        return max(0.0, self.promised - self._count().cost_ms_per_s - others)

    def take(self, conference_id: str, cost_ms_per_s: float, least_ms_per_s: float) -> None:
        self._taken[conference_id] = cost_ms_per_s, least_ms_per_s

    def forget(self, conference_id: str) -> None:
        """The conference is over."""
        self._taken.pop(conference_id, None)

    def _look(self, now: float) -> None:
        """Judge once a second whether pictures come in time."""
        if now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        made, late = self._ticks()
        # A conference that ended took its pictures with it: begin to count anew.
        if made >= self._seen[0] and late >= self._seen[1]:
            self._strain.look(made - self._seen[0], late - self._seen[1], now)
        self._seen = made, late

    def admit(self, request: m.LegAdd) -> None:
        """Whether one leg more fits when all rungs are shed that can be.

        Late pictures keep nobody out: they may be another program's doing and pass, and a place in
        the consultation is worth more. Raises LocalMediaError `node_at_capacity`.
        """
        before = self._count()
        after = before.plus(
            publish=request.publish,
            play=request.play and request.kind in (LegKind.WEBRTC, LegKind.RTP),
            is_camera=request.kind is LegKind.RTSP,
            is_shown=before.shown < SHOWN_AT_MOST,
        )
        least = sum(least for _, least in self._taken.values()) or NEW_RUNG_MS_PER_S
        needed = after.cost_ms_per_s + least
        if needed > self.whole:
            raise LocalMediaError(
                "node_at_capacity",
                used_pct=round(100 * self.used / max(1.0, self.whole)),
                legs=before.publishing + before.playing,
            )

    def figures(self) -> m.Capacity:
        """For `snapshot` and the console's health."""
        return m.Capacity(
            cores=self.machine.cores,
            speed=round(self.machine.speed, 2),
            promised_ms_per_s=round(self.promised),
            used_ms_per_s=round(self.used),
            encoders_ms_per_s=round(self.encoders),
        )


def count_legs(conferences: Iterable[Conference]) -> LegCount:
    """The legs of all conferences, as far as they cost."""
    total = publishing = playing = cameras = 0
    decoded: list[float] = []
    for conference in conferences:
        total += 1
        for leg in list(conference.legs.values()):
            publishing += leg.publish
            playing += leg.play
            cameras += leg.kind is LegKind.RTSP
            if leg.has_media and isinstance(leg.media, SessionMedia):
                decoded += leg.media.session.decoded_megapixels()
    return LegCount(total, publishing, len(decoded), sum(decoded), playing, cameras)
