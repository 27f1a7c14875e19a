"""What a leg is sent of one media: its fan-out target, its sender's state, its rung."""

from __future__ import annotations

import secrets
import socket

from ..datapath import FanoutTarget, SrtpKeys
from ..errors import LocalMediaError
from ..rtp.rtcp import ReportBlock, SenderReport
from ..rtp.source import SenderState
from ..video.ladder import H264_360P, H264_720P, VP8_360P, VP8_720P, Rung, RungKey, choose_rung
from .plan import MediaPlan
from .rates import Rate

BAD_LOSS = 0.12  # fraction lost, for BAD_REPORTS in a row: step down
GOOD_LOSS = 0.02
BAD_REPORTS = 3
GOOD_REPORTS = 12
LEAST_JUDGED_BPS = 600_000
REMB_SHARE = 0.7
_SMALLER = {H264_720P: H264_360P, VP8_720P: VP8_360P}


class Outbound:
    """One SSRC to one peer. Without a route yet (`route`), nothing is sent."""

    def __init__(self, plan: MediaPlan, ssrc: int) -> None:
        self.plan = plan
        self.ssrc = ssrc
        self.state = SenderState(ssrc, plan.clock_rate)
        self.rate = Rate()
        self.target: FanoutTarget | None = None
        self.rung: Rung | None = None
        self._is_small = False
        self._bad = 0
        self._good = 0
        self._low_estimates = 0
        self._counted_packets = 0
        self._counted_octets = 0
        self._seq_start = secrets.randbits(15)

    def route(
        self, sock: socket.socket, address: tuple[str, int], srtp: SrtpKeys | None = None
    ) -> None:
        """Send here from now on; sequence numbers go on over a change of route."""
        if self.target is None:
            self.target = FanoutTarget(
                sock.fileno(),
                address,
                self.ssrc,
                self.plan.payload_type,
                self._seq_start,
                secrets.randbits(31),
                srtp,
            )
            return
        old = self.target.socket
        if old is not None and old.getsockname() != sock.getsockname():
            self.target.socket = sock.dup()
            old.close()
        self.target.move_to(address)

    def replan(self, plan: MediaPlan) -> None:
        """A re-negotiation of the same media."""
        self.plan = plan
        self.state.clock_rate = plan.clock_rate
        if self.target is not None:
            self.target.payload_type = plan.payload_type

    def close(self) -> None:
        if self.target is not None:
            self.target.close()
            self.target = None

    def wanted_rung(self) -> RungKey | None:
        """The rung this receiver should stand on now (video). Raises LocalMediaError."""
        key = choose_rung(
            self.plan.codec,
            packetization_mode=self.plan.packetization_mode,
            allows_720p=self.plan.allows_720p,
            max_bitrate_bps=self.plan.max_bitrate_bps,
        )
        if key is None:
            raise LocalMediaError("video_codec_unknown", codec=self.plan.codec)
        return _SMALLER.get(key, key) if self._is_small else key

    def count_sent(self, now: float) -> None:
        """After something was sent: for sender reports and rates."""
        target = self.target
        if target is None or target.last_timestamp is None:
            return
        packets = target.packets_sent - self._counted_packets
        octets = target.octets_sent - self._counted_octets
        if packets <= 0:
            return
        self._counted_packets, self._counted_octets = target.packets_sent, target.octets_sent
        self.state.sent(packets, octets, target.last_timestamp, now)
        self.rate.add(octets + 12 * packets, now)

    def sender_report(
        self, now: float, unix_s: float, reports: tuple[ReportBlock, ...]
    ) -> SenderReport | None:
        return self.state.sender_report(now, unix_s, reports)

    def reported(self, block: ReportBlock, unix_s: float) -> None:
        """A receiver's report about us: steps down a rung on lasting loss, up when it is over."""
        self.state.reported(block, unix_s)
        loss = block.fraction_lost / 256
        self._bad = self._bad + 1 if loss >= BAD_LOSS else 0
        self._good = self._good + 1 if loss <= GOOD_LOSS else 0
        if self._bad >= BAD_REPORTS:
            self._is_small = True
        elif self._is_small and self._good >= GOOD_REPORTS:
            self._is_small = False

    def estimated(self, bitrate_bps: int, now: float) -> None:
        """The receiver's own estimate (REMB). Only one below what we really send says anything:

        a receiver that is sent little estimates little.
        """
        sending_bps = self.rate.per_second(now) * 8
        if sending_bps > LEAST_JUDGED_BPS and bitrate_bps < sending_bps * REMB_SHARE:
            self._low_estimates += 1
        else:
            self._low_estimates = 0
        if self._low_estimates >= BAD_REPORTS:
            self._is_small = True
            self._good = 0
