"""Timestamps of many streams on one clock: ticks of 90 kHz since the recording's zero."""

from __future__ import annotations

TICKS_PER_S = 90_000
MOST_APART = TICKS_PER_S // 2  # timestamps and arrival; further apart, arrival decides anew


class MediaTime:
    """One stream's times: as steady as its timestamps while these agree with the wall clock."""

    def __init__(self, zero_us: int) -> None:
        self._zero_us = zero_us
        self._anchor: tuple[int, int] | None = None  # timestamp, ticks
        self._last = -90

    def at(self, timestamp: int, wall_us: int) -> int:
        """Ticks since zero; grows with every call."""
        arrived = max(0, (wall_us - self._zero_us) * 9 // 100)
        if self._anchor is None:
            self._anchor = (timestamp, arrived)
        ticks = self._anchor[1] + _signed(timestamp - self._anchor[0])
        if abs(ticks - arrived) > MOST_APART:
            self._anchor = (timestamp, arrived)
            ticks = arrived
        else:
            self._anchor = (timestamp, ticks)  # so that wrapping is never far
        self._last = max(ticks, self._last + 90)
        return self._last


def _signed(difference: int) -> int:
    return (difference + 0x80000000 & 0xFFFFFFFF) - 0x80000000
