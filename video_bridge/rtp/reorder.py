"""Video packets in any order to whole frames in order, with the list of what to ask again.

A frame is released on its marker bit, at once when nothing before it is missing. Missing packets
are asked again (NACK) with a growing pause; after `give_up_s` the hole is jumped over to the next
packet that begins a frame, and a key frame is wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .packet import RtpPacket, sequence_distance

NACK_FIRST_PAUSE_S = 0.010  # a packet overtaken by its neighbour is no loss yet
NACK_REPEAT_S = 0.050
NACK_MAX_TRIES = 6
MAX_HELD = 2048
MAX_MISSING = 512


@dataclass(frozen=True, slots=True)
class ReceivedFrame:
    """One frame's packets in order. `is_after_gap`: packets before it were given up."""

    timestamp: int
    packets: tuple[RtpPacket, ...]
    is_after_gap: bool

    @property
    def payloads(self) -> list[bytes]:
        return [packet.payload for packet in self.packets]


@dataclass(slots=True)
class _Missing:
    since: float
    tries: int = 0
    next_try: float = field(default=0.0)


class VideoReorder:
    """Feed with `insert`, then take `frames(now)` and `nacks(now)`; pure, `now` in seconds.

    `starts_frame(payload)` is the codec's test (`payload.h264.starts_frame`); without it a frame's
    beginning is known by its timestamp alone.
    """

    def __init__(
        self,
        *,
        give_up_s: float = 0.25,
        starts_frame: Callable[[bytes], bool] | None = None,
        is_nack_used: bool = True,
    ) -> None:
        self.give_up_s = give_up_s
        self.round_trip_s = 0.05
        self._starts_frame = starts_frame
        self._is_nack_used = is_nack_used
        self._held: dict[int, RtpPacket] = {}
        self._missing: dict[int, _Missing] = {}
        self._ssrc: int | None = None
        self._next = 0  # the sequence number of the next packet to release
        self._highest = 0
        self._after_gap = False
        self._wants_keyframe = False
        self.packets_given_up = 0
        self.packets_late = 0

    def take_keyframe_wish(self) -> bool:
        """True once after a hole was given up: ask the sender for a key frame."""
        wish, self._wants_keyframe = self._wants_keyframe, False
        return wish

    def next_deadline(self) -> float | None:
        """When `nacks` or `frames` has to be called again if no packet comes; None: not needed."""
        if not self._missing:
            return None
        return min(
            min(missing.since + self.give_up_s, missing.next_try)
            for missing in self._missing.values()
        )

    def insert(self, packet: RtpPacket, now: float) -> None:
        """Take one packet of the stream; duplicates and packets too late are dropped."""
        sequence = packet.sequence_number
        if packet.ssrc != self._ssrc:
            self._restart(packet)
        elif abs(sequence_distance(sequence, self._highest)) > MAX_HELD:
            self._restart(packet)
            self._after_gap = self._wants_keyframe = True
        if sequence_distance(sequence, self._next) < 0:
            self.packets_late += 1
            return
        self._missing.pop(sequence, None)
        self._held[sequence] = packet
        ahead = sequence_distance(sequence, self._highest)
        for step in range(1, ahead):
            lost = (self._highest + step) & 0xFFFF
            self._missing[lost] = _Missing(since=now, next_try=now + NACK_FIRST_PAUSE_S)
        if ahead > 0:
            self._highest = sequence

    def _restart(self, packet: RtpPacket) -> None:
        self._after_gap = self._ssrc is not None
        self._ssrc = packet.ssrc
        self._held.clear()
        self._missing.clear()
        self._next = self._highest = packet.sequence_number

    def nacks(self, now: float) -> list[int]:
        """Sequence numbers to ask for now; each is asked again after a growing pause."""
        if not self._is_nack_used:
            return []
        wanted = []
        for sequence, missing in self._missing.items():
            if now >= missing.next_try and missing.tries < NACK_MAX_TRIES:
                pause = max(NACK_REPEAT_S, self.round_trip_s * 1.2) * (1 << missing.tries // 2)
                missing.tries += 1
                missing.next_try = now + pause
                wanted.append(sequence)
            elif missing.tries >= NACK_MAX_TRIES:
                missing.next_try = missing.since + self.give_up_s
        return wanted

    def frames(self, now: float) -> list[ReceivedFrame]:
        """Frames that are whole now, in order."""
        self._give_up(now)
        released = []
        while (frame := self._next_frame()) is not None:
            released.append(frame)
        return released

    def _next_frame(self) -> ReceivedFrame | None:
        """The contiguous run from `_next` up to a marker or a change of timestamp."""
        first = self._held.get(self._next)
        if first is None:
            return None
        packets = []
        sequence = self._next
        while (packet := self._held.get(sequence)) is not None:
            if packet.timestamp != first.timestamp:
                break  # the sender sets no marker bits
            packets.append(packet)
            sequence = (sequence + 1) & 0xFFFF
            if packet.marker:
                break
        else:
            return None
        for packet in packets:
            del self._held[packet.sequence_number]
        self._next = sequence
        if not any(packet.payload for packet in packets):
            return self._next_frame()  # padding only (bandwidth probes)
        frame = ReceivedFrame(first.timestamp, tuple(packets), self._after_gap)
        self._after_gap = False
        return frame

    def _give_up(self, now: float) -> None:
        """Jump over holes older than `give_up_s`, or when far too much is missing or held."""
        deadline = now - self.give_up_s
        overflow = len(self._missing) > MAX_MISSING or len(self._held) > MAX_HELD
        stale = [s for s, missing in self._missing.items() if missing.since <= deadline or overflow]
        if not stale:
            return
        for sequence in stale:
            del self._missing[sequence]
        self.packets_given_up += len(stale)
        last = max(stale, key=lambda s: sequence_distance(s, self._next))
        self._jump_to((last + 1) & 0xFFFF)
        self._after_gap = self._wants_keyframe = True

    def _jump_to(self, sequence: int) -> None:
        """Drop all up to the first packet at or after `sequence` that begins a frame."""
        after_marker = False
        while sequence_distance(self._highest, sequence) >= 0:
            packet = self._held.get(sequence)
            if packet is None:
                break  # a younger hole: what follows it is judged when it is filled or given up
            if self._begins(packet, after_marker):
                break
            after_marker = packet.marker
            sequence = (sequence + 1) & 0xFFFF
        while self._next != sequence:
            self._held.pop(self._next, None)
            self._missing.pop(self._next, None)
            self._next = (self._next + 1) & 0xFFFF

    def _begins(self, packet: RtpPacket, after_marker: bool) -> bool:
        if after_marker:
            return True
        if self._starts_frame is not None:
            return self._starts_frame(packet.payload)
        previous = self._held.get((packet.sequence_number - 1) & 0xFFFF)
        return previous is not None and previous.timestamp != packet.timestamp
