"""Transport-wide feedback: which numbered packets came, and when.

draft-holmer-rmcat-transport-wide-cc-extensions-01: a sender numbers all packets of a transport in a
header extension; the receiver tells the time of arrival of each, several times a second.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import LocalMediaError, RemoteMediaError

TRANSPORT_CC_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
TICK_US = 250
REFERENCE_US = 64_000
_ABSENT, _SMALL, _LARGE = 0, 1, 2
_HEAD = struct.Struct("!IIHHI")


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """Packets `base` and following: None for those that have not come, else the ticks of 250 us

    since the one before that came; the first one's count from `reference` (64 ms each, modulo
    2 ** 24). `count` numbers the feedback packets.
    """

    ssrc: int
    media_ssrc: int
    base: int
    reference: int
    count: int
    deltas: tuple[int | None, ...]

    def arrivals(self) -> Iterator[tuple[int, int | None]]:
        """Each number with its time of arrival in us on the receiver's clock, or None."""
        at = self.reference * REFERENCE_US
        for index, delta in enumerate(self.deltas):
            if delta is not None:
                at += delta * TICK_US
            yield (self.base + index) & 0xFFFF, None if delta is None else at


# --- bytes -----------------------------------------------------------------------------------


def parse_feedback(body: bytes) -> TransportFeedback:
    """What follows the RTCP header. Raises RemoteMediaError `rtcp_malformed`."""
    if len(body) < _HEAD.size:
        raise RemoteMediaError("rtcp_malformed", why="feedback truncated")
    ssrc, media_ssrc, base, expected, word = _HEAD.unpack_from(body)
    symbols, position = _parse_chunks(body, expected)
    deltas: list[int | None] = []
    for symbol in symbols:
        size = symbol
        if position + size > len(body):
            raise RemoteMediaError("rtcp_malformed", why="feedback without its times")
        if symbol == _ABSENT:
            deltas.append(None)
        else:
            raw = body[position : position + size]
            deltas.append(int.from_bytes(raw, signed=symbol == _LARGE))
            position += size
    return TransportFeedback(ssrc, media_ssrc, base, word >> 8, word & 0xFF, tuple(deltas))


def _parse_chunks(body: bytes, expected: int) -> tuple[list[int], int]:
    """The symbols of `expected` packets and where the times begin (sections 3.1.1 to 3.1.4)."""
    symbols: list[int] = []
    position = _HEAD.size
    while len(symbols) < expected:
        if position + 2 > len(body):
            raise RemoteMediaError("rtcp_malformed", why="feedback without its chunks")
        (chunk,) = struct.unpack_from("!H", body, position)
        position += 2
        if not chunk & 0x8000:
            symbols += [chunk >> 13] * (chunk & 0x1FFF)
        elif not chunk & 0x4000:
            symbols += [chunk >> (13 - bit) & 1 for bit in range(14)]
        else:
            symbols += [chunk >> (12 - 2 * pair) & 3 for pair in range(7)]
        if not chunk & 0x8000 and not chunk & 0x1FFF:
            raise RemoteMediaError("rtcp_malformed", why="an empty run")
    del symbols[expected:]
    if 3 in symbols:
        raise RemoteMediaError("rtcp_malformed", why="reserved packet status")
    return symbols, position


def build_feedback(feedback: TransportFeedback) -> bytes:
    """What follows the RTCP header, unpadded. Raises LocalMediaError for times too far apart."""
    symbols: list[int] = []
    times = bytearray()
    for delta in feedback.deltas:
        if delta is None:
            symbols.append(_ABSENT)
        elif 0 <= delta <= 0xFF:
            symbols.append(_SMALL)
            times.append(delta)
        elif -0x8000 <= delta <= 0x7FFF:
            symbols.append(_LARGE)
            times += delta.to_bytes(2, signed=True)
        else:
            raise LocalMediaError("rtcp_misbuilt", why="times of arrival too far apart")
    head = _HEAD.pack(
        feedback.ssrc,
        feedback.media_ssrc,
        feedback.base,
        len(symbols),
        (feedback.reference & 0xFFFFFF) << 8 | feedback.count & 0xFF,
    )
    return head + _build_chunks(symbols) + times


def _build_chunks(symbols: Sequence[int]) -> bytes:
    """Runs where they are longer than a vector, else the vector that holds most."""
    chunks = bytearray()
    position = 0
    while position < len(symbols):
        first = symbols[position]
        run = 1
        while position + run < len(symbols) and symbols[position + run] == first and run < 0x1FFF:
            run += 1
        if run >= 14 or position + run == len(symbols):
            chunk, taken = first << 13 | run, run
        elif _LARGE in (bits := symbols[position : position + 14]):
            chunk, taken = 0xC000, 7
            for pair, symbol in enumerate(bits[:7]):
                chunk |= symbol << (12 - 2 * pair)
        else:
            chunk, taken = 0x8000, 14
            for bit, symbol in enumerate(bits):
                chunk |= symbol << (13 - bit)
        chunks += struct.pack("!H", chunk)
        position += taken
    return bytes(chunks)
