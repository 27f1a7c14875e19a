"""Transport-wide numbers of what is sent over one transport, and when each packet left.

All streams of a leg share one `Departures`. The datapath, C or Python, gives out the numbers,
writes them into each packet's header extension and notes the departure, for feedback to come.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import LocalMediaError

KEPT = 2048  # packets: six seconds of 3 Mbit/s
NUMBER_AT = 5  # behind the extension's head and the element's own


@dataclass(frozen=True, slots=True)
class Passage:
    """One numbered packet: when it left, and when it arrived by the receiver's clock, if it did."""

    sent_s: float
    octets: int
    arrived_s: float | None


class Departed(ctypes.Structure):
    """`struct departed` of c/fanout.c."""

    number: int
    at_us: int
    octets: int

    _fields_ = (
        ("number", ctypes.c_uint32),
        ("octets", ctypes.c_uint32),
        ("at_us", ctypes.c_uint64),
    )


class Log(ctypes.Structure):
    """`struct departures` of c/fanout.c."""

    next: int
    departed: ctypes.Array[Departed]

    _fields_ = (("next", ctypes.c_uint64), ("departed", Departed * KEPT))


class Departures:
    """Raises LocalMediaError for an `extension_id` that the one-byte form has not."""

    def __init__(self, extension_id: int) -> None:
        if not 1 <= extension_id <= 14:
            raise LocalMediaError("rtp_extension_misbuilt", id=extension_id)
        self.log = Log()  # numbers begin at 1: 0 marks an empty place
        self.log.next = 1
        self.extension = bytes((0xBE, 0xDE, 0, 1, extension_id << 4 | 1, 0, 0, 0))

    def take(self, count: int) -> int:
        """The first of `count` numbers that follow each other."""
        first = self.log.next
        self.log.next += count
        return first & 0xFFFFFFFF

    def left(self, number: int, octets: int) -> None:
        """A packet left; the first time counts."""
        place = self.log.departed[number % KEPT]
        if place.number != number:
            place.number, place.octets = number, octets
            place.at_us = time.monotonic_ns() // 1000

    def passages(self, arrivals: Iterable[tuple[int, int | None]]) -> list[Passage]:
        """What feedback (16-bit numbers, us) says of packets that are remembered still."""
        found = []
        newest = self.log.next - 1
        departed = self.log.departed
        for number16, at_us in arrivals:
            number = newest - ((newest - number16) & 0xFFFF)
            place = departed[number % KEPT]
            if place.number == number & 0xFFFFFFFF and number > 0:
                arrived_s = None if at_us is None else at_us / 1e6
                found.append(Passage(place.at_us / 1e6, place.octets, arrived_s))
        return found
