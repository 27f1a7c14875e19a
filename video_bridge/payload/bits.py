"""Bit streams cut at bits that are no byte borders, as H.261 and H.263 payloads are.

A cut inside a byte puts that byte into both payloads: the first says in EBIT how many of its last
bits to ignore, the second in SBIT how many of its first (RFC 4587, RFC 2190).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import RemoteMediaError


def find_codes(data: bytes, code: str) -> list[int]:
    """Bit positions of a start code, at any alignment; `code` as a string of 0 and 1."""
    if not data:
        return []
    text = format(int.from_bytes(data, "big"), f"0{8 * len(data)}b")
    found = []
    position = text.find(code)
    while position != -1:
        found.append(position)
        position = text.find(code, position + len(code))
    return found


@dataclass(frozen=True, slots=True)
class Piece:
    """Bits `sbit` .. 8 * len(data) - `ebit` of `data`."""

    data: bytes
    sbit: int
    ebit: int


def cut(data: bytes, start_bit: int, end_bit: int) -> Piece:
    first, last = start_bit // 8, -(-end_bit // 8)
    return Piece(data[first:last], start_bit % 8, 8 * last - end_bit)


def spans(cuts: list[int], end_bit: int, max_bytes: int) -> list[tuple[int, int]]:
    """Neighbouring sections put together while they fit into `max_bytes`.

    `cuts` are the bit positions where a section begins, the first of them 0. A section that does
    not fit stands alone and is too long: the caller decides.
    """
    borders = [*cuts, end_bit]
    out: list[tuple[int, int]] = []
    start = borders[0]
    for here, following in zip(borders[1:], [*borders[2:], None], strict=True):
        if following is None or -(-following // 8) - start // 8 > max_bytes:
            out.append((start, here))
            start = here
    return out


class BitJoiner:
    """Pieces in order, joined to whole bytes."""

    def __init__(self, code: str) -> None:
        self._code = code  # of the error to raise
        self._bytes = bytearray()
        self._used = 8  # bits used of the last byte

    def add(self, piece: Piece) -> None:
        """Raises RemoteMediaError when there are fewer bits than SBIT and EBIT take away."""
        data, sbit, ebit = piece.data, piece.sbit, piece.ebit
        if not data or 8 * len(data) <= sbit + ebit:
            raise RemoteMediaError(self._code, why="no bits left")
        if self._used == 8 and sbit == 0:
            self._bytes += data
        elif self._used == sbit:
            self._bytes[-1] |= data[0] & (0xFF >> sbit)
            self._bytes += data[1:]
        else:
            self._shift(data, sbit, ebit)
            return
        self._used = 8 - ebit
        if ebit:
            self._bytes[-1] &= 0xFF << ebit & 0xFF

    def _shift(self, data: bytes, sbit: int, ebit: int) -> None:
        """Pieces that do not meet within a byte: legal, though no sender does it."""
        count = 8 * len(data) - sbit - ebit
        value = int.from_bytes(data, "big") >> ebit & ((1 << count) - 1)
        free = 8 - self._used
        if free:  # the last byte's bits in front, then all of it anew
            value |= self._bytes.pop() >> free << count
            count += self._used
        pad = -count % 8
        self._bytes += (value << pad).to_bytes((count + pad) // 8, "big")
        self._used = 8 - pad

    def finish(self) -> bytes:
        """All bytes; unused bits of the last are zero. Raises RemoteMediaError when empty."""
        if not self._bytes:
            raise RemoteMediaError(self._code, why="empty frame")
        return bytes(self._bytes)
