"""Video packets in any order to whole frames in order, with the list of what to ask again.

A frame is released on its marker bit, at once when nothing before it is missing. Missing packets
are asked for (NACK) once they cannot just have been overtaken, and again each round trip. A hole
that stays is given up after `give_up_s` (three tries' time, 0.25 to 0.43 s): it is jumped over
to the next packet that begins a frame, and a key frame is wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .packet import RtpPacket, sequence_distance

NACK_FIRST_PAUSE_S = 0.010  # a packet overtaken by its neighbour is no loss yet
NACK_MAX_FIRST_PAUSE_S = 0.060
NACK_REPEAT_S = 0.040
NACK_MAX_TRIES = 8
LONG_ROUND_TRIP_S = 0.1
MIN_GIVE_UP_S, MAX_GIVE_UP_S = 0.25, 0.43
OVERTAKING_FADES = 0.995  # per packet: how long a burst of reordering is remembered
FIRST_PACKET_PATIENCE_S = 0.03
MAX_FIRST_OVERTAKEN = 32
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
    next_try: float = 0.0
    asked_at: float | None = None


class VideoReorder:
    """Feed with `insert`, then take `frames(now)` and `nacks(now)`; pure, `now` in seconds.

    `starts_frame(payload)` is the codec's test (`payload.h264.starts_frame`); without it a frame's
    beginning is known by its timestamp alone.
    """

    def __init__(
        self,
        *,
        give_up_s: float | None = None,
        starts_frame: Callable[[bytes], bool] | None = None,
        is_nack_used: bool = True,
    ) -> None:
        self.round_trip_s = 0.05
        self._fixed_give_up_s = give_up_s
        self._overtaken_s = 0.0  # how late overtaken packets came of late
        self._starts_frame = starts_frame
        self._is_nack_used = is_nack_used
        self._held: dict[int, RtpPacket] = {}
        self._missing: dict[int, _Missing] = {}
        self._ssrc: int | None = None
        self._next = 0  # the sequence number of the next packet to release
        self._scanned = 0  # up to here the run from `_next` has no end of a frame and no hole
        self._highest = 0
        self._after_gap = False
        self._is_synced = False
        self._dropped: RtpPacket | None = None  # the last one dropped while looking for a start
        self._patient_until = 0.0
        self._wants_keyframe = False
        self.packets_given_up = 0
        self.packets_late = 0

    @property
    def give_up_s(self) -> float:
        """How long a hole is waited for."""
        if self._fixed_give_up_s is not None:
            return self._fixed_give_up_s
        wanted = 0.1 + 3.0 * self.round_trip_s
        return max(MIN_GIVE_UP_S, min(MAX_GIVE_UP_S, wanted))

    def take_keyframe_wish(self) -> bool:
        """True once after a hole was given up: ask the sender for a key frame."""
        wish, self._wants_keyframe = self._wants_keyframe, False
        return wish

    def next_deadline(self) -> float | None:
        """When `nacks` or `frames` has to be called again if no packet comes; None: not needed."""
        deadlines = [
            min(missing.since + self.give_up_s, missing.next_try)
            for missing in self._missing.values()
        ]
        if not self._is_synced and self._held:
            deadlines.append(self._patient_until)
        return min(deadlines, default=None)

    def insert(self, packet: RtpPacket, now: float) -> None:
        """Take one packet of the stream; duplicates and packets too late are dropped."""
        sequence = packet.sequence_number
        if packet.ssrc != self._ssrc:
            self._restart(packet, now)
        elif abs(sequence_distance(sequence, self._highest)) > MAX_HELD:
            self._restart(packet, now)
            self._after_gap = self._wants_keyframe = True
        behind = -sequence_distance(sequence, self._next)
        if behind > 0:
            if self._is_synced or now >= self._patient_until or behind > MAX_FIRST_OVERTAKEN:
                self.packets_late += 1
                return
            self._begin_earlier(sequence, now)
        self._overtaken_s *= OVERTAKING_FADES
        if (found := self._missing.pop(sequence, None)) is not None:
            self._learn_overtaking(found, now)
        self._held[sequence] = packet
        ahead = sequence_distance(sequence, self._highest)
        if ahead > 1:
            pause = min(NACK_MAX_FIRST_PAUSE_S, max(NACK_FIRST_PAUSE_S, 1.2 * self._overtaken_s))
            for step in range(1, ahead):
                lost = (self._highest + step) & 0xFFFF
                self._missing[lost] = _Missing(since=now, next_try=now + pause)
        if ahead > 0:
            self._highest = sequence

    def lacks(self, sequence: int) -> bool:
        """Whether this packet would close a hole."""
        return sequence in self._missing

    def _learn_overtaking(self, found: _Missing, now: float) -> None:
        """A packet that comes unasked, or sooner than an answer could, was only overtaken."""
        late = now - found.since
        if found.asked_at is None or now - found.asked_at < 0.7 * self.round_trip_s:
            self._overtaken_s = max(self._overtaken_s, late)

    def _restart(self, packet: RtpPacket, now: float) -> None:
        self._after_gap = self._ssrc is not None
        self._ssrc = packet.ssrc
        self._held.clear()
        self._missing.clear()
        self._next = self._scanned = self._highest = packet.sequence_number
        self._is_synced = self._starts_frame is None
        self._dropped = None
        self._patient_until = now + FIRST_PACKET_PATIENCE_S

    def _begin_earlier(self, sequence: int, now: float) -> None:
        """A packet from before the first one that came: it was overtaken at the very start."""
        step = (sequence + 1) & 0xFFFF
        while step != self._next:
            self._missing[step] = _Missing(since=now, next_try=now + NACK_FIRST_PAUSE_S)
            step = (step + 1) & 0xFFFF
        self._next = self._scanned = sequence

    def nacks(self, now: float) -> list[int]:
        """Sequence numbers to ask for now; each is asked again after a round trip."""
        if not self._is_nack_used:
            return []
        wanted = []
        for sequence, missing in self._missing.items():
            if now >= missing.next_try and missing.tries < NACK_MAX_TRIES:
                missing.asked_at = missing.asked_at or now
                missing.tries += 1
                missing.next_try = now + self._repeat_after()
                wanted.append(sequence)
            elif missing.tries >= NACK_MAX_TRIES:
                missing.next_try = missing.since + self.give_up_s
        return wanted

    def _repeat_after(self) -> float:
        """A round trip; on long ways half of one: senders answer one in each round trip, and
        what is lost of the asking must not cost another."""
        share = 1.1 if self.round_trip_s < LONG_ROUND_TRIP_S else 0.5
        return max(NACK_REPEAT_S, share * self.round_trip_s)

    def frames(self, now: float) -> list[ReceivedFrame]:
        """Frames that are whole now, in order."""
        self._give_up(now)
        released = []
        self._sync(now)
        while self._is_synced and (frame := self._next_frame()) is not None:
            released.append(frame)
        return released

    def _next_frame(self) -> ReceivedFrame | None:
        """The contiguous run from `_next` up to a marker or a change of timestamp."""
        first = self._held.get(self._next)
        if first is None:
            return None
        sequence = self._scanned
        while (packet := self._held.get(sequence)) is not None:
            if packet.timestamp != first.timestamp:
                break  # the sender sets no marker bits
            sequence = (sequence + 1) & 0xFFFF
            if packet.marker:
                break
        else:
            self._scanned = sequence  # a large frame is not looked through at each packet
            return None
        count = (sequence - self._next) & 0xFFFF
        packets = [self._held.pop((self._next + step) & 0xFFFF) for step in range(count)]
        self._next = self._scanned = sequence
        if not any(packet.payload for packet in packets):
            return self._next_frame()  # padding only (bandwidth probes)
        frame = ReceivedFrame(first.timestamp, tuple(packets), self._after_gap)
        self._after_gap = False
        return frame

    def _give_up(self, now: float) -> None:
        """Jump over holes older than `give_up_s`, or when far too much is missing or held."""
        if not self._missing and len(self._held) <= MAX_HELD:
            return
        deadline = now - self.give_up_s
        overflow = len(self._missing) > MAX_MISSING or len(self._held) > MAX_HELD
        stale = [s for s, missing in self._missing.items() if missing.since <= deadline or overflow]
        if not stale and not overflow:
            return
        for sequence in stale:
            del self._missing[sequence]
        self.packets_given_up += len(stale)
        # an overflow without holes is a frame without end: nobody sends two megabytes a picture
        last = max(stale, key=lambda s: sequence_distance(s, self._next), default=self._highest)
        self._jump_to((last + 1) & 0xFFFF)
        self._after_gap = self._wants_keyframe = True

    def _jump_to(self, sequence: int) -> None:
        """Drop all before `sequence`; what follows is dropped too until a frame begins."""
        while self._next != sequence:
            self._held.pop(self._next, None)
            self._missing.pop(self._next, None)
            self._next = (self._next + 1) & 0xFFFF
        self._scanned = self._next
        self._is_synced = False
        self._dropped = None

    def _sync(self, now: float) -> None:
        """Drop packets at `_next` until one begins a frame. Half a frame is never released."""
        while not self._is_synced:
            packet = self._held.get(self._next)
            if packet is None:
                return
            if self._begins(packet):
                self._is_synced = True
                return
            if now < self._patient_until:
                return  # the stream's first packet may have been overtaken
            self._dropped = self._held.pop(self._next)
            self._next = self._scanned = (self._next + 1) & 0xFFFF
            self._after_gap = self._wants_keyframe = True

    def _begins(self, packet: RtpPacket) -> bool:
        if self._dropped is not None and self._dropped.marker:
            return True
        if self._starts_frame is not None:
            return self._starts_frame(packet.payload)
        return self._dropped is not None and self._dropped.timestamp != packet.timestamp
