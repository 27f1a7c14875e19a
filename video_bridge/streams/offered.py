"""How much a peer may offer us: measured by its pictures' delay, told by REMB or TMMBR."""

from __future__ import annotations

from collections.abc import Iterable

from ..allocation import InboundBound, LinkTerms
from ..rtp import rtcp
from ..rtp.header_ext import absolute_send_time
from ..rtp.packet import RtpPacket
from .inbound_audio import InboundAudio
from .inbound_video import InboundVideo
from .plan import MediaPlan

UPDATE_EVERY_S = 0.1
SEND_TIME_WRAPS_S = 64.0
PACKET_OVERHEAD = 40  # octets of RTP, UDP and IP headers, as TMMBR counts them


class Offered:
    """One leg's. `sample` its pictures' packets, `update` often, put `words` into reports."""

    def __init__(self, terms: LinkTerms, cap_bps: int | None) -> None:
        cap = terms.cap_bps if cap_bps is None else cap_bps
        # A line that is known to be thin begins thin; others are told their cap, no less.
        start = cap if terms.start_bps * 2 > terms.cap_bps else terms.start_bps
        self.bound = InboundBound(start, cap)
        self._sampled: tuple[int, int] | None = None
        self._sent_s = 0.0  # unwrapped
        self._updated_at = 0.0

    @property
    def bound_bps(self) -> int:
        return int(self.bound.bound_bps)

    def sample(self, packet: RtpPacket, plan: MediaPlan, now: float) -> None:
        """The first packet of each picture: the others wait for it at the sender.

        Browsers pace their packets, so the time at which a picture was taken is not that at which
        it left; they say the latter in an extension. Raises RemoteMediaError.
        """
        if (packet.ssrc, packet.timestamp) == self._sampled:
            return
        self._sampled = packet.ssrc, packet.timestamp
        sent_s = None
        if plan.send_time_id is not None:
            sent_s = absolute_send_time(packet, plan.send_time_id)
        if sent_s is None:
            self.bound.delays.arrived(packet.timestamp / plan.clock_rate, now)
            return
        wrapped = (sent_s - self._sent_s) % SEND_TIME_WRAPS_S
        # An overtaken packet is a little before the last one, not a minute after it.
        self._sent_s += wrapped if wrapped < SEND_TIME_WRAPS_S / 2 else wrapped - SEND_TIME_WRAPS_S
        self.bound.delays.arrived(self._sent_s, now)

    def update(self, streams: Iterable[InboundAudio | InboundVideo], now: float) -> bool:
        """True when less may be offered than before: report at once."""
        if now - self._updated_at < UPDATE_EVERY_S:
            return False
        self._updated_at = now
        rates = [stream.rate for stream in streams]
        arriving = sum(rate.per_second(now) for rate in rates) * 8
        peak = sum(rate.peak_per_second(now) for rate in rates) * 8
        return self.bound.update(arriving, now, peak)

    def words(self, ssrc: int, media_ssrc: int, feedback: frozenset[str]) -> list[rtcp.RtcpPacket]:
        """REMB where it was negotiated, else TMMBR (RFC 5104) where that was."""
        if "goog-remb" in feedback:
            return [rtcp.Remb(ssrc, self.bound_bps, (media_ssrc,))]
        if "ccm tmmbr" in feedback:
            return [rtcp.RateLimit(ssrc, ((media_ssrc, self.bound_bps, PACKET_OVERHEAD),))]
        return []
