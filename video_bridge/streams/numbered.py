"""Transport-wide numbers of one leg (draft-holmer-rmcat-transport-wide-cc-extensions-01).

What we send is numbered by the datapath, and the peer's feedback steers the line it goes out on.
"""

from __future__ import annotations

from ..allocation import SendingBound
from ..datapath import Departures
from ..rtp.transport_cc import TransportFeedback
from .outbound import Outbound


class Numbered:
    """`extension_id` is the negotiated one, `cap_bps` the most that may be sent."""

    def __init__(self, extension_id: int, cap_bps: int) -> None:
        self.departures = Departures(extension_id)
        self._bound = SendingBound(cap_bps)

    def set_cap(self, cap_bps: int) -> None:
        """The line is another, or was said to be: what was learnt of it counts no more."""
        self._bound = SendingBound(cap_bps)

    def heard(self, feedback: TransportFeedback, outbound: Outbound, now: float) -> None:
        """The peer tells what came of what we sent."""
        passages = self.departures.passages(feedback.arrivals())
        is_overused = self._bound.take(passages, now)
        outbound.line.may_try(self._bound.bound_bps)
        if is_overused:
            outbound.line.overused(self._bound.arriving_bps(), now)
