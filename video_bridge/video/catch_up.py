"""A newcomer's way to the live picture: the newest key frame, then what followed, faster than live.

A key frame for each who joins would cost all others theirs, and key frames keep a pause. So a rung
remembers its newest key frame and the pictures since; a newcomer is sent them again, the key frame
at once and the rest at his line's rate. The stamps of what is over lie a millisecond apart, so that
a player runs through it and stands at the live picture with no delay kept. Pure, `now` in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..allocation.rungs import LINE_OVERHEAD

LEADS_FOR_S = 1.0  # after a key frame; what is older would be more to send than a new one
CAUGHT_UP_WITHIN_S = 1.0
MAX_FRAMES = 64
STAMP_STEP = 90  # a millisecond of the 90 kHz clock


@dataclass(frozen=True, slots=True)
class Sent:
    """One picture as the fan-out keeps it for those who ask again."""

    batch: int
    octets: int


class History:
    """A rung's newest key frame and what followed it."""

    def __init__(self) -> None:
        self.frames: list[Sent] = []
        self._key_at = 0.0

    def add(self, batch: int, octets: int, now: float, *, is_key: bool) -> None:
        """A picture was sent. A key frame begins a new list, one grown too long is given up."""
        if is_key:
            self.frames, self._key_at = [], now
        elif not self.frames:
            return
        elif len(self.frames) >= MAX_FRAMES:
            self.frames = []
            return
        self.frames.append(Sent(batch, octets))

    def leads(self, line_bps: float, now: float) -> bool:
        """Whether a line of this rate reaches the live picture from here soon enough."""
        age = now - self._key_at
        if not self.frames or age > LEADS_FOR_S:
            return False
        missed_bits = 8 * LINE_OVERHEAD * sum(frame.octets for frame in self.frames[1:])
        live_bps = missed_bits / age if age > 0 else 0.0
        return missed_bits <= (line_bps - live_bps) * CAUGHT_UP_WITHIN_S


class CatchUp:
    """One newcomer. `due` once for each picture of the rung, until `is_done` or `is_lost`."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._frames = history.frames
        self._next = 0
        self._credit = 0.0

    @property
    def is_done(self) -> bool:
        """The live picture is reached: he goes on with the others."""
        return self._next == len(self._frames)

    @property
    def is_lost(self) -> bool:
        """His line was slower than believed: what he was led through is forgotten meanwhile."""
        return self._frames is not self._history.frames

    @property
    def stamps_back(self) -> int:
        """How far before the live picture's the next stamp lies."""
        return (len(self._frames) - 1 - self._next) * STAMP_STEP

    def due(self, octets: float, timestamp: int) -> list[tuple[int, int]]:
        """What to send with the live picture of `timestamp`: batches, each with its stamp.

        `octets` is what the line takes from one picture to the next; the key frame leaves whole.
        """
        found: list[tuple[int, int]] = []
        self._credit += octets
        while self._next < len(self._frames):
            frame = self._frames[self._next]
            if self._next:
                self._credit -= frame.octets * LINE_OVERHEAD
                if self._credit < 0 and found:
                    self._credit += frame.octets * LINE_OVERHEAD
                    break
            behind = len(self._frames) - 1 - self._next
            found.append((frame.batch, (timestamp - behind * STAMP_STEP) & 0xFFFFFFFF))
            self._next += 1
        return found
