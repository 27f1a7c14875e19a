"""H.261 in RTP (RFC 4587): a picture cut at its groups of blocks, which are no byte borders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import RemoteMediaError
from .bits import BitJoiner, Piece, cut, find_codes, spans

PAYLOAD_TYPE = 31  # static, RFC 3551
DEFAULT_MAX_PAYLOAD = 1200
HEADER_SIZE = 4
_START_CODE = "0000000000000001"  # GBSC and the first 16 bits of PSC (H.261 section 4.2)
_MALFORMED = "h261_payload_malformed"


@dataclass(frozen=True, slots=True)
class Header:
    """Section 4.1. GOBN, MBAP, QUANT and vectors are zero where a payload begins with a GOB."""

    sbit: int
    ebit: int
    is_intra: bool = False
    has_vectors: bool = True
    gob: int = 0
    macroblock: int = 0
    quantiser: int = 0
    horizontal: int = 0
    vertical: int = 0

    @classmethod
    def parse(cls, payload: bytes) -> Header:
        """Raises RemoteMediaError `h261_payload_malformed`."""
        if len(payload) <= HEADER_SIZE:
            raise RemoteMediaError(_MALFORMED, size=len(payload))
        word = int.from_bytes(payload[:4], "big")
        return cls(
            sbit=word >> 29,
            ebit=word >> 26 & 7,
            is_intra=bool(word >> 25 & 1),
            has_vectors=bool(word >> 24 & 1),
            gob=word >> 20 & 15,
            macroblock=word >> 15 & 31,
            quantiser=word >> 10 & 31,
            horizontal=_signed(word >> 5 & 31),
            vertical=_signed(word & 31),
        )

    def __bytes__(self) -> bytes:
        word = self.sbit << 29 | self.ebit << 26 | self.is_intra << 25 | self.has_vectors << 24
        word |= self.gob << 20 | self.macroblock << 15 | self.quantiser << 10
        word |= (self.horizontal & 31) << 5 | self.vertical & 31
        return word.to_bytes(4, "big")


def _signed(value: int) -> int:
    return value - 32 if value & 16 else value


def packetise(
    frame: bytes, *, is_intra: bool = False, max_payload: int = DEFAULT_MAX_PAYLOAD
) -> list[bytes]:
    """Payloads that begin at a picture or GOB header; marker on the last.

    A GOB larger than `max_payload` is cut at bytes, as FFmpeg does: a receiver that joins before
    it decodes reads it, one that decodes packets singly loses that GOB.
    """
    if not frame:
        return []
    room = max_payload - HEADER_SIZE
    sections = sorted({0, *find_codes(frame, _START_CODE)})
    if len(sections) > 1 and sections[1] < 64:
        del sections[1]  # the first GOB stays with the picture header
    payloads = []
    for start, end in spans(sections, 8 * len(frame), room):
        for piece in _pieces(frame, start, end, room):
            payloads.append(bytes(Header(piece.sbit, piece.ebit, is_intra)) + piece.data)
    return payloads


def _pieces(frame: bytes, start: int, end: int, room: int) -> Iterable[Piece]:
    while -(-end // 8) - start // 8 > room:
        border = 8 * (start // 8 + room)
        yield cut(frame, start, border)
        start = border
    yield cut(frame, start, end)


def starts_frame(payload: bytes) -> bool:
    """Whether a payload begins with a picture start code (20 bits)."""
    if len(payload) < HEADER_SIZE + 4:
        return False
    sbit = payload[0] >> 5
    word = int.from_bytes(payload[HEADER_SIZE : HEADER_SIZE + 4], "big")
    return word >> (12 - sbit) & 0xFFFFF == 0x00010


class Depacketiser:
    """Payloads of one picture, in order, to its bit stream."""

    def depacketise(self, payloads: Iterable[bytes]) -> bytes:
        """Raises RemoteMediaError `h261_payload_malformed`."""
        joiner = BitJoiner(_MALFORMED)
        for payload in payloads:
            header = Header.parse(payload)
            joiner.add(Piece(payload[HEADER_SIZE:], header.sbit, header.ebit))
        return joiner.finish()
