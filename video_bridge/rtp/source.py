"""Statistics of one RTP source, received or sent (RFC 3550 section 6, A.3, A.8)."""

from __future__ import annotations

from .packet import sequence_distance
from .rtcp import ReportBlock, SenderReport

NTP_EPOCH_OFFSET = 2_208_988_800  # seconds from 1900 to 1970
MAX_DROPOUT = 3000
MAX_MISORDER = 100


def ntp_time(unix_s: float) -> int:
    """64-bit NTP time of a wall clock reading."""
    return round((unix_s + NTP_EPOCH_OFFSET) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def ntp_middle(ntp: int) -> int:
    """The middle 32 bits, as in LSR."""
    return ntp >> 16 & 0xFFFFFFFF


class ReceiveStatistics:
    """Feed every packet of one SSRC; take a report block each report interval."""

    def __init__(self, clock_rate: int) -> None:
        self.clock_rate = clock_rate
        self.ssrc: int | None = None
        self.packets_received = 0
        self.packets_recovered = 0
        self.octets_received = 0
        self._base = 0
        self._highest = 0
        self._cycles = 0
        self._bad_sequence: int | None = None
        self._jitter = 0.0
        self._transit: float | None = None
        self._last_timestamp: int | None = None
        self._expected_prior = 0
        self._received_prior = 0
        self._last_sr = 0
        self._last_sr_at: float | None = None

    @property
    def packets_expected(self) -> int:
        return 0 if self.ssrc is None else self._cycles + self._highest - self._base + 1

    @property
    def packets_lost(self) -> int:
        return self.packets_expected - self.packets_received - self.packets_recovered

    @property
    def jitter_ms(self) -> float:
        return 1000.0 * self._jitter / self.clock_rate

    def received(
        self, ssrc: int, sequence_number: int, timestamp: int, size: int, now: float
    ) -> None:
        """Count one packet that arrived at monotonic time `now`. A new SSRC starts afresh."""
        if ssrc != self.ssrc:
            self._restart(ssrc, sequence_number)
        elif not self._advance(sequence_number):
            return
        self.packets_received += 1
        self.octets_received += size
        self._measure_jitter(timestamp, now)

    def recovered(self) -> None:
        """A lost packet came on the RTX stream: a mended radio is no full line."""
        self.packets_recovered += 1

    def _restart(self, ssrc: int, sequence_number: int) -> None:
        self.ssrc = ssrc
        self.packets_recovered = 0
        self._base = self._highest = sequence_number
        self._cycles = 0
        self.packets_received = self._expected_prior = self._received_prior = 0
        self._transit = self._last_timestamp = self._bad_sequence = None
        self._jitter = 0.0
        self._last_sr, self._last_sr_at = 0, None

    def _advance(self, sequence_number: int) -> bool:
        """RFC 3550 A.1 update_seq, without probation. False: ignore a wild sequence number."""
        distance = sequence_distance(sequence_number, self._highest)
        if 0 < distance < MAX_DROPOUT:
            if sequence_number < self._highest:
                self._cycles += 1 << 16
            self._highest = sequence_number
        elif not -MAX_MISORDER <= distance <= 0:
            if sequence_number != self._bad_sequence:
                self._bad_sequence = (sequence_number + 1) & 0xFFFF
                return False
            self._restart(self.ssrc or 0, sequence_number)  # two in a row: the peer restarted
        return True

    def _measure_jitter(self, timestamp: int, now: float) -> None:
        if timestamp == self._last_timestamp:
            return  # packets of one video frame share a timestamp; only the first one counts
        self._last_timestamp = timestamp
        transit = now * self.clock_rate - timestamp
        if self._transit is not None:
            difference = transit - self._transit
            difference -= round(difference / 2**32) * 2**32
            if abs(difference) < 10 * self.clock_rate:
                self._jitter += (abs(difference) - self._jitter) / 16
        self._transit = transit

    def sender_report(self, report: SenderReport, now: float) -> None:
        """Remember the source's SR for LSR and DLSR."""
        self._last_sr = ntp_middle(report.ntp)
        self._last_sr_at = now

    def report_block(self, now: float) -> ReportBlock | None:
        """The block for our next RR or SR; None until a packet has come. Starts a new interval."""
        if self.ssrc is None:
            return None
        expected = self.packets_expected - self._expected_prior
        came = self.packets_received + self.packets_recovered
        received = came - self._received_prior
        self._expected_prior = self.packets_expected
        self._received_prior = came
        lost = expected - received
        fraction = 0 if expected <= 0 or lost <= 0 else min(255, (lost << 8) // expected)
        delay = 0 if self._last_sr_at is None else round((now - self._last_sr_at) * 65536)
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=fraction,
            packets_lost=max(-0x800000, min(0x7FFFFF, self.packets_lost)),
            highest_sequence=(self._cycles + self._highest) & 0xFFFFFFFF,
            jitter=int(self._jitter),
            last_sr=self._last_sr,
            delay_since_last_sr=delay & 0xFFFFFFFF,
        )


class SenderState:
    """What we sent as one SSRC, for sender reports, and what the receiver reports of it."""

    def __init__(self, ssrc: int, clock_rate: int) -> None:
        self.ssrc = ssrc
        self.clock_rate = clock_rate
        self.packet_count = 0
        self.octet_count = 0
        self.loss_fraction = 0.0
        self.remote_jitter_ms = 0.0
        self.round_trip_s: float | None = None
        self._timestamp = 0
        self._timestamp_at: float | None = None

    def sent(self, packets: int, payload_octets: int, timestamp: int, now: float) -> None:
        """Count packets that left at monotonic `now`; `timestamp` as on the wire."""
        self.packet_count += packets
        self.octet_count += payload_octets
        self._timestamp, self._timestamp_at = timestamp, now

    def sender_report(
        self, now: float, unix_s: float, reports: tuple[ReportBlock, ...] = ()
    ) -> SenderReport | None:
        """None until something was sent. `unix_s` is the wall clock at `now`."""
        if self._timestamp_at is None:
            return None
        elapsed = round((now - self._timestamp_at) * self.clock_rate)
        return SenderReport(
            ssrc=self.ssrc,
            ntp=ntp_time(unix_s),
            rtp_timestamp=(self._timestamp + elapsed) & 0xFFFFFFFF,
            packet_count=self.packet_count & 0xFFFFFFFF,
            octet_count=self.octet_count & 0xFFFFFFFF,
            reports=reports,
        )

    def reported(self, block: ReportBlock, unix_s: float) -> None:
        """Take a receiver's block about this SSRC: loss, jitter, round trip (RFC 3550 6.4.1)."""
        if block.ssrc != self.ssrc:
            return
        self.loss_fraction = block.fraction_lost / 256
        self.remote_jitter_ms = 1000.0 * block.jitter / self.clock_rate
        if block.last_sr:
            arrival = ntp_middle(ntp_time(unix_s))
            trip = (arrival - block.last_sr - block.delay_since_last_sr) & 0xFFFFFFFF
            if trip < 60 << 16:  # more is a clock that jumped
                self.round_trip_s = trip / 65536
