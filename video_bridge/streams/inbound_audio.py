"""A leg's sound and key presses: packets wait for the audio thread, which decodes them in time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..audio.receiver import AudioReceiver
from ..datapath import Mode
from ..errors import RemoteMediaError
from ..payload import dtmf
from ..rtp.header_ext import audio_level
from ..rtp.packet import RtpPacket
from ..rtp.source import ReceiveStatistics
from .counted import CountedStatistics, Tally
from .plan import MediaPlan
from .rates import Rate

MAX_WAITING = 200


class InboundAudio:
    """`receive` on the event loop, `tick` every 20 ms in the audio thread."""

    def __init__(self, plan: MediaPlan, on_digit: Callable[[str], None]) -> None:
        self.plan = plan
        self.statistics: ReceiveStatistics = ReceiveStatistics(plan.clock_rate)
        self._tally: Tally | None = None
        self.rate = Rate()
        self.last_packet_at: float | None = None
        self._on_digit = on_digit
        self._digits = dtmf.Depacketiser()
        self._receiver = AudioReceiver(plan.codec)
        self._waiting: deque[tuple[RtpPacket, float]] = deque(maxlen=MAX_WAITING)

    def receive(self, packet: RtpPacket, size: int, now: float) -> None:
        """Raises RemoteMediaError for a malformed key press."""
        self.last_packet_at = now
        self.statistics.received(
            packet.ssrc, packet.sequence_number, packet.timestamp, len(packet.payload), now
        )
        if self._tally is None:
            self.rate.add(size, now)
        if packet.payload_type == self.plan.telephone_event_type:
            digit = self._digits.push(packet.payload, packet.timestamp)
            if digit is not None:
                self._on_digit(digit)
            return
        if packet.payload:
            if self._tally is not None and self._receiver.is_idle:
                jitter_s = self._tally.counters.jitter / self.plan.clock_rate
                self._receiver.buffer.expect_jitter(jitter_s)
            self._waiting.append((packet, now))

    @property
    def is_counted(self) -> bool:
        """Whether the datapath counts it."""
        return self._tally is not None

    @property
    def counted_at(self) -> float:
        """When the datapath counted the newest packet; 0 when it counted none."""
        return 0.0 if self._tally is None else self._tally.counters.last_at

    def count_by(self, tally: Tally) -> None:
        """The datapath counts from now on, and keeps silence back."""
        self._tally = tally
        self.statistics = CountedStatistics(self.plan.clock_rate, tally.counters)
        tally.set_mode(Mode.GATE)

    def poll(self, now: float) -> None:
        """Take over what was counted since the last time."""
        if self._tally is None:
            return
        size, _ = self._tally.take()
        if size:
            self.rate.add(size, now)
            self.last_packet_at = self._tally.counters.last_at
            if isinstance(self.statistics, CountedStatistics):
                self.statistics.refresh()

    def tick(self, now: float) -> NDArray[np.int16] | None:
        """The next 960 samples at 48 kHz; None while there is nothing to hear."""
        if not self._waiting and self._receiver.is_idle:
            return None
        while self._waiting:
            packet, arrived = self._waiting.popleft()
            try:
                self._receiver.receive(packet, arrived, self._level(packet))
            except RemoteMediaError:
                continue  # counted by its statistics; concealed like a lost one
        return self._receiver.tick(now)

    @property
    def slots(self) -> tuple[int, int, int]:
        """Played, concealed and empty so far, of 20 ms each."""
        buffer = self._receiver.buffer
        return buffer.slots_played, buffer.slots_concealed, buffer.slots_empty

    def _level(self, packet: RtpPacket) -> int | None:
        """What the sender says how loud it is (RFC 6464). Raises RemoteMediaError."""
        if self.plan.audio_level_id is None:
            return None
        level = audio_level(packet, self.plan.audio_level_id)
        return level.level_dbov if level is not None else None
