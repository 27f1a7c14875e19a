"""Statistics of streams that the datapath counts, so that no packet is counted in Python."""

from __future__ import annotations

from ..datapath import Counters, Mode, Peer
from ..rtp.rtcp import ReportBlock
from ..rtp.source import ReceiveStatistics


class Tally:
    """One flow of a peer: what it counted since last asked, and what it keeps back."""

    def __init__(self, peer: Peer, index: int, rtx_index: int | None = None) -> None:
        self._peer, self._index, self._rtx_index = peer, index, rtx_index
        self._mode: Mode | None = None
        self.counters: Counters = peer.counters(index)
        self._bytes, self._frames = self.counters.bytes, self.counters.frames

    def set_mode(self, mode: Mode) -> None:
        if mode is not self._mode:
            self._mode = mode
            self._peer.set_mode(self._index, mode)
            if self._rtx_index is not None:
                self._peer.set_mode(self._rtx_index, mode)

    def take(self) -> tuple[int, int]:
        """Bytes and frames since the last call."""
        counters = self.counters
        found = counters.bytes - self._bytes, counters.frames - self._frames
        self._bytes, self._frames = counters.bytes, counters.frames
        return found


class CountedStatistics(ReceiveStatistics):
    """`refresh` takes over what was counted; packets need not be shown to it."""

    def __init__(self, clock_rate: int, counters: Counters) -> None:
        super().__init__(clock_rate)
        self._counters = counters
        self._starts = 0

    def received(
        self, ssrc: int, sequence_number: int, timestamp: int, size: int, now: float
    ) -> None:
        del sequence_number, timestamp, size, now
        if ssrc != self.ssrc:
            self.refresh()

    def refresh(self) -> None:
        """Called at least before each report."""
        counters = self._counters
        if counters.starts == 0:
            return
        if counters.starts != self._starts:
            self._starts = counters.starts
            self._restart(counters.ssrc, counters.base)
        self._highest, self._cycles = counters.highest, counters.cycles
        self.packets_received, self.octets_received = counters.received, counters.octets
        self._jitter = counters.jitter

    def report_block(self, now: float) -> ReportBlock | None:
        self.refresh()
        return super().report_block(now)
