"""Audio playout: packets as the network brings them to one slot per tick, never stalling.

The delay follows the network between `MIN_DELAY_S` and `MAX_DELAY_S`. Slots whose packet does not
come are given as `Conceal` and playout goes on: a loss never holds it up. `VideoReorder` of
`rtp.reorder` is the counterpart for pictures.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from .packet import RtpPacket, timestamp_distance
from .reorder import ReceivedFrame, VideoReorder

__all__ = ["AudioJitterBuffer", "Conceal", "Nothing", "Payload", "ReceivedFrame", "VideoReorder"]

TICK_S = 0.020
MIN_DELAY_S = 0.020
MAX_DELAY_S = 0.120
MAX_CONCEAL_S = 0.060  # after this the talker is taken as silent (RFC 3389-less DTX, or gone)
WINDOW_S = 4.0
LATE_SHARE = 0.02  # of packets may miss their slot
SLACK_S = 0.020  # hysteresis around the target
ADJUST_EVERY_S = 0.200
LEAP_S = 0.300  # so much too late is not said any more
MAX_HELD = 100
MAX_MEASURED = 1000
HINTED_PACKETS = 50  # measured ones; fewer do not show yet what a line is like


@dataclass(frozen=True, slots=True)
class Payload:
    """Decode this. `is_after_gap`: slots before it were concealed or silent.

    `level_dbov` is what the sender said of its loudness (RFC 6464), `units` its length. `skipped`
    is the payload before it, left out to shorten the delay: fade from that one into this.
    """

    data: bytes
    is_after_gap: bool
    units: int = 0
    level_dbov: int | None = None
    skipped: bytes | None = None


@dataclass(frozen=True, slots=True)
class Conceal:
    """The slot's packet is missing. `next_payload` is the one after it if it is here (Opus FEC)."""

    next_payload: bytes | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing is due: not started, or the talker is silent."""


Slot = Payload | Conceal | Nothing
_Held = tuple[bytes, int, int | None]  # payload, its length in clock units, level


class AudioJitterBuffer:
    """`insert` packets; `pop(now)` whenever the decoder has less than one tick of sound left.

    `duration(payload)` gives RTP clock units (`payload.opus.duration`, ...). A payload longer than
    a tick is handed out whole: pop again only when its sound is used up, and say as `queued_s` how
    much sound is left. `now` in seconds.
    """

    def __init__(self, clock_rate: int, duration: Callable[[bytes], int]) -> None:
        self._rate = clock_rate
        self._duration = duration
        self._held: dict[int, _Held] = {}  # by unwrapped timestamp
        self._ssrc: int | None = None
        self._reference = 0  # wire timestamp and unwrapped value of the newest packet
        self._newest = 0
        self._is_playing = False
        self._play = 0  # unwrapped timestamp of the next slot
        self._typical = clock_rate // 50
        self._transits: deque[tuple[float, float]] = deque()  # (arrival, arrival - timestamp in s)
        self._ordered: list[float] = []  # the same transits, sorted
        self._target_s = MIN_DELAY_S
        self._hint_s = 0.0
        self._adjusted_at = 0.0
        self._concealed_s = 0.0
        self._is_gap = False
        self._skipped: bytes | None = None
        self.packets_late = 0
        self.slots_played = 0
        self.slots_concealed = 0
        self.slots_empty = 0  # the talker is silent, or a hole was too long to be concealed

    @property
    def target_delay_s(self) -> float:
        return self._target_s

    def expect_jitter(self, jitter_s: float) -> None:
        """What the line is like (RFC 3550), where packets were not shown to us: for the beginning.

        Three times the mean deviation covers what nearly all packets of a line stay within.
        """
        self._hint_s = 3 * jitter_s

    @property
    def is_idle(self) -> bool:
        """Nothing is held, and nothing is expected."""
        return not self._held and not self._is_playing

    @property
    def held_packets(self) -> int:
        return len(self._held)

    def insert(self, packet: RtpPacket, now: float, level_dbov: int | None = None) -> None:
        """Take one packet. Raises RemoteMediaError when its payload has no sound length."""
        units = self._duration(packet.payload)
        if packet.ssrc != self._ssrc:
            self._restart(packet)
        unwrapped = self._newest + timestamp_distance(packet.timestamp, self._reference)
        if abs(unwrapped - self._newest) > 10 * self._rate:  # the sender's clock jumped
            self._restart(packet)
            unwrapped = 0
        if unwrapped > self._newest:
            self._newest, self._reference = unwrapped, packet.timestamp
        self._typical = units
        self._measure(unwrapped, now)
        if self._is_playing and unwrapped < self._play:
            self.packets_late += 1
            return
        self._held[unwrapped] = (packet.payload, units, level_dbov)
        if len(self._held) > MAX_HELD:
            self._skip_to(sorted(self._held)[MAX_HELD // 2])

    def _restart(self, packet: RtpPacket) -> None:
        self._ssrc = packet.ssrc
        self._reference, self._newest = packet.timestamp, 0
        self._held.clear()
        self._transits.clear()
        self._ordered.clear()
        self._is_playing = False
        self._concealed_s = 0.0

    def _measure(self, unwrapped: int, now: float) -> None:
        """Aim so that all but LATE_SHARE of the last WINDOW_S would have come in time."""
        transit = now - unwrapped / self._rate
        self._transits.append((now, transit))
        ordered = self._ordered
        insort(ordered, transit)
        while self._transits[0][0] < now - WINDOW_S or len(ordered) > MAX_MEASURED:
            del ordered[bisect_left(ordered, self._transits.popleft()[1])]
        spread = ordered[int((len(ordered) - 1) * (1 - LATE_SHARE))] - ordered[0]
        ahead = 0.0 if self._typical * 50 % self._rate == 0 else TICK_S  # fetched before its tick
        if len(ordered) < HINTED_PACKETS:
            spread = max(spread, self._hint_s)
        self._target_s = max(MIN_DELAY_S, min(MAX_DELAY_S, spread + TICK_S + ahead))

    def pop(self, now: float, queued_s: float = 0.0) -> Slot:
        """What to play after the `queued_s` of sound that the caller still holds."""
        if not self._is_playing and not self._start(now):
            self.slots_empty += self.slots_played > 0
            return Nothing()
        self._follow_target(now + queued_s)
        entry = self._held.pop(self._play, None)
        if entry is None:
            entry = self._overlapping()
        if entry is not None:
            return self._give(*entry)
        return self._fill_hole(now)

    def _start(self, now: float) -> bool:
        """Begin with the oldest packet held once it has waited for the target delay."""
        if not self._held:
            return False
        first = min(self._held)
        if self._delay(first, now) < self._target_s - TICK_S / 2:
            return False
        self._play = first
        self._is_playing = True
        self._adjusted_at = now
        return True

    def _delay(self, unwrapped: int, now: float) -> float:
        """How long after its fastest possible arrival a timestamp would be played now."""
        fastest = self._ordered[0] if self._ordered else now
        return now - unwrapped / self._rate - fastest

    def _give(self, payload: bytes, units: int, level_dbov: int | None) -> Payload:
        self._play += units
        self._concealed_s = 0.0
        self.slots_played += 1
        gap, self._is_gap = self._is_gap, False
        skipped, self._skipped = self._skipped, None
        return Payload(payload, gap, units, level_dbov, skipped)

    def _overlapping(self) -> _Held | None:
        """A packet whose timestamp is not on our grid: begins inside the slot that is due."""
        due = [t for t in self._held if t < self._play + self._typical]
        if not due:
            return None
        first = min(due)
        self._play = first
        return self._held.pop(first)

    def _fill_hole(self, now: float) -> Slot:
        self._skipped = None
        if self._concealed_s >= MAX_CONCEAL_S - 0.001:
            if self._held:
                following = min(self._held)
                if self._delay(following, now) >= self._target_s - TICK_S / 2:
                    self._skip_to(following)
                    return self._give(*self._held.pop(following))
            else:
                self._is_playing = False  # silence: start again with a fresh delay
            self._is_gap = True
            self.slots_empty += 1
            return Nothing()
        if self._held or self._delay(self._play, now) >= self._target_s:
            self._play += self._typical
        # else: the network is late, not lossy; wait one slot so that the packet still counts
        self._concealed_s += self._typical / self._rate
        self._is_gap = True
        self.slots_concealed += 1
        following_entry = self._held.get(self._play)
        return Conceal(following_entry[0] if following_entry else None)

    def _follow_target(self, now: float) -> None:
        """One slot fewer or more, not oftener than ADJUST_EVERY_S; what we slept through, at once.

        A second of it would else be heard late for ten.
        """
        if now - self._adjusted_at < ADJUST_EVERY_S:
            return
        surplus = self._delay(self._play, now) - self._target_s
        if surplus > LEAP_S and self._held:
            missed = int(surplus * self._rate / self._typical) * self._typical
            self._skip_to(min(self._play + missed, max(self._held)))
            self._adjusted_at = now
        elif surplus > SLACK_S + self._typical / self._rate and self._held:
            if (left_out := self._held.pop(self._play, None)) is not None:
                self._skipped = left_out[0]
            self._play += self._typical
            self._adjusted_at = now
        elif surplus < -SLACK_S and self._play in self._held:
            self._play -= self._typical  # this slot is concealed, all later ones have more time
            self._adjusted_at = now

    def _skip_to(self, unwrapped: int) -> None:
        self._play = unwrapped
        for timestamp in [t for t in self._held if t < unwrapped]:
            del self._held[timestamp]
